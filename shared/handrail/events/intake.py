"""What intake publishes: from referral to discharge, with the plan and the level of care."""

from datetime import date
from typing import Annotated, Literal, get_args
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from handrail.events.base import AdmissionEvent, Clock, Code, DayClosed, SessionType, event

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
WaivedFor = Literal["assessed_elsewhere", "urgent", "returning"]
WaitReason = Literal["no_place", "no_fitting_track", "insurance", "transport", "other"]
DeclinedBy = Literal["person", "programme"]
DeclineReason = Literal["not_ready", "not_eligible", "cost", "schedule", "elsewhere", "other"]
ErasureReason = Literal["asked_for", "retention_over", "court_order", "recorded_by_mistake"]
AttemptChannel = Literal["phone", "text", "in_person", "video", "letter", "email"]
AttemptOutcome = Literal["reached", "not_reached", "left_neutral_message", "bad_number"]
WeeklyMinutes = Annotated[int, Field(ge=0, le=7 * 24 * 60)]


class Part(BaseModel):
    """Something inside an event: codes, times and numbers only."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Dose(Part):
    """What is prescribed of one type of session in a week."""

    session_type: SessionType
    sessions: Annotated[int, Field(ge=1, le=14)]
    minutes: Annotated[int, Field(ge=1, le=1440, description="Of each session.")]


@event("intake.referral_received.v1")
class ReferralReceived(AdmissionEvent):
    """Someone asked for this person to be considered; the admission's key is minted here."""

    patient_id: UUID = Field(description="Random; links the admissions of one person.")
    time_zone: str = Field(pattern=r"^[A-Za-z0-9_+/-]{1,64}$", description="IANA zone of the site.")
    clock: Clock = Field(description="`replay` where recorded history is played.")
    source: Code = Field(examples=list(get_args(ReferralSource)))


@event("intake.first_session_kept.v1")
class FirstSessionKept(AdmissionEvent):
    """The person has been seen for the first time; said again where a correction moves it."""

    session_id: UUID
    first_session_on: date
    hours: Annotated[float, Field(ge=0, description="Since the referral.")]
    in_time: bool = Field(description="Within 48 hours.")


@event("intake.first_session_undone.v1")
class FirstSessionUndone(AdmissionEvent):
    """A correction took the first session back, and there is no other."""

    session_id: UUID


@event("intake.referral_went_cold.v1")
class ReferralWentCold(AdmissionEvent):
    """The clock ran out and the person has not been seen: most loss happens here."""

    due_at: AwareDatetime
    hours: Annotated[int, Field(ge=1, description="That the clock had.")]


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
    age_group: Code | None = Field(default=None, examples=["adult", "adolescent"])
    focus: Code | None = Field(default=None, examples=["substance_use", "mental_health"])
    eligibility_waived_for: Code | None = Field(
        default=None,
        description="Why the person was admitted before eligibility was assessed.",
        examples=list(get_args(WaivedFor)),
    )


@event("intake.intake_lost.v1")
class IntakeLost(AdmissionEvent):
    """The referral ended without an admission."""

    reason: Code = Field(examples=list(get_args(LostReason)))


@event("intake.waitlisted.v1")
class Waitlisted(AdmissionEvent):
    """Eligible or likely so, and no place yet."""

    program_id: Code
    track: Code = Field(default="none", examples=list(get_args(Track)))
    reason: Code = Field(examples=list(get_args(WaitReason)))
    urgent: bool = False


@event("intake.intake_declined.v1")
class IntakeDeclined(AdmissionEvent):
    """The person or the programme said no before an admission."""

    by: DeclinedBy
    reason: Code = Field(examples=list(get_args(DeclineReason)))
    referred_to: Code | None = Field(default=None, description="The place or level named instead.")


@event("intake.transferred.v1")
class Transferred(AdmissionEvent):
    """The admission goes on in another programme or track of the site."""

    from_program_id: Code
    program_id: Code
    track: Code = Field(default="none", examples=list(get_args(Track)))


@event("intake.plan_changed.v1")
class PlanChanged(AdmissionEvent):
    """A new prescribed dose."""

    weekly_minutes: WeeklyMinutes
    sessions_per_week: Annotated[int, Field(ge=0, le=14)]
    doses: tuple[Dose, ...] | None = Field(default=None, description="The dose by session type.")
    goals: tuple[Code, ...] | None = Field(default=None, examples=[["stay_in_treatment"]])
    review_on: date | None = None


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
    receiver: Code | None = Field(default=None, description="Who goes on, after a transfer.")
    supervisor_id: UUID | None = Field(
        default=None, description="Who stood for it, where the facility ended it."
    )
    attempts: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Logged attempts to keep the person before the facility ended it."
    )


@event("intake.discharge_undone.v1")
class DischargeUndone(AdmissionEvent):
    """The end was recorded by mistake: the admission is what it was before."""

    status: Code = Field(examples=["admitted", "on_hold"])
    reason: Code | None = Field(default=None, description="Of its hold.")


@event("intake.intake_step_overdue.v1")
class IntakeStepOverdue(AdmissionEvent):
    """The person is in care, and a step of intake has still not been taken."""

    step: Code = Field(examples=["eligibility", "attendance_policy"])
    due_on: date


@event("intake.admission_undone.v1")
class AdmissionUndone(AdmissionEvent):
    """The person was not admitted after all: it is a referral again."""


@event("intake.attempt_logged.v1")
class AttemptLogged(AdmissionEvent):
    """Staff tried to reach the person, so that an end by the facility is the last resort."""

    channel: Code = Field(examples=list(get_args(AttemptChannel)))
    outcome: Code = Field(examples=list(get_args(AttemptOutcome)))
    attempted_on: date


@event("intake.admissions_merged.v1")
class AdmissionsMerged(AdmissionEvent):
    """One person was recorded twice: told in both streams. The duplicate takes nothing more."""

    survivor_id: UUID
    duplicate_id: UUID
    last_seen_on: date | None = Field(
        default=None, description="When the person was last seen under the duplicate."
    )


@event("intake.admissions_unmerged.v1")
class AdmissionsUnmerged(AdmissionEvent):
    """They were two people after all: told in both streams. The duplicate is what it was."""

    survivor_id: UUID
    duplicate_id: UUID
    status: Code = Field(description="Of the duplicate, as before the merge.")
    reason: Code | None = Field(default=None, description="Of its hold or end.")
    ended_on: date | None = None


@event("intake.person_erased.v1")
class PersonErased(AdmissionEvent):
    """The person's personal fields are gone for good, here and at whoever hears this."""

    reason: Code = Field(examples=[*get_args(ErasureReason), "restored_backup"])


@event("intake.day_closed.v1")
class IntakeDayClosed(DayClosed):
    """Intake has published all it recorded up to the end of this day."""
