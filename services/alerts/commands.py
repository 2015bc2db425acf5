"""What the care team can tell alerts; each command is taken once by its source and key."""

from datetime import date
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from alerts.policy import Policy
from handrail.events.alerts import Outcome, Role, SnoozeReason
from handrail.events.attendance import Channel
from handrail.events.base import Code
from handrail.receipts import Command


class Acknowledge(Command):
    """I have seen it and take it on."""

    do: Literal["acknowledge"] = "acknowledge"
    concern_id: UUID


class Assign(Command):
    """Give the work to a role, or to one of its members."""

    do: Literal["assign"] = "assign"
    concern_id: UUID
    role: Role
    member: Code | None = None


class Snooze(Command):
    """Put the work off, with a reason and an end; safety is never put off."""

    do: Literal["snooze"] = "snooze"
    concern_id: UUID
    reason: SnoozeReason
    until: AwareDatetime


class RecordOutreach(Command):
    """An attempt to reach the person; its outcome sets the next step."""

    do: Literal["record_outreach"] = "record_outreach"
    concern_id: UUID
    channel: Channel
    outcome: Outcome
    party: Literal["person", "support"] = Field(
        default="person", description="Whom it tried; a support only with the person's consent."
    )


class UndoOutreach(Command):
    """An attempt was recorded by mistake: it counts nowhere any more."""

    do: Literal["undo_outreach"] = "undo_outreach"
    concern_id: UUID
    outreach_id: UUID


class Resolve(Command):
    """Close a concern by evidence: a documented decline, or all that was agreed was tried."""

    do: Literal["resolve"] = "resolve"
    concern_id: UUID
    ending: Literal["declined_documented", "exhausted"]


class NewPolicy(BaseModel):
    """What shall hold at a site from a local day on."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    begins_on: date
    policy: Policy


AnyCommand: TypeAlias = Annotated[
    Acknowledge | Assign | Snooze | RecordOutreach | UndoOutreach | Resolve,
    Field(discriminator="do"),
]
COMMANDS: TypeAdapter[list[AnyCommand]] = TypeAdapter(
    Annotated[list[AnyCommand], Field(max_length=200)]
)
