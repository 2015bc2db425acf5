"""What aftercare knows: hand-offs with their follow-ups and charts."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypedDict
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from handrail.events.aftercare import Channel, EnrollmentKind, HandOffOutcome, PlanKind, PlanState

FollowUpStatus = Literal["planned", "due", "completed", "overdue", "called_off"]
Status = Literal["started", "accepted", "seen", "missed", "declined", "returned"]
ReturnState = Literal["none", "asked", "overdue", "withdrawn", "returned"]

VISIT_AHEAD = frozenset({"started", "accepted"})
NOT_SEEN = VISIT_AHEAD | {"missed"}
IN_AFTERCARE = NOT_SEEN | {"seen", "declined"}
WAITS_FOR_RETURN = frozenset({"asked", "overdue"})


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Attempt(_Entry):
    """One attempt to hand the person on, or to make a follow-up."""

    channel: Channel
    outcome: HandOffOutcome | Literal["bad_number"]
    attempted_on: date
    follow_up_day: int | None = None


class Enrollment(_Entry):
    """Where the person takes part, and how long."""

    kind: EnrollmentKind
    place: str
    enrolled_on: date
    ended_on: date | None = None


class PlanItem(_Entry):
    """An item of the relapse-prevention plan; its words stay with the site."""

    item: str
    kind: PlanKind
    state: PlanState = "open"


class Chart(_Entry):
    """What has been tried and agreed after the programme, in lists that stay short."""

    attempts: tuple[Attempt, ...] = ()
    enrollments: tuple[Enrollment, ...] = ()
    plan: tuple[PlanItem, ...] = ()


EMPTY = Chart()


@dataclass(frozen=True, slots=True)
class FollowUp:
    """One planned call; `follow_up_day` counts from the step-down."""

    follow_up_day: int
    due_on: date
    status: FollowUpStatus = "planned"


@dataclass(frozen=True, slots=True)
class HandOff:
    """One hand-off to the next place. `survivor_id` is who its person is after a merge."""

    step_down_id: UUID
    admission_id: UUID
    site_id: str
    destination: str
    receiver: str
    started_on: date
    first_visit_on: date
    status: Status = "started"
    visited_on: date | None = None
    warm_on: date | None = None
    declined_by: str | None = None
    declined_reason: str | None = None
    alumni_since: date | None = None
    return_state: ReturnState = "none"
    return_asked_on: date | None = None
    return_due_on: date | None = None
    chart: Chart = EMPTY
    survivor_id: UUID | None = None
    follow_ups: tuple[FollowUp, ...] = ()

    def about(self) -> "About":
        """Whom and what its events are about."""
        return {
            "site_id": self.site_id,
            "admission_id": self.survivor_id or self.admission_id,
            "step_down_id": self.step_down_id,
        }


class About(TypedDict):
    """Whom and what an event is about."""

    site_id: str
    admission_id: UUID
    step_down_id: UUID


class When(TypedDict):
    """The three times of an event."""

    occurred_at: datetime
    recorded_at: datetime
    recorded_day: date
