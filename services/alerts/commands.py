"""What the care team can tell alerts; each command is taken once by its source and key."""

from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from pydantic import Field, TypeAdapter

from handrail.events.alerts import Outcome
from handrail.events.attendance import Channel
from handrail.receipts import Command


class Acknowledge(Command):
    """I have seen it and take it on."""

    do: Literal["acknowledge"] = "acknowledge"
    concern_id: UUID


class RecordOutreach(Command):
    """An attempt to reach the person; its outcome sets the next step."""

    do: Literal["record_outreach"] = "record_outreach"
    concern_id: UUID
    channel: Channel
    outcome: Outcome


class Resolve(Command):
    """Close a concern by evidence: a documented decline, or all that was agreed was tried."""

    do: Literal["resolve"] = "resolve"
    concern_id: UUID
    ending: Literal["declined_documented", "exhausted"]


AnyCommand: TypeAlias = Annotated[Acknowledge | RecordOutreach | Resolve, Field(discriminator="do")]
COMMANDS: TypeAdapter[list[AnyCommand]] = TypeAdapter(
    Annotated[list[AnyCommand], Field(max_length=200)]
)
