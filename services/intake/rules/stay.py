"""From the referral to the end of the stay."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from handrail.events import intake as events
from handrail.receipts import Rejected
from intake import commands
from intake.facts import BEFORE, OPEN, Admission, Attempt, Chart, Matter
from intake.rules import level, needs, plan
from intake.rules.common import (
    Decided,
    chart,
    require,
    require_by_now,
    require_since_admission,
)

# What an end by the facility needs before it: the plan of attempts, and someone who stands for it.
ATTEMPTS, DAYS, CHANNELS = 3, 3, 2
MOST_ATTEMPTS = 200
# Who has not been seen for so long has left: the stay needs its end (ODMHSAS).
UNSEEN = timedelta(days=90)

_ADMITTED = {
    "admitted_on",
    "program_id",
    "track",
    "instrument",
    "edition",
    "level_of_care",
    "weekly_minutes",
    "sessions_per_week",
    "age_group",
    "focus",
}


def waitlist(matter: Matter, command: commands.Waitlist) -> Decided:
    """A place in the queue. Saying it again keeps the place."""
    require(matter.admission, BEFORE)
    after = replace(
        matter.admission,
        status="waitlisted",
        program_id=command.program_id,
        track=command.track,
        is_urgent=command.urgent,
        waitlisted_at=matter.admission.waitlisted_at or matter.occurred_at,
    )
    facts = command.model_dump(include={"program_id", "track", "reason", "urgent"})
    return after, (events.Waitlisted(**matter.about(), **facts),)


def complete_intake(matter: Matter, command: commands.CompleteIntake) -> Decided:
    """Admitted, with a first term of certification."""
    require(matter.admission, BEFORE)
    needs.require_eligible(matter, command)
    level.require_fit(matter, command, command.weekly_minutes)
    level.require_instrument(matter, command.instrument, command.focus)
    facts = command.model_dump(include=_ADMITTED)
    until = plan.recertify_by(command.admitted_on)
    after = replace(matter.admission, status="admitted", recertify_by=until, **facts)
    waived_for = command.eligibility_waived_for if matter.admission.is_eligible is None else None
    told = events.IntakeCompleted(**matter.about(), **facts, eligibility_waived_for=waived_for)
    return after, (told,)


def lose(matter: Matter, command: commands.LoseReferral) -> Decided:
    """The referral ended without an answer."""
    require(matter.admission, BEFORE)
    after = _ended(matter.admission, "lost", matter.recorded_day, command.reason)
    return after, (events.IntakeLost(**matter.about(), reason=command.reason),)


def decline(matter: Matter, command: commands.DeclineReferral) -> Decided:
    """Someone said no. Who is not eligible is referred on: nobody is sent away to nothing."""
    require(matter.admission, BEFORE)
    if command.reason == "not_eligible" and not command.referred_to:
        raise Rejected("referred_to_missing", "Say where the person goes instead.", "referred_to")
    after = _ended(matter.admission, "declined", matter.recorded_day, command.reason)
    facts = command.model_dump(include={"by", "reason", "referred_to"})
    return after, (events.IntakeDeclined(**matter.about(), **facts),)


def transfer(matter: Matter, command: commands.Transfer) -> Decided:
    """The same stay in another programme or track."""
    before = matter.admission
    require(before, OPEN)
    if (before.program_id, before.track) == (command.program_id, command.track):
        raise Rejected("nothing_to_change", "The person is there already.", "program_id")
    after = replace(before, program_id=command.program_id, track=command.track)
    event = events.Transferred(
        **matter.about(),
        from_program_id=before.program_id or command.program_id,
        program_id=command.program_id,
        track=command.track,
    )
    return after, (event,)


def put_on_hold(matter: Matter, command: commands.PutOnHold) -> Decided:
    """A pause for leave, hospital or jail."""
    require(matter.admission, {"admitted"})
    after = replace(matter.admission, status="on_hold", hold_reason=command.reason)
    return after, (events.PutOnHold(**matter.about(), reason=command.reason),)


def resume(matter: Matter, _command: commands.Resume) -> Decided:
    """The pause is over."""
    require(matter.admission, {"on_hold"})
    after = replace(matter.admission, status="admitted", hold_reason=None)
    return after, (events.Resumed(**matter.about()),)


def log_attempt(matter: Matter, command: commands.LogAttempt) -> Decided:
    """An attempt to reach the person; the newest ones are kept."""
    require(matter.admission, OPEN)
    require_by_now(matter, command.attempted_on, "attempted_on")
    require_since_admission(matter, command.attempted_on, "attempted_on")
    facts = command.model_dump(include={"channel", "outcome", "attempted_on"})
    kept = (*matter.admission.chart.attempts, Attempt(**facts))[-MOST_ATTEMPTS:]
    return chart(matter.admission, attempts=kept), (
        events.AttemptLogged(**matter.about(), **facts),
    )


def discharge(matter: Matter, command: commands.Discharge) -> Decided:
    """The end of the stay. The facility may end it only as a last resort."""
    before = matter.admission
    require(before, OPEN)
    if before.admitted_on and command.discharged_on < before.admitted_on:
        raise Rejected("before_admission", "It ends before it began.", "discharged_on")
    by_facility = command.reason == "terminated_by_facility"
    if by_facility and not matter.is_played:
        for field, detail in lacks(before.chart, command.supervisor_id, command.discharged_on):
            raise Rejected("facility_discharge_lacks", detail, field)
    facts = command.model_dump(include={"reason", "discharged_on", "receiver", "supervisor_id"})
    attempts = len(before.chart.attempts) if by_facility else None
    after = _ended(before, "discharged", command.discharged_on, command.reason)
    return after, (events.Discharged(**matter.about(), **facts, attempts=attempts),)


def undo_discharge(matter: Matter, _command: commands.UndoDischarge) -> Decided:
    """As if it had not ended; a hold that the end cut short goes on."""
    before = matter.admission
    require(before, {"discharged"})
    status = "on_hold" if before.hold_reason else "admitted"
    after = replace(before, status=status, ended_on=None, ended_for=None)
    event = events.DischargeUndone(**matter.about(), status=status, reason=before.hold_reason)
    return after, (event,)


def undo_admission(matter: Matter, _command: commands.UndoAdmission) -> Decided:
    """A referral again, and its clock with it."""
    require(matter.admission, OPEN)
    after = replace(
        matter.admission, status="referred", admitted_on=None, hold_reason=None, recertify_by=None
    )
    return after, (events.AdmissionUndone(**matter.about()),)


def seen_from(day: date) -> date:
    """Whoever was seen on this day or later is still in care on `day`; the others' stays are to end."""
    return day - UNSEEN


def lacks(the_chart: Chart, supervisor_id: UUID | None, day: date) -> list[tuple[str, str]]:
    """What an end by the facility still lacks: (field, what to do)."""
    found = []
    if not _are_enough(the_chart.attempts):
        words = f"Log {ATTEMPTS} attempts on {DAYS} days by {CHANNELS} channels first."
        found.append(("reason", words))
    if supervisor_id is None:
        found.append(("supervisor_id", "Name the supervisor who stands for it."))
    elif not any(
        member.role == "supervisor"
        and member.staff_id == supervisor_id
        and member.from_on <= day
        and (member.until_on is None or day <= member.until_on)
        for member in the_chart.team
    ):
        found.append(("supervisor_id", "That is no supervisor of the person's care team."))
    return found


def _are_enough(attempts: Sequence[Attempt]) -> bool:
    days = {attempt.attempted_on for attempt in attempts}
    channels = {attempt.channel for attempt in attempts}
    return len(attempts) >= ATTEMPTS and len(days) >= DAYS and len(channels) >= CHANNELS


def _ended(admission: Admission, status: str, day: date, reason: str) -> Admission:
    return replace(admission, status=status, ended_on=day, ended_for=reason)
