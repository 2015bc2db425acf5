"""What aftercare publishes: the hand-off to the next place, and the follow-up after it."""

from datetime import date
from typing import Annotated, Literal, get_args
from uuid import UUID

from pydantic import Field

from handrail.events.base import AdmissionEvent, Code, DayClosed, event

Destination = Literal["outpatient", "therapy", "alumni", "community", "step_up", "other"]
Channel = Literal["phone", "text", "in_person", "video", "letter", "email"]
HandOffOutcome = Literal[
    "warm", "receiver_reached", "person_reached", "not_reached", "left_neutral_message"
]
NotReached = Literal["not_reached", "left_neutral_message", "bad_number"]
DeclinedBy = Literal["person", "receiver"]
DeclineReason = Literal["not_ready", "no_place", "not_eligible", "cost", "distance", "other"]
EnrollmentKind = Literal["therapy", "alumni", "community", "check_up", "resource"]
PlanKind = Literal["trigger", "warning_sign", "coping", "support", "safe_place", "crisis_line"]
PlanState = Literal["open", "practised", "dropped"]
FollowUpEnd = Literal["declined", "moved", "cannot_be_reached", "in_care_elsewhere", "died"]
AskedBy = Literal["person", "support", "staff", "next_place"]
Count = Annotated[int, Field(ge=0)]
FollowUpDay = Annotated[int, Field(ge=1, le=3660, description="Days after the step-down.")]


class HandOffEvent(AdmissionEvent):
    """A fact about one hand-off; it is not over until the next place has seen the person."""

    step_down_id: UUID


@event("aftercare.step_down_started.v1")
class StepDownStarted(HandOffEvent):
    """Treatment steps down; a first visit at the next place is planned."""

    destination: Code = Field(examples=list(get_args(Destination)))
    receiver: Code
    first_visit_on: date
    see_by: date | None = Field(default=None, description="The last day that counts as in time.")


@event("aftercare.step_down_accepted.v1")
class StepDownAccepted(HandOffEvent):
    """The next place has taken the hand-off."""


@event("aftercare.first_visit_kept.v1")
class FirstVisitKept(HandOffEvent):
    """The next place has seen the person: the hand-off is closed by evidence."""

    visited_on: date
    days: Count | None = Field(default=None, description="Since the hand-off began.")
    in_time: bool | None = Field(default=None, description="Within 7 days; 2 after a step-up.")


@event("aftercare.first_visit_missed.v1")
class FirstVisitMissed(HandOffEvent):
    """The planned first visit passed and the person was not seen."""

    planned_on: date


@event("aftercare.follow_up_due.v1")
class FollowUpDue(HandOffEvent):
    """A follow-up or check-up may now be done."""

    follow_up_day: FollowUpDay
    due_on: date


@event("aftercare.follow_up_completed.v1")
class FollowUpCompleted(HandOffEvent):
    """The person was followed up."""

    follow_up_day: FollowUpDay
    attempts: Count | None = Field(default=None, description="Without an answer, before it.")


@event("aftercare.follow_up_overdue.v1")
class FollowUpOverdue(HandOffEvent):
    """The day of the follow-up passed without it."""

    follow_up_day: FollowUpDay
    due_on: date


@event("aftercare.returned_to_care.v1")
class ReturnedToCare(HandOffEvent):
    """The person came back into more intensive care."""

    returned_on: date | None = None
    readmitted_as: UUID | None = Field(default=None, description="The new admission.")
    days: Count | None = Field(default=None, description="Since the return was asked for.")
    in_time: bool | None = Field(default=None, description="Within 2 days of being asked for.")


@event("aftercare.hand_off_attempted.v1")
class HandOffAttempted(HandOffEvent):
    """Staff tried to hand the person on. Warm: both teams spoke together with the person."""

    channel: Code = Field(examples=list(get_args(Channel)))
    outcome: Code = Field(examples=list(get_args(HandOffOutcome)))
    attempted_on: date
    attempts: Count = Field(description="With this one.")


@event("aftercare.first_visit_planned.v1")
class FirstVisitPlanned(HandOffEvent):
    """The first visit has another day."""

    first_visit_on: date
    was: date


@event("aftercare.step_down_declined.v1")
class StepDownDeclined(HandOffEvent):
    """The person or the next place said no."""

    by: Code = Field(examples=list(get_args(DeclinedBy)))
    reason: Code = Field(examples=list(get_args(DeclineReason)))
    declined_on: date


@event("aftercare.hand_off_moved.v1")
class HandOffMoved(HandOffEvent):
    """Two admissions were merged or parted: from now on the hand-off is told of this one."""

    from_admission_id: UUID
    status: Code


@event("aftercare.follow_up_attempted.v1")
class FollowUpAttempted(HandOffEvent):
    """Staff tried to follow up and did not reach the person."""

    follow_up_day: FollowUpDay
    channel: Code = Field(examples=list(get_args(Channel)))
    outcome: Code = Field(examples=list(get_args(NotReached)))
    attempted_on: date
    attempts: Count = Field(description="With this one.")


@event("aftercare.follow_up_ended.v1")
class FollowUpEnded(HandOffEvent):
    """No more follow-ups are made."""

    reason: Code = Field(examples=list(get_args(FollowUpEnd)))


@event("aftercare.enrolled.v1")
class Enrolled(HandOffEvent):
    """The person takes part: therapy, alumni group, community group, check-ups, a resource."""

    kind: Code = Field(examples=list(get_args(EnrollmentKind)))
    place: Code
    enrolled_on: date


@event("aftercare.enrollment_ended.v1")
class EnrollmentEnded(HandOffEvent):
    """The person takes part no more."""

    kind: Code = Field(examples=list(get_args(EnrollmentKind)))
    place: Code
    ended_on: date


@event("aftercare.alumni_opted_in.v1")
class AlumniOptedIn(HandOffEvent):
    """The person wants to hear from the alumni."""

    opted_in_on: date


@event("aftercare.alumni_opted_out.v1")
class AlumniOptedOut(HandOffEvent):
    """The person no longer wants to hear from the alumni."""

    opted_out_on: date


@event("aftercare.plan_item_set.v1")
class PlanItemSet(HandOffEvent):
    """An item of the relapse-prevention plan, and where it stands; its words stay elsewhere."""

    item: Code
    kind: Code = Field(examples=list(get_args(PlanKind)))
    state: Code = Field(examples=list(get_args(PlanState)))


@event("aftercare.return_asked.v1")
class ReturnAsked(HandOffEvent):
    """The person needs more care again: a place is to be found within 2 days."""

    asked_on: date
    asked_by: Code = Field(examples=list(get_args(AskedBy)))
    see_by: date


@event("aftercare.return_overdue.v1")
class ReturnOverdue(HandOffEvent):
    """The day by which the person was to be back passed without it."""

    see_by: date


@event("aftercare.return_withdrawn.v1")
class ReturnWithdrawn(HandOffEvent):
    """The return is not wanted any more."""

    withdrawn_on: date


@event("aftercare.day_closed.v1")
class AftercareDayClosed(DayClosed):
    """Aftercare has published all it recorded up to the end of this day."""
