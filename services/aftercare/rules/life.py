"""Life after the programme: taking part, alumni, the relapse-prevention plan, coming back."""

from dataclasses import replace
from datetime import date, timedelta

from aftercare import commands
from aftercare.facts import (
    IN_AFTERCARE,
    WAITS_FOR_RETURN,
    Enrollment,
    HandOff,
    PlanItem,
    When,
)
from aftercare.rules.common import Decided, chart, require, require_day
from aftercare.rules.follow_up import called_off
from handrail.events import AdmissionEvent
from handrail.events import aftercare as events
from handrail.receipts import Rejected

# As long as a referral has to its first session.
RETURN_WITHIN = timedelta(days=2)


def enroll(hand_off: HandOff, command: commands.Enroll, when: When) -> Decided:
    """The person takes part in something; in the alumni group only after opting in."""
    require(hand_off, IN_AFTERCARE)
    require_day(hand_off, command.enrolled_on, when, "enrolled_on")
    if command.kind == "alumni" and hand_off.alumni_since is None:
        raise Rejected("not_opted_in", "The person has not opted in to the alumni.", "kind")
    if _current(hand_off, command.kind, command.place):
        raise Rejected("enrolled_already", "The person takes part there already.", "place")
    facts = command.model_dump(include={"kind", "place", "enrolled_on"})
    after = chart(hand_off, enrollments=(*hand_off.chart.enrollments, Enrollment(**facts)))
    return after, (events.Enrolled(**hand_off.about(), **when, **facts),)


def end_enrollment(hand_off: HandOff, command: commands.EndEnrollment, when: When) -> Decided:
    """The person takes part no more."""
    require_day(hand_off, command.ended_on, when, "ended_on")
    found = _current(hand_off, command.kind, command.place)
    if found is None:
        raise Rejected("not_enrolled", "The person does not take part there.", "place")
    if command.ended_on < found.enrolled_on:
        raise Rejected("before_enrollment", "It ends after it began.", "ended_on")
    return _ended(hand_off, found, command.ended_on, when)


def opt_in(hand_off: HandOff, command: commands.OptInAlumni, when: When) -> Decided:
    """The person wants to hear from the alumni."""
    require_day(hand_off, command.opted_in_on, when, "opted_in_on")
    if hand_off.alumni_since:
        raise Rejected("opted_in_already", "The person has opted in already.", "step_down_id")
    told = events.AlumniOptedIn(**hand_off.about(), **when, opted_in_on=command.opted_in_on)
    return replace(hand_off, alumni_since=command.opted_in_on), (told,)


def opt_out(hand_off: HandOff, command: commands.OptOutAlumni, when: When) -> Decided:
    """The person wants it no more; what they took part in as alumni ends."""
    if hand_off.alumni_since is None:
        raise Rejected("not_opted_in", "The person has not opted in.", "step_down_id")
    require_day(hand_off, command.opted_out_on, when, "opted_out_on")
    day = command.opted_out_on
    out = events.AlumniOptedOut(**hand_off.about(), **when, opted_out_on=day)
    after, told = replace(hand_off, alumni_since=None), [out]
    more: list[AdmissionEvent] = []
    for enrollment in hand_off.chart.enrollments:
        if enrollment.kind == "alumni" and enrollment.ended_on is None:
            after, ended = _ended(after, enrollment, max(day, enrollment.enrolled_on), when)
            more += ended
    return after, (*told, *more)


def set_plan_item(hand_off: HandOff, command: commands.SetPlanItem, when: When) -> Decided:
    """An item of the relapse-prevention plan is written down, practised or dropped."""
    require(hand_off, IN_AFTERCARE)
    facts = command.model_dump(include={"item", "kind", "state"})
    item = PlanItem(**facts)
    rest = tuple(i for i in hand_off.chart.plan if i.item != item.item)
    after = chart(hand_off, plan=(*rest, item))
    return after, (events.PlanItemSet(**hand_off.about(), **when, **facts),)


def ask_return(hand_off: HandOff, command: commands.AskReturn, when: When) -> Decided:
    """More care is needed again: the clock of the fast return starts."""
    require(hand_off, IN_AFTERCARE)
    require_day(hand_off, command.asked_on, when, "asked_on")
    if hand_off.return_state in WAITS_FOR_RETURN:
        raise Rejected("asked_already", "A return has been asked for.", "step_down_id")
    see_by = command.asked_on + RETURN_WITHIN
    facts = command.model_dump(include={"asked_on", "asked_by"})
    after = replace(
        hand_off, return_state="asked", return_asked_on=command.asked_on, return_due_on=see_by
    )
    return after, (events.ReturnAsked(**hand_off.about(), **when, **facts, see_by=see_by),)


def withdraw_return(hand_off: HandOff, command: commands.WithdrawReturn, when: When) -> Decided:
    """The return is not wanted any more."""
    require_day(hand_off, command.withdrawn_on, when, "withdrawn_on")
    if hand_off.return_state not in WAITS_FOR_RETURN:
        raise Rejected("not_asked", "No return has been asked for.", "step_down_id")
    facts = command.model_dump(include={"withdrawn_on"})
    told = events.ReturnWithdrawn(**hand_off.about(), **when, **facts)
    return replace(hand_off, return_state="withdrawn"), (told,)


def come_back(hand_off: HandOff, command: commands.ReturnToCare, when: When) -> Decided:
    """The person is back in more intensive care; aftercare's calls end."""
    require(hand_off, IN_AFTERCARE)
    day = command.returned_on or when["recorded_day"]
    require_day(hand_off, day, when, "returned_on")
    took = None
    if hand_off.return_state in WAITS_FOR_RETURN and hand_off.return_asked_on:
        took = day - hand_off.return_asked_on
        if took < timedelta():
            raise Rejected("before_asked", "It was asked for later.", "returned_on")
    returned = events.ReturnedToCare(
        **hand_off.about(),
        **when,
        returned_on=day,
        readmitted_as=command.readmitted_as,
        days=None if took is None else took.days,
        in_time=None if took is None else took <= RETURN_WITHIN,
    )
    return replace(called_off(hand_off), status="returned", return_state="returned"), (returned,)


def wait(hand_off: HandOff, day: date, when: When) -> Decided:
    """A return that was asked for and has not come by the end of its day."""
    due_on = hand_off.return_due_on
    if hand_off.return_state != "asked" or due_on is None or due_on > day:
        return hand_off, ()
    overdue = events.ReturnOverdue(**hand_off.about(), **when, see_by=due_on)
    return replace(hand_off, return_state="overdue"), (overdue,)


def _current(hand_off: HandOff, kind: str, place: str) -> Enrollment | None:
    return next(
        (
            e
            for e in hand_off.chart.enrollments
            if (e.kind, e.place, e.ended_on) == (kind, place, None)
        ),
        None,
    )


def _ended(hand_off: HandOff, enrollment: Enrollment, day: date, when: When) -> Decided:
    ended = enrollment.model_copy(update={"ended_on": day})
    rest = tuple(ended if e is enrollment else e for e in hand_off.chart.enrollments)
    facts = enrollment.model_dump(include={"kind", "place"})
    told = events.EnrollmentEnded(**hand_off.about(), **when, **facts, ended_on=day)
    return chart(hand_off, enrollments=rest), (told,)
