"""What aftercare may do with a hand-off, and what a day's end does to it, as pure functions."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal, TypeAlias, TypedDict
from uuid import UUID, uuid4

from aftercare import commands
from handrail.events import AdmissionEvent
from handrail.events import aftercare as events
from handrail.receipts import Rejected

FollowUpStatus = Literal["planned", "due", "completed", "overdue", "called_off"]
Status = Literal["started", "accepted", "seen", "missed", "returned"]

# Design of the programme: a call after one and two weeks, one month and three months.
FOLLOW_UP_DAYS = (7, 14, 30, 90)
OVERDUE_AFTER = timedelta(days=3)
NOT_SEEN = frozenset({"started", "accepted", "missed"})
VISIT_AHEAD = frozenset({"started", "accepted"})


@dataclass(frozen=True, slots=True)
class FollowUp:
    """One planned call; `follow_up_day` counts from the step-down."""

    follow_up_day: int
    due_on: date
    status: FollowUpStatus = "planned"


@dataclass(frozen=True, slots=True)
class HandOff:
    """One hand-off to the next place."""

    step_down_id: UUID
    admission_id: UUID
    site_id: str
    destination: str
    receiver: str
    started_on: date
    first_visit_on: date
    status: Status = "started"
    visited_on: date | None = None
    follow_ups: tuple[FollowUp, ...] = ()


class When(TypedDict):
    """The three times of an event."""

    occurred_at: datetime
    recorded_at: datetime
    recorded_day: date


class _About(TypedDict):
    site_id: str
    admission_id: UUID
    step_down_id: UUID


Decided: TypeAlias = tuple[HandOff, AdmissionEvent]


def start(site_id: str, command: commands.StartStepDown, started_on: date, when: When) -> Decided:
    """A new hand-off with its follow-ups. Raises Rejected."""
    if command.first_visit_on < started_on:
        raise Rejected("before_step_down", "The visit comes after the step-down.", "first_visit_on")
    hand_off = HandOff(
        step_down_id=uuid4(),
        admission_id=command.admission_id,
        site_id=site_id,
        destination=command.destination,
        receiver=command.receiver,
        started_on=started_on,
        first_visit_on=command.first_visit_on,
        follow_ups=tuple(FollowUp(n, started_on + timedelta(days=n)) for n in FOLLOW_UP_DAYS),
    )
    return hand_off, events.StepDownStarted(
        **_about(hand_off),
        **when,
        destination=command.destination,
        receiver=command.receiver,
        first_visit_on=command.first_visit_on,
    )


def decide(hand_off: HandOff, command: commands.StepDownCommand, when: When) -> Decided:
    """The hand-off after `command`, and the event that says so. Raises Rejected."""
    match command:
        case commands.AcceptStepDown():
            _require(hand_off, {"started"})
            accepted = events.StepDownAccepted(**_about(hand_off), **when)
            return replace(hand_off, status="accepted"), accepted
        case commands.KeepFirstVisit(visited_on=visited_on):
            _require(hand_off, NOT_SEEN)
            _require_time(hand_off, visited_on, when)
            kept = events.FirstVisitKept(**_about(hand_off), **when, visited_on=visited_on)
            return replace(hand_off, status="seen", visited_on=visited_on), kept
        case commands.MissFirstVisit():
            _require(hand_off, VISIT_AHEAD)
            if hand_off.first_visit_on > when["recorded_day"]:
                raise Rejected("in_the_future", "That visit is still to come.", "step_down_id")
            return _miss(hand_off, when)
        case commands.CompleteFollowUp(follow_up_day=day):
            return _complete(hand_off, day, when)
        case commands.ReturnToCare():
            _require(hand_off, NOT_SEEN | {"seen"})
            returned = events.ReturnedToCare(**_about(hand_off), **when)
            return replace(_called_off(hand_off), status="returned"), returned
    raise TypeError(command.__class__.__name__)


def end_day(hand_off: HandOff, day: date, end: datetime) -> tuple[HandOff, list[AdmissionEvent]]:
    """What the end of a local day does: a visit passed, follow-ups fall due or are overdue."""
    when: When = {"occurred_at": end, "recorded_at": end, "recorded_day": day}
    told: list[AdmissionEvent] = []
    if hand_off.status in VISIT_AHEAD and hand_off.first_visit_on <= day:
        hand_off, missed = _miss(hand_off, when)
        told.append(missed)
    follow_ups = []
    for follow_up in hand_off.follow_ups:
        steps = _aged(follow_up, day)
        told.extend(_fell(hand_off, step, when) for step in steps)
        follow_ups.append(steps[-1] if steps else follow_up)
    return (replace(hand_off, follow_ups=tuple(follow_ups)) if told else hand_off), told


def _complete(hand_off: HandOff, day: int, when: When) -> Decided:
    _require(hand_off, NOT_SEEN | {"seen"})
    found = next((f for f in hand_off.follow_ups if f.follow_up_day == day), None)
    if found is None:
        raise Rejected("follow_up_unknown", "No follow-up is planned on that day.", "follow_up_day")
    if found.status == "completed":
        raise Rejected("wrong_status", "That follow-up is completed already.", "follow_up_day")
    done = replace(found, status="completed")
    rest = tuple(done if f is found else f for f in hand_off.follow_ups)
    completed = events.FollowUpCompleted(**_about(hand_off), **when, follow_up_day=day)
    return replace(hand_off, follow_ups=rest), completed


def _miss(hand_off: HandOff, when: When) -> Decided:
    missed = events.FirstVisitMissed(**_about(hand_off), **when, planned_on=hand_off.first_visit_on)
    return replace(hand_off, status="missed"), missed


def _aged(follow_up: FollowUp, day: date) -> list[FollowUp]:
    """The steps a follow-up takes by the end of a day; two when days were skipped."""
    steps = []
    if follow_up.status == "planned" and follow_up.due_on <= day:
        steps.append(replace(follow_up, status="due"))
    if (steps or [follow_up])[-1].status == "due" and follow_up.due_on + OVERDUE_AFTER <= day:
        steps.append(replace(follow_up, status="overdue"))
    return steps


def _fell(hand_off: HandOff, follow_up: FollowUp, when: When) -> AdmissionEvent:
    kind = events.FollowUpDue if follow_up.status == "due" else events.FollowUpOverdue
    return kind(
        **_about(hand_off),
        **when,
        follow_up_day=follow_up.follow_up_day,
        due_on=follow_up.due_on,
    )


def _called_off(hand_off: HandOff) -> HandOff:
    """The hand-off with the calls that are not made called off."""
    return replace(
        hand_off,
        follow_ups=tuple(
            f if f.status == "completed" else replace(f, status="called_off")
            for f in hand_off.follow_ups
        ),
    )


def _require(hand_off: HandOff, statuses: set[str] | frozenset[str]) -> None:
    if hand_off.status not in statuses:
        wanted = " or ".join(sorted(statuses))
        detail = f"The hand-off is {hand_off.status}; this needs {wanted}."
        raise Rejected("wrong_status", detail, "step_down_id")


def _require_time(hand_off: HandOff, visited_on: date, when: When) -> None:
    if visited_on < hand_off.started_on:
        raise Rejected("before_step_down", "The visit comes after the step-down.", "visited_on")
    if visited_on > when["recorded_day"]:
        raise Rejected("in_the_future", "That day has not come yet.", "visited_on")


def _about(hand_off: HandOff) -> _About:
    return {
        "site_id": hand_off.site_id,
        "admission_id": hand_off.admission_id,
        "step_down_id": hand_off.step_down_id,
    }
