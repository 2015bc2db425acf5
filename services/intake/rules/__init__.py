"""What intake may do with an admission, as pure functions."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from handrail.events import intake as events
from intake import commands
from intake.facts import OPEN, Admission, Matter
from intake.rules import consent, level, needs, plan, stay, team
from intake.rules.common import Decided, require

__all__ = ["Admission", "Decided", "decide"]


def decide(matter: Matter, command: commands.AdmissionCommand) -> Decided:
    """The admission after `command`, and the events that say so. Raises Rejected."""
    return _RULES[type(command)](matter, command)


def _change_level(matter: Matter, command: commands.ChangeLevelOfCare) -> Decided:
    require(matter.admission, OPEN)
    level.require_known(matter, command)
    level.require_instrument(matter, command.instrument, matter.admission.focus)
    facts = command.model_dump(include={"instrument", "edition", "level_of_care"})
    after = replace(matter.admission, **facts)
    told = events.LevelOfCareChanged(**matter.about(), **facts)
    if command.weekly_minutes is None or command.sessions_per_week is None:
        level.require_fit(matter, after, after.weekly_minutes or 0)
        return after, (told,)
    dose = commands.ChangePlan(
        key=command.key,
        occurred_at=command.occurred_at,
        weekly_minutes=command.weekly_minutes,
        sessions_per_week=command.sessions_per_week,
    )
    after, more = plan.change_plan(replace(matter, admission=after), dose)
    return after, (told, *more)


_RULES: dict[type[commands.AdmissionCommand], Callable[[Matter, Any], Decided]] = {
    commands.Waitlist: stay.waitlist,
    commands.CompleteIntake: stay.complete_intake,
    commands.LoseReferral: stay.lose,
    commands.DeclineReferral: stay.decline,
    commands.AssessEligibility: needs.assess,
    commands.SetConstraints: needs.set_constraints,
    commands.SetAccess: needs.set_access,
    commands.AcknowledgePolicy: needs.acknowledge_policy,
    commands.NameSupport: consent.name_support,
    commands.ChangeSupportConsent: consent.change_support_consent,
    commands.RemoveSupport: consent.remove_support,
    commands.GrantConsent: consent.grant,
    commands.NarrowConsent: consent.narrow,
    commands.RevokeConsent: consent.revoke,
    commands.ChangePlan: plan.change_plan,
    commands.MarkGoal: plan.mark_goal,
    commands.ReviewPlan: plan.review_plan,
    commands.Recertify: plan.recertify,
    commands.ChangeLevelOfCare: _change_level,
    commands.Transfer: stay.transfer,
    commands.AssignRole: team.assign,
    commands.CoverRole: team.cover,
    commands.ReleaseRole: team.release,
    commands.PutOnHold: stay.put_on_hold,
    commands.Resume: stay.resume,
    commands.LogAttempt: stay.log_attempt,
    commands.Discharge: stay.discharge,
    commands.UndoDischarge: stay.undo_discharge,
    commands.UndoAdmission: stay.undo_admission,
}
