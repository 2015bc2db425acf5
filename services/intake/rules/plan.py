"""The personal plan: dose, goals, review and recertification."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from handrail.events import care
from handrail.events import intake as events
from handrail.receipts import Rejected
from intake import commands
from intake.facts import OPEN, Admission, Goal, Matter
from intake.rules import level
from intake.rules.common import (
    Decided,
    chart,
    require,
    require_by_now,
    require_since_admission,
)

# Medicare: certified again at least every 60 days (42 CFR 424.24).
CERTIFIED_DAYS = 60


def recertify_by(certified_on: date) -> date:
    """The last day of a certification."""
    return certified_on + timedelta(days=CERTIFIED_DAYS)


def change_plan(matter: Matter, command: commands.ChangePlan) -> Decided:
    """Another dose, within the level of care. Goals that stay keep their state."""
    before = matter.admission
    require(before, OPEN)
    _require_sum(command.doses, command.weekly_minutes, command.sessions_per_week)
    level.require_fit(matter, before, command.weekly_minutes)
    if command.review_on and command.review_on <= matter.recorded_day:
        raise Rejected("not_ahead", "The review lies ahead.", "review_on")
    facts = command.model_dump(include=_PLAN)
    states = {goal.goal: goal for goal in before.chart.goals}
    goals = before.chart.goals
    if command.goals is not None:
        goals = tuple(states.get(g, Goal(goal=g)) for g in dict.fromkeys(command.goals))
    after = replace(
        before,
        weekly_minutes=command.weekly_minutes,
        sessions_per_week=command.sessions_per_week,
        review_on=command.review_on or before.review_on,
    )
    # A dose without its types is another dose: the old types no longer say what it is.
    doses = tuple(events.Dose(**dose.model_dump()) for dose in command.doses or ())
    return chart(after, doses=doses, goals=goals), (events.PlanChanged(**matter.about(), **facts),)


def mark_goal(matter: Matter, command: commands.MarkGoal) -> Decided:
    """One goal's state."""
    before = matter.admission
    require(before, OPEN)
    if command.goal not in {goal.goal for goal in before.chart.goals}:
        raise Rejected("goal_unknown", "The plan has no such goal.", "goal")
    goals = tuple(
        Goal(goal=goal.goal, state=command.state) if goal.goal == command.goal else goal
        for goal in before.chart.goals
    )
    event = care.GoalMarked(**matter.about(), goal=command.goal, state=command.state)
    return chart(before, goals=goals), (event,)


def review_plan(matter: Matter, command: commands.ReviewPlan) -> Decided:
    """A review, and the day of the next one."""
    require(matter.admission, OPEN)
    require_by_now(matter, command.reviewed_on, "reviewed_on")
    require_since_admission(matter, command.reviewed_on, "reviewed_on")
    if command.review_on <= command.reviewed_on:
        raise Rejected("not_ahead", "The next review comes after this one.", "review_on")
    facts = command.model_dump(include={"reviewed_on", "review_on"})
    after = replace(matter.admission, review_on=command.review_on)
    return after, (care.PlanReviewed(**matter.about(), **facts),)


def recertify(matter: Matter, command: commands.Recertify) -> Decided:
    """Another term of 60 days; how late it was is told, not hidden."""
    before = matter.admission
    require(before, OPEN)
    require_by_now(matter, command.certified_on, "certified_on")
    require_since_admission(matter, command.certified_on, "certified_on")
    until = recertify_by(command.certified_on)
    if before.recertify_by and until < before.recertify_by:
        raise Rejected("certified_already", "A later certification stands.", "certified_on")
    late = (command.certified_on - before.recertify_by).days if before.recertify_by else 0
    event = care.Recertified(
        **matter.about(),
        certified_on=command.certified_on,
        recertify_by=until,
        certifier_id=command.certifier_id,
        days_late=max(0, late),
    )
    return replace(before, recertify_by=until), (event,)


def due(admission: Admission, by: date) -> list[tuple[str, date]]:
    """What of the plan is due by this day: (what, since when)."""
    if admission.status not in OPEN or admission.admitted_on is None:
        return []
    found = []
    if admission.review_on is None:
        found.append(("plan", admission.admitted_on))
    elif admission.review_on <= by:
        found.append(("plan_review", admission.review_on))
    if admission.recertify_by and admission.recertify_by <= by:
        found.append(("recertification", admission.recertify_by))
    return [(what, since) for what, since in found if since <= by]


_PLAN = {"weekly_minutes", "sessions_per_week", "doses", "goals", "review_on"}


def _require_sum(
    doses: Sequence[events.Dose] | None, weekly_minutes: int, sessions_per_week: int
) -> None:
    if doses is None:
        return
    if len({dose.session_type for dose in doses}) < len(doses):
        raise Rejected("dose_twice", "Name each type of session once.", "doses")
    if sum(dose.sessions * dose.minutes for dose in doses) != weekly_minutes:
        raise Rejected("dose_differs", "The doses do not add up to it.", "weekly_minutes")
    if sum(dose.sessions for dose in doses) != sessions_per_week:
        raise Rejected("dose_differs", "The doses do not add up to it.", "sessions_per_week")
