"""The hand-off itself: warm or not, taken, seen, missed or declined."""

from dataclasses import replace
from datetime import timedelta

from aftercare import commands
from aftercare.facts import NOT_SEEN, VISIT_AHEAD, Attempt, HandOff, When
from aftercare.rules.common import Decided, chart, require, require_day
from handrail.events import aftercare as events
from handrail.receipts import Rejected

# Seen within 7 days of leaving a more intensive level of care, as HEDIS FUI and FUH ask; up to
# more care within the 48 hours that a referral has.
SEEN_WITHIN = timedelta(days=7)
STEP_UP_WITHIN = timedelta(days=2)


def within(hand_off: HandOff) -> timedelta:
    """How long the next place has to see the person."""
    return STEP_UP_WITHIN if hand_off.destination == "step_up" else SEEN_WITHIN


def attempt(hand_off: HandOff, command: commands.AttemptHandOff, when: When) -> Decided:
    """Staff tried to reach the next place, the person, or both at once: a warm hand-off."""
    require(hand_off, NOT_SEEN)
    require_day(hand_off, command.attempted_on, when, "attempted_on")
    facts = command.model_dump(include={"channel", "outcome", "attempted_on"})
    after = chart(hand_off, attempts=(*hand_off.chart.attempts, Attempt(**facts)))
    if command.outcome == "warm" and hand_off.warm_on is None:
        after = replace(after, warm_on=command.attempted_on)
    count = sum(a.follow_up_day is None for a in after.chart.attempts)
    return after, (events.HandOffAttempted(**hand_off.about(), **when, **facts, attempts=count),)


def accept(hand_off: HandOff, _: commands.AcceptStepDown, when: When) -> Decided:
    """The next place takes the person."""
    require(hand_off, {"started"})
    accepted = events.StepDownAccepted(**hand_off.about(), **when)
    return replace(hand_off, status="accepted"), (accepted,)


def plan(hand_off: HandOff, command: commands.PlanFirstVisit, when: When) -> Decided:
    """The first visit has another day; after a missed one there is a visit ahead again."""
    require(hand_off, NOT_SEEN)
    day = command.first_visit_on
    if day < max(hand_off.started_on, when["recorded_day"]):
        raise Rejected("in_the_past", "A visit is planned from today on.", "first_visit_on")
    told = events.FirstVisitPlanned(
        **hand_off.about(), **when, first_visit_on=day, was=hand_off.first_visit_on
    )
    status = "started" if hand_off.status == "missed" else hand_off.status
    return replace(hand_off, first_visit_on=day, status=status), (told,)


def keep(hand_off: HandOff, command: commands.KeepFirstVisit, when: When) -> Decided:
    """The next place has seen the person."""
    require(hand_off, NOT_SEEN | {"declined"})
    require_day(hand_off, command.visited_on, when, "visited_on")
    took = command.visited_on - hand_off.started_on
    kept = events.FirstVisitKept(
        **hand_off.about(),
        **when,
        visited_on=command.visited_on,
        days=took.days,
        in_time=took <= within(hand_off),
    )
    return replace(hand_off, status="seen", visited_on=command.visited_on), (kept,)


def miss(hand_off: HandOff, _: commands.MissFirstVisit, when: When) -> Decided:
    """The person did not come."""
    require(hand_off, VISIT_AHEAD)
    if hand_off.first_visit_on > when["recorded_day"]:
        raise Rejected("in_the_future", "That visit is still to come.", "step_down_id")
    return pass_by(hand_off, when)


def pass_by(hand_off: HandOff, when: When) -> Decided:
    """The planned day passed and the person was not seen."""
    planned_on = hand_off.first_visit_on
    missed = events.FirstVisitMissed(**hand_off.about(), **when, planned_on=planned_on)
    return replace(hand_off, status="missed"), (missed,)


def decline(hand_off: HandOff, command: commands.DeclineStepDown, when: When) -> Decided:
    """The person or the next place said no. The follow-ups go on: nobody is let go of."""
    require(hand_off, NOT_SEEN)
    require_day(hand_off, command.declined_on, when, "declined_on")
    facts = command.model_dump(include={"by", "reason", "declined_on"})
    after = replace(
        hand_off, status="declined", declined_by=command.by, declined_reason=command.reason
    )
    return after, (events.StepDownDeclined(**hand_off.about(), **when, **facts),)
