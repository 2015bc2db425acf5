"""What aftercare may do with a hand-off, and what a day's end does to it, as pure functions."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from aftercare import commands
from aftercare.facts import VISIT_AHEAD, HandOff, When
from aftercare.rules import follow_up, life, visit
from aftercare.rules.common import Decided
from handrail.events import AdmissionEvent
from handrail.events import aftercare as events
from handrail.receipts import Rejected

__all__ = ["Decided", "HandOff", "When", "decide", "end_day", "move", "start"]


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
        follow_ups=follow_up.planned(command.destination, started_on),
    )
    started = events.StepDownStarted(
        **hand_off.about(),
        **when,
        destination=command.destination,
        receiver=command.receiver,
        first_visit_on=command.first_visit_on,
        see_by=started_on + visit.within(hand_off),
    )
    return hand_off, (started,)


def decide(hand_off: HandOff, command: commands.StepDownCommand, when: When) -> Decided:
    """The hand-off after `command`, and the events that say so. Raises Rejected."""
    return _RULES[type(command)](hand_off, command, when)


def end_day(hand_off: HandOff, day: date, end: datetime) -> tuple[HandOff, list[AdmissionEvent]]:
    """What the end of a local day does: a visit or a return passed, follow-ups fall due."""
    when: When = {"occurred_at": end, "recorded_at": end, "recorded_day": day}
    told: list[AdmissionEvent] = []
    if hand_off.status in VISIT_AHEAD and hand_off.first_visit_on <= day:
        hand_off, missed = visit.pass_by(hand_off, when)
        told += missed
    hand_off, overdue = life.wait(hand_off, day, when)
    hand_off, fell = follow_up.age(hand_off, day, when)
    return hand_off, [*told, *overdue, *fell]


def move(hand_off: HandOff, before: UUID, when: When) -> AdmissionEvent | None:
    """What is told where a merge or its undoing changed whose hand-off it is."""
    about = hand_off.about()
    if about["admission_id"] == before:
        return None
    return events.HandOffMoved(**about, **when, from_admission_id=before, status=hand_off.status)


def _end_follow_up(hand_off: HandOff, command: commands.EndFollowUp, when: When) -> Decided:
    return follow_up.end(hand_off, command.reason, when)


_RULES: dict[type[commands.StepDownCommand], Callable[[HandOff, Any, When], Decided]] = {
    commands.AttemptHandOff: visit.attempt,
    commands.AcceptStepDown: visit.accept,
    commands.PlanFirstVisit: visit.plan,
    commands.KeepFirstVisit: visit.keep,
    commands.MissFirstVisit: visit.miss,
    commands.DeclineStepDown: visit.decline,
    commands.CompleteFollowUp: follow_up.complete,
    commands.AttemptFollowUp: follow_up.attempt,
    commands.EndFollowUp: _end_follow_up,
    commands.Enroll: life.enroll,
    commands.EndEnrollment: life.end_enrollment,
    commands.OptInAlumni: life.opt_in,
    commands.OptOutAlumni: life.opt_out,
    commands.SetPlanItem: life.set_plan_item,
    commands.AskReturn: life.ask_return,
    commands.WithdrawReturn: life.withdraw_return,
    commands.ReturnToCare: life.come_back,
}
