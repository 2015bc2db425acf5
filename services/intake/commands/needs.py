"""Whether this care is enough and safe, and what the person needs to come."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from handrail.events import care
from handrail.events.base import Code
from handrail.events.care import ConstraintKind, Online, Transport
from handrail.receipts import Day
from intake.commands.stay import AdmissionCommand


class AssessEligibility(AdmissionCommand):
    """Answer the three questions; a later answer counts."""

    do: Literal["assess_eligibility"] = "assess_eligibility"
    needs_24h_supervision: bool
    symptoms_stable: bool
    home_safe: bool
    home_supportive: bool


class Constraint(care.Constraint):
    """A stretch of the week in which the person cannot come."""

    model_config = ConfigDict(extra="forbid")

    kind: ConstraintKind


class SetConstraints(AdmissionCommand):
    """All the stretches of the week in which the person cannot come."""

    do: Literal["set_constraints"] = "set_constraints"
    constraints: Annotated[tuple[Constraint, ...], Field(max_length=50)]


class SetAccess(AdmissionCommand):
    """How the person gets to sessions, or takes part online."""

    do: Literal["set_access"] = "set_access"
    transport: Transport
    online: Online
    has_device: bool = True
    has_internet: bool = True


class AcknowledgePolicy(AdmissionCommand):
    """The person has been told what is expected, and has said so."""

    do: Literal["acknowledge_policy"] = "acknowledge_policy"
    policy: Code = Field(description="The policy's version.")
    acknowledged_on: Day
