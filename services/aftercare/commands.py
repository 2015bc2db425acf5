"""What aftercare can be told; each command is taken once by its source and key."""

from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from pydantic import Field, TypeAdapter

from handrail.events.aftercare import (
    AskedBy,
    Channel,
    DeclinedBy,
    DeclineReason,
    Destination,
    EnrollmentKind,
    FollowUpDay,
    FollowUpEnd,
    HandOffOutcome,
    NotReached,
    PlanKind,
    PlanState,
)
from handrail.events.base import Code, SiteId
from handrail.receipts import Command, Day, Result


class StartStepDown(Command):
    """Hand a person on to the next place, down or up; mints the hand-off's identifier."""

    do: Literal["start_step_down"] = "start_step_down"
    admission_id: UUID
    destination: Destination
    receiver: Code = Field(description="Code of the place, such as riverside-outpatient.")
    first_visit_on: Day


class StepDownCommand(Command):
    """About one hand-off."""

    step_down_id: UUID


class AttemptHandOff(StepDownCommand):
    """Staff tried to hand the person on; `warm` when both teams spoke together with them."""

    do: Literal["attempt_hand_off"] = "attempt_hand_off"
    channel: Channel
    outcome: HandOffOutcome
    attempted_on: Day


class AcceptStepDown(StepDownCommand):
    """The next place takes the person."""

    do: Literal["accept_step_down"] = "accept_step_down"


class PlanFirstVisit(StepDownCommand):
    """The first visit gets another day."""

    do: Literal["plan_first_visit"] = "plan_first_visit"
    first_visit_on: Day


class KeepFirstVisit(StepDownCommand):
    """The next place has seen the person."""

    do: Literal["keep_first_visit"] = "keep_first_visit"
    visited_on: Day


class MissFirstVisit(StepDownCommand):
    """The person did not come to the first visit."""

    do: Literal["miss_first_visit"] = "miss_first_visit"


class DeclineStepDown(StepDownCommand):
    """The person or the next place says no."""

    do: Literal["decline_step_down"] = "decline_step_down"
    by: DeclinedBy
    reason: DeclineReason
    declined_on: Day


class CompleteFollowUp(StepDownCommand):
    """The person was followed up."""

    do: Literal["complete_follow_up"] = "complete_follow_up"
    follow_up_day: FollowUpDay


class AttemptFollowUp(StepDownCommand):
    """The person was not reached."""

    do: Literal["attempt_follow_up"] = "attempt_follow_up"
    follow_up_day: FollowUpDay
    channel: Channel
    outcome: NotReached
    attempted_on: Day


class EndFollowUp(StepDownCommand):
    """No more follow-ups are to be made."""

    do: Literal["end_follow_up"] = "end_follow_up"
    reason: FollowUpEnd


class EnrollmentCommand(StepDownCommand):
    """About one thing the person takes part in."""

    kind: EnrollmentKind
    place: Code


class Enroll(EnrollmentCommand):
    """The person takes part."""

    do: Literal["enroll"] = "enroll"
    enrolled_on: Day


class EndEnrollment(EnrollmentCommand):
    """The person takes part no more."""

    do: Literal["end_enrollment"] = "end_enrollment"
    ended_on: Day


class OptInAlumni(StepDownCommand):
    """The person wants to hear from the alumni."""

    do: Literal["opt_in_alumni"] = "opt_in_alumni"
    opted_in_on: Day


class OptOutAlumni(StepDownCommand):
    """The person wants it no more."""

    do: Literal["opt_out_alumni"] = "opt_out_alumni"
    opted_out_on: Day


class SetPlanItem(StepDownCommand):
    """An item of the relapse-prevention plan, by the site's own code; never its words."""

    do: Literal["set_plan_item"] = "set_plan_item"
    item: Code
    kind: PlanKind
    state: PlanState = "open"


class AskReturn(StepDownCommand):
    """The person needs more care again."""

    do: Literal["ask_return"] = "ask_return"
    asked_on: Day
    asked_by: AskedBy


class WithdrawReturn(StepDownCommand):
    """The return is not wanted any more."""

    do: Literal["withdraw_return"] = "withdraw_return"
    withdrawn_on: Day


class ReturnToCare(StepDownCommand):
    """The person is back in more intensive care."""

    do: Literal["return_to_care"] = "return_to_care"
    returned_on: Day | None = Field(default=None, description="Today where left out.")
    readmitted_as: UUID | None = Field(default=None, description="The new admission.")


class CloseDay(Command):
    """All of this day is sent; only for sites on replay time."""

    do: Literal["close_day"] = "close_day"
    site_id: SiteId
    day: Day


AnyCommand: TypeAlias = Annotated[
    StartStepDown
    | AttemptHandOff
    | AcceptStepDown
    | PlanFirstVisit
    | KeepFirstVisit
    | MissFirstVisit
    | DeclineStepDown
    | CompleteFollowUp
    | AttemptFollowUp
    | EndFollowUp
    | Enroll
    | EndEnrollment
    | OptInAlumni
    | OptOutAlumni
    | SetPlanItem
    | AskReturn
    | WithdrawReturn
    | ReturnToCare
    | CloseDay,
    Field(discriminator="do"),
]
COMMANDS: TypeAdapter[list[AnyCommand]] = TypeAdapter(
    Annotated[list[AnyCommand], Field(max_length=2000)]
)
RESULTS: TypeAdapter[list[Result]] = TypeAdapter(list[Result])
