"""What aftercare can be told; each command is taken once by its source and key."""

from datetime import date
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from pydantic import Field, TypeAdapter

from handrail.events.aftercare import Destination, FollowUpDay
from handrail.events.base import Code, SiteId
from handrail.receipts import Command, Result


class StartStepDown(Command):
    """Hand a person on to the next place; mints the hand-off's identifier."""

    do: Literal["start_step_down"] = "start_step_down"
    admission_id: UUID
    destination: Destination
    receiver: Code = Field(description="Code of the place, such as riverside-outpatient.")
    first_visit_on: date


class StepDownCommand(Command):
    """About one hand-off."""

    step_down_id: UUID


class AcceptStepDown(StepDownCommand):
    """The next place takes the person."""

    do: Literal["accept_step_down"] = "accept_step_down"


class KeepFirstVisit(StepDownCommand):
    """The next place has seen the person."""

    do: Literal["keep_first_visit"] = "keep_first_visit"
    visited_on: date


class MissFirstVisit(StepDownCommand):
    """The person did not come to the first visit."""

    do: Literal["miss_first_visit"] = "miss_first_visit"


class CompleteFollowUp(StepDownCommand):
    """The person was followed up."""

    do: Literal["complete_follow_up"] = "complete_follow_up"
    follow_up_day: FollowUpDay


class ReturnToCare(StepDownCommand):
    """The person comes back into more intensive care."""

    do: Literal["return_to_care"] = "return_to_care"


class CloseDay(Command):
    """All of this day is sent; only for sites on replay time."""

    do: Literal["close_day"] = "close_day"
    site_id: SiteId
    day: date


AnyCommand: TypeAlias = Annotated[
    StartStepDown
    | AcceptStepDown
    | KeepFirstVisit
    | MissFirstVisit
    | CompleteFollowUp
    | ReturnToCare
    | CloseDay,
    Field(discriminator="do"),
]
COMMANDS: TypeAdapter[list[AnyCommand]] = TypeAdapter(
    Annotated[list[AnyCommand], Field(max_length=2000)]
)
RESULTS: TypeAdapter[list[Result]] = TypeAdapter(list[Result])
