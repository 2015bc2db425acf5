"""What intake can be told; each command is taken once by its source and key."""

from datetime import date
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from pydantic import Field, TypeAdapter

from handrail.events.base import Clock, Code, SiteId
from handrail.events.intake import (
    DischargeReason,
    HoldReason,
    Instrument,
    LostReason,
    ReferralSource,
    Track,
    WeeklyMinutes,
)
from handrail.receipts import Command, SourceKey

SessionsPerWeek = Annotated[int, Field(ge=0, le=14)]


class ReceiveReferral(Command):
    """Open a referral; mints the admission's identifier."""

    do: Literal["receive_referral"] = "receive_referral"
    site_id: SiteId
    time_zone: str = Field(description="IANA zone of the site, such as America/New_York.")
    clock: Clock = "wall"
    patient_id: UUID | None = Field(default=None, description="Of an earlier admission, if known.")
    referral_source: ReferralSource = "other"


class AdmissionCommand(Command):
    """About one admission, named by its identifier or by the sender's key of the referral."""

    admission_id: UUID | None = None
    referral_key: SourceKey | None = None


class CompleteIntake(AdmissionCommand):
    """Admit."""

    do: Literal["complete_intake"] = "complete_intake"
    admitted_on: date
    program_id: Code
    track: Track = "none"
    instrument: Instrument = "asam"
    edition: Code = "4"
    level_of_care: Code = "2.1"
    weekly_minutes: WeeklyMinutes
    sessions_per_week: SessionsPerWeek


class LoseReferral(AdmissionCommand):
    """End the referral without an admission."""

    do: Literal["lose_referral"] = "lose_referral"
    reason: LostReason


class ChangePlan(AdmissionCommand):
    """Prescribe another weekly dose."""

    do: Literal["change_plan"] = "change_plan"
    weekly_minutes: WeeklyMinutes
    sessions_per_week: SessionsPerWeek


class ChangeLevelOfCare(AdmissionCommand):
    """Rate another level of care."""

    do: Literal["change_level_of_care"] = "change_level_of_care"
    instrument: Instrument = "asam"
    edition: Code = "4"
    level_of_care: Code


class PutOnHold(AdmissionCommand):
    """Pause: leave, hospital or jail."""

    do: Literal["put_on_hold"] = "put_on_hold"
    reason: HoldReason


class Resume(AdmissionCommand):
    """End the pause."""

    do: Literal["resume"] = "resume"


class Discharge(AdmissionCommand):
    """End the admission."""

    do: Literal["discharge"] = "discharge"
    reason: DischargeReason
    discharged_on: date


class CloseDay(Command):
    """All of this day is sent; only for sites on replay time."""

    do: Literal["close_day"] = "close_day"
    site_id: SiteId
    day: date


AdmissionChange: TypeAlias = (
    ReceiveReferral
    | CompleteIntake
    | LoseReferral
    | ChangePlan
    | ChangeLevelOfCare
    | PutOnHold
    | Resume
    | Discharge
)
AnyCommand: TypeAlias = Annotated[AdmissionChange | CloseDay, Field(discriminator="do")]
COMMANDS: TypeAdapter[list[AnyCommand]] = TypeAdapter(
    Annotated[list[AnyCommand], Field(max_length=2000)]
)
