"""What aftercare publishes: the hand-off to the next place, and the follow-up after it."""

from datetime import date
from typing import Annotated, Literal, get_args
from uuid import UUID

from pydantic import Field

from handrail.events.base import AdmissionEvent, Code, DayClosed, event

Destination = Literal["outpatient", "therapy", "alumni", "community", "step_up", "other"]
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


@event("aftercare.step_down_accepted.v1")
class StepDownAccepted(HandOffEvent):
    """The next place has taken the hand-off."""


@event("aftercare.first_visit_kept.v1")
class FirstVisitKept(HandOffEvent):
    """The next place has seen the person: the hand-off is closed by evidence."""

    visited_on: date


@event("aftercare.first_visit_missed.v1")
class FirstVisitMissed(HandOffEvent):
    """The planned first visit passed and the person was not seen."""

    planned_on: date


@event("aftercare.follow_up_due.v1")
class FollowUpDue(HandOffEvent):
    """A follow-up at 7, 14, 30 or 90 days may now be done."""

    follow_up_day: FollowUpDay
    due_on: date


@event("aftercare.follow_up_completed.v1")
class FollowUpCompleted(HandOffEvent):
    """The person was followed up."""

    follow_up_day: FollowUpDay


@event("aftercare.follow_up_overdue.v1")
class FollowUpOverdue(HandOffEvent):
    """The day of the follow-up passed without it."""

    follow_up_day: FollowUpDay
    due_on: date


@event("aftercare.returned_to_care.v1")
class ReturnedToCare(HandOffEvent):
    """The person came back into more intensive care."""


@event("aftercare.day_closed.v1")
class AftercareDayClosed(DayClosed):
    """Aftercare has published all it recorded up to the end of this day."""
