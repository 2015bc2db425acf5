"""What intake publishes: from referral to discharge, with the plan and the level of care."""

from datetime import date
from typing import Annotated, Literal, get_args
from uuid import UUID

from pydantic import Field

from handrail.events.base import AdmissionEvent, Clock, Code, DayClosed, event

ReferralSource = Literal[
    "inpatient", "emergency_department", "self", "primary_care", "court", "other"
]
Instrument = Literal["asam", "locus"]
HoldReason = Literal["leave", "hospital", "jail"]
LostReason = Literal["declined", "not_reached", "referred_elsewhere", "not_eligible"]
# TEDS-D reason for discharge (SAMHSA).
DischargeReason = Literal[
    "completed",
    "dropped_out",
    "terminated_by_facility",
    "transferred",
    "incarcerated",
    "died",
    "other",
]
Track = Literal["day", "evening", "none"]
WeeklyMinutes = Annotated[int, Field(ge=0, le=7 * 24 * 60)]


@event("intake.referral_received.v1")
class ReferralReceived(AdmissionEvent):
    """Someone asked for this person to be considered; the admission's key is minted here."""

    patient_id: UUID = Field(description="Random; links the admissions of one person.")
    time_zone: str = Field(pattern=r"^[A-Za-z0-9_+/-]{1,64}$", description="IANA zone of the site.")
    clock: Clock = Field(description="`replay` where recorded history is played.")
    source: Code = Field(examples=list(get_args(ReferralSource)))


@event("intake.intake_completed.v1")
class IntakeCompleted(AdmissionEvent):
    """The assessment ended in an admission."""

    admitted_on: date
    program_id: Code
    track: Code = Field(default="none", examples=list(get_args(Track)))
    instrument: Instrument
    edition: Code
    level_of_care: Code
    weekly_minutes: WeeklyMinutes = Field(description="Prescribed dose per week.")
    sessions_per_week: Annotated[int, Field(ge=0, le=14)]


@event("intake.intake_lost.v1")
class IntakeLost(AdmissionEvent):
    """The referral ended without an admission."""

    reason: Code = Field(examples=list(get_args(LostReason)))


@event("intake.plan_changed.v1")
class PlanChanged(AdmissionEvent):
    """A new prescribed dose."""

    weekly_minutes: WeeklyMinutes
    sessions_per_week: Annotated[int, Field(ge=0, le=14)]


@event("intake.level_of_care_changed.v1")
class LevelOfCareChanged(AdmissionEvent):
    """A step within the programme, rated by an instrument of a named edition."""

    instrument: Instrument
    edition: Code
    level_of_care: Code


@event("intake.put_on_hold.v1")
class PutOnHold(AdmissionEvent):
    """A planned or forced pause: absences are expected until it ends."""

    reason: Code = Field(examples=list(get_args(HoldReason)))


@event("intake.resumed.v1")
class Resumed(AdmissionEvent):
    """The pause is over."""


@event("intake.discharged.v1")
class Discharged(AdmissionEvent):
    """The admission ended."""

    reason: DischargeReason
    discharged_on: date


@event("intake.day_closed.v1")
class IntakeDayClosed(DayClosed):
    """Intake has published all it recorded up to the end of this day."""
