"""Whether this care is enough and safe, and whether a programme fits the person's week."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from handrail.events import care
from handrail.events.care import Constraint, EligibilityReason, ReferTo, Window
from handrail.receipts import Rejected
from intake import commands
from intake.facts import BEFORE, OPEN, Access, Admission, Eligibility, Matter, Program
from intake.rules.common import Decided, chart, require, require_by_now

# Whoever is in care for a week has been told what is expected, and been looked at.
STEPS_WITHIN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Misfit:
    """A reason why a programme does not fit, and the hours it is about."""

    code: str
    window: Window | None = None


def assess(matter: Matter, command: commands.AssessEligibility) -> Decided:
    """The answers, and where to refer up if they say no."""
    require(matter.admission, BEFORE | OPEN)
    answers = command.model_dump(include=_ANSWERS)
    found = eligibility(**answers)
    after = replace(matter.admission, is_eligible=found.eligible)
    event = care.EligibilityAssessed(**matter.about(), **answers, **found.model_dump())
    return chart(after, eligibility=found), (event,)


def eligibility(
    *, needs_24h_supervision: bool, symptoms_stable: bool, home_safe: bool, home_supportive: bool
) -> Eligibility:
    """Eligible: no need of 24-hour supervision, stable symptoms, a safe and supportive home."""
    against: list[EligibilityReason] = []
    if needs_24h_supervision:
        against.append("needs_24h_supervision")
    if not symptoms_stable:
        against.append("symptoms_not_stable")
    if not home_safe:
        against.append("home_not_safe")
    if not home_supportive:
        against.append("home_not_supportive")
    return Eligibility(eligible=not against, reasons=tuple(against), refer_to=_refer_to(against))


def _refer_to(against: Sequence[EligibilityReason]) -> ReferTo | None:
    """The least intensive place that answers every reason."""
    if not against:
        return None
    has_home = not {"home_not_safe", "home_not_supportive"} & set(against)
    if "needs_24h_supervision" in against:
        return "inpatient" if "symptoms_not_stable" in against else "residential"
    if "symptoms_not_stable" in against:
        return "partial_hospital" if has_home else "residential"
    return "recovery_residence"


def require_eligible(matter: Matter, command: commands.CompleteIntake) -> None:
    """Raise Rejected where the last assessment said no, or there is none and no reason is given.

    History is told as it was.
    """
    answer = matter.admission.is_eligible
    if matter.is_played or answer:
        return
    if answer is False:
        raise Rejected("not_eligible", "Refer up, or assess again.", "admission_id")
    if command.eligibility_waived_for is None:
        detail = "Assess eligibility first, or say why it has to wait."
        raise Rejected("eligibility_missing", detail, "eligibility_waived_for")


def set_constraints(matter: Matter, command: commands.SetConstraints) -> Decided:
    """When the person cannot come."""
    require(matter.admission, BEFORE | OPEN)
    for constraint in command.constraints:
        if constraint.ends <= constraint.starts:
            raise Rejected("ends_before_it_begins", "It ends after it begins.", "constraints")
    now = tuple(Constraint(**c.model_dump()) for c in command.constraints)
    event = care.ScheduleConstraintsChanged(**matter.about(), constraints=now)
    return chart(matter.admission, constraints=now), (event,)


def set_access(matter: Matter, command: commands.SetAccess) -> Decided:
    """How the person gets to sessions, or takes part online."""
    require(matter.admission, BEFORE | OPEN)
    facts = command.model_dump(include={"transport", "online", "has_device", "has_internet"})
    event = care.AccessNeedsChanged(**matter.about(), **facts)
    return chart(matter.admission, access=Access(**facts)), (event,)


def acknowledge_policy(matter: Matter, command: commands.AcknowledgePolicy) -> Decided:
    """The policy, and the day it was acknowledged."""
    require(matter.admission, BEFORE | OPEN)
    require_by_now(matter, command.acknowledged_on, "acknowledged_on")
    facts = command.model_dump(include={"policy", "acknowledged_on"})
    after = replace(matter.admission, policy_on=command.acknowledged_on)
    event = care.AttendancePolicyAcknowledged(**matter.about(), **facts)
    return chart(after, policy=command.policy), (event,)


def missing(admission: Admission) -> list[str]:
    """The steps of intake that have not been taken."""
    if admission.status not in BEFORE | OPEN:
        return []
    taken = {"eligibility": admission.is_eligible, "attendance_policy": admission.policy_on}
    return [step for step, answer in taken.items() if answer is None]


def due_on(admission: Admission) -> date | None:
    """The last day for the steps that are missing: the first sessions go on without them."""
    if admission.admitted_on is None or not missing(admission):
        return None
    return admission.admitted_on + STEPS_WITHIN


def overdue(admission: Admission, day: date) -> list[str]:
    """The steps that are overdue at the end of `day`; nobody asks who is on leave."""
    due = due_on(admission)
    if due is None or day <= due or admission.status != "admitted":
        return []
    return missing(admission)


def misfits(admission: Admission, program: Program) -> list[Misfit]:
    """Why this programme does not fit this person; empty when it does."""
    found = []
    if admission.age_group != program.age_group:
        found.append(Misfit("other_age_group"))
    access = admission.chart.access
    if access and access.online == "required":
        if "online" not in program.modes:
            found.append(Misfit("not_online"))
        if not access.has_device:
            found.append(Misfit("no_device"))
        if not access.has_internet:
            found.append(Misfit("no_internet"))
    if access and access.transport in ("needs_ride", "none") and "online" not in program.modes:
        found.append(Misfit("transport_to_arrange"))
    for meets in program.meets:
        kinds = {c.kind for c in admission.chart.constraints if _overlap(c, meets)}
        found += [Misfit(kind, meets) for kind in sorted(kinds)]
    return found


def _overlap(one: Window, other: Window) -> bool:
    return one.weekday == other.weekday and one.starts < other.ends and other.starts < one.ends


_ANSWERS = {"needs_24h_supervision", "symptoms_stable", "home_safe", "home_supportive"}
