"""Follow-ups and check-ups after the step-down."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from aftercare import commands
from aftercare.facts import IN_AFTERCARE, Attempt, FollowUp, HandOff, When
from aftercare.rules.common import Decided, chart, require, require_day
from handrail.events import AdmissionEvent
from handrail.events import aftercare as events
from handrail.receipts import Rejected

# Calls after one and two weeks, check-ups monthly, then quarterly: recovery management check-ups.
FOLLOW_UP_DAYS = (7, 14, 30, 60, 90, 180, 270, 360)
# Who went up is in care; HEDIS asks after 7 and 30 days.
STEP_UP_DAYS = (7, 30)
OVERDUE_AFTER = timedelta(days=3)


def planned(destination: str, started_on: date) -> tuple[FollowUp, ...]:
    """The follow-ups of a new hand-off."""
    days = STEP_UP_DAYS if destination == "step_up" else FOLLOW_UP_DAYS
    return tuple(FollowUp(n, started_on + timedelta(days=n)) for n in days)


def complete(hand_off: HandOff, command: commands.CompleteFollowUp, when: When) -> Decided:
    """The person was followed up."""
    found = _find(hand_off, command.follow_up_day)
    done = replace(found, status="completed")
    rest = tuple(done if f is found else f for f in hand_off.follow_ups)
    tries = sum(a.follow_up_day == found.follow_up_day for a in hand_off.chart.attempts)
    completed = events.FollowUpCompleted(
        **hand_off.about(), **when, follow_up_day=found.follow_up_day, attempts=tries
    )
    return replace(hand_off, follow_ups=rest), (completed,)


def attempt(hand_off: HandOff, command: commands.AttemptFollowUp, when: When) -> Decided:
    """Staff did not reach the person; the follow-up stays open."""
    found = _find(hand_off, command.follow_up_day)
    require_day(hand_off, command.attempted_on, when, "attempted_on")
    facts = command.model_dump(include={"channel", "outcome", "attempted_on", "follow_up_day"})
    after = chart(hand_off, attempts=(*hand_off.chart.attempts, Attempt(**facts)))
    tries = sum(a.follow_up_day == found.follow_up_day for a in after.chart.attempts)
    return after, (events.FollowUpAttempted(**hand_off.about(), **when, **facts, attempts=tries),)


def end(hand_off: HandOff, reason: str, when: When) -> Decided:
    """No more follow-ups are made. Raises Rejected when none is left."""
    after = called_off(hand_off)
    if after == hand_off:
        raise Rejected("wrong_status", "No follow-up is left.", "step_down_id")
    return after, (events.FollowUpEnded(**hand_off.about(), **when, reason=reason),)


def called_off(hand_off: HandOff) -> HandOff:
    """The hand-off with the calls that are not made called off."""
    return replace(
        hand_off,
        follow_ups=tuple(
            f if f.status == "completed" else replace(f, status="called_off")
            for f in hand_off.follow_ups
        ),
    )


def age(hand_off: HandOff, day: date, when: When) -> Decided:
    """Follow-ups that fall due or are overdue by the end of a day; both when days were skipped."""
    told: list[AdmissionEvent] = []
    aged = []
    for follow_up in hand_off.follow_ups:
        stands = follow_up
        for stands in _steps(follow_up, day):
            kind = events.FollowUpDue if stands.status == "due" else events.FollowUpOverdue
            n, due_on = stands.follow_up_day, stands.due_on
            told.append(kind(**hand_off.about(), **when, follow_up_day=n, due_on=due_on))
        aged.append(stands)
    return replace(hand_off, follow_ups=tuple(aged)), tuple(told)


def _steps(follow_up: FollowUp, day: date) -> Iterator[FollowUp]:
    if follow_up.status == "planned" and follow_up.due_on <= day:
        follow_up = replace(follow_up, status="due")
        yield follow_up
    if follow_up.status == "due" and follow_up.due_on + OVERDUE_AFTER <= day:
        yield replace(follow_up, status="overdue")


def _find(hand_off: HandOff, day: int) -> FollowUp:
    require(hand_off, IN_AFTERCARE)
    found = next((f for f in hand_off.follow_ups if f.follow_up_day == day), None)
    if found is None:
        raise Rejected("follow_up_unknown", "No follow-up is planned on that day.", "follow_up_day")
    if found.status == "completed":
        raise Rejected("wrong_status", "That follow-up is completed already.", "follow_up_day")
    if found.status == "called_off":
        raise Rejected("wrong_status", "That follow-up was called off.", "follow_up_day")
    return found
