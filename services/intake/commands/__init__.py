"""What intake can be told; each command is taken once by its source and key."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from handrail.events.base import SiteId
from handrail.receipts import Command, Day
from intake.commands.catalogue import ListProgram, ProgramCommand, UnlistProgram
from intake.commands.consent import (
    ChangeSupportConsent,
    GrantConsent,
    NameSupport,
    NarrowConsent,
    RemoveSupport,
    RevokeConsent,
)
from intake.commands.merge import MergeAdmissions, PairCommand, UnmergeAdmissions
from intake.commands.needs import (
    AcknowledgePolicy,
    AssessEligibility,
    SetAccess,
    SetConstraints,
)
from intake.commands.plan import ChangePlan, MarkGoal, Recertify, ReviewPlan
from intake.commands.stay import (
    AdmissionCommand,
    ChangeLevelOfCare,
    CompleteIntake,
    DeclineReferral,
    Discharge,
    LogAttempt,
    LoseReferral,
    PutOnHold,
    ReceiveReferral,
    Resume,
    Transfer,
    UndoAdmission,
    UndoDischarge,
    Waitlist,
)
from intake.commands.team import AssignRole, CoverRole, ReleaseRole

__all__ = [
    "COMMANDS",
    "AcknowledgePolicy",
    "AdmissionChange",
    "AdmissionCommand",
    "AnyCommand",
    "AssessEligibility",
    "AssignRole",
    "ChangeLevelOfCare",
    "ChangePlan",
    "ChangeSupportConsent",
    "CloseDay",
    "CompleteIntake",
    "CoverRole",
    "DeclineReferral",
    "Discharge",
    "GrantConsent",
    "ListProgram",
    "LogAttempt",
    "LoseReferral",
    "MarkGoal",
    "MergeAdmissions",
    "NameSupport",
    "NarrowConsent",
    "PairCommand",
    "ProgramCommand",
    "PutOnHold",
    "ReceiveReferral",
    "Recertify",
    "ReleaseRole",
    "RemoveSupport",
    "Resume",
    "ReviewPlan",
    "RevokeConsent",
    "SetAccess",
    "SetConstraints",
    "Transfer",
    "UndoAdmission",
    "UndoDischarge",
    "UnlistProgram",
    "UnmergeAdmissions",
    "Waitlist",
]


class CloseDay(Command):
    """All of this day is sent; only for sites on replay time."""

    do: Literal["close_day"] = "close_day"
    site_id: SiteId
    day: Day


AdmissionChange: TypeAlias = (
    ReceiveReferral
    | Waitlist
    | CompleteIntake
    | LoseReferral
    | DeclineReferral
    | AssessEligibility
    | SetConstraints
    | SetAccess
    | AcknowledgePolicy
    | NameSupport
    | ChangeSupportConsent
    | RemoveSupport
    | GrantConsent
    | NarrowConsent
    | RevokeConsent
    | ChangePlan
    | MarkGoal
    | ReviewPlan
    | Recertify
    | ChangeLevelOfCare
    | Transfer
    | AssignRole
    | CoverRole
    | ReleaseRole
    | PutOnHold
    | Resume
    | LogAttempt
    | Discharge
    | UndoDischarge
    | UndoAdmission
    | MergeAdmissions
    | UnmergeAdmissions
)
CatalogueChange: TypeAlias = ListProgram | UnlistProgram
AnyCommand: TypeAlias = Annotated[
    AdmissionChange | CatalogueChange | CloseDay, Field(discriminator="do")
]
COMMANDS: TypeAdapter[list[AnyCommand]] = TypeAdapter(
    Annotated[list[AnyCommand], Field(max_length=2000)]
)
