"""From the referral to the end of the stay."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from handrail.events.base import Clock, Code, SiteId
from handrail.events.care import AgeGroup, Focus
from handrail.events.intake import (
    AttemptChannel,
    AttemptOutcome,
    DeclinedBy,
    DeclineReason,
    DischargeReason,
    HoldReason,
    Instrument,
    LostReason,
    ReferralSource,
    Track,
    WaitReason,
    WaivedFor,
    WeeklyMinutes,
)
from handrail.receipts import Command, Day, SourceKey

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
    admitted_on: Day
    program_id: Code
    track: Track = "none"
    instrument: Instrument = "asam"
    edition: Code = "4"
    level_of_care: Code = "2.1"
    weekly_minutes: WeeklyMinutes
    sessions_per_week: SessionsPerWeek
    age_group: AgeGroup = "adult"
    focus: Focus | None = Field(
        default=None, description="LOCUS may rate only where this is mental_health."
    )
    eligibility_waived_for: WaivedFor | None = Field(
        default=None,
        description="Why eligibility is not assessed yet; it stays on the list of what is missing.",
    )


class LoseReferral(AdmissionCommand):
    """End the referral without an admission."""

    do: Literal["lose_referral"] = "lose_referral"
    reason: LostReason


class Waitlist(AdmissionCommand):
    """Keep a place in the queue of a programme."""

    do: Literal["waitlist"] = "waitlist"
    program_id: Code
    track: Track = "none"
    reason: WaitReason = "no_place"
    urgent: bool = False


class DeclineReferral(AdmissionCommand):
    """The person or the programme says no."""

    do: Literal["decline_referral"] = "decline_referral"
    by: DeclinedBy
    reason: DeclineReason
    referred_to: Code | None = Field(default=None, description="The place or level named instead.")


class ChangeLevelOfCare(AdmissionCommand):
    """Rate another level of care."""

    do: Literal["change_level_of_care"] = "change_level_of_care"
    instrument: Instrument = "asam"
    edition: Code = "4"
    level_of_care: Code
    weekly_minutes: WeeklyMinutes | None = Field(
        default=None, description="Of the new level, where the plan has to change with it."
    )
    sessions_per_week: SessionsPerWeek | None = None


class PutOnHold(AdmissionCommand):
    """Pause: leave, hospital or jail."""

    do: Literal["put_on_hold"] = "put_on_hold"
    reason: HoldReason


class Resume(AdmissionCommand):
    """End the pause."""

    do: Literal["resume"] = "resume"


class UndoDischarge(AdmissionCommand):
    """The end was recorded by mistake."""

    do: Literal["undo_discharge"] = "undo_discharge"


class UndoAdmission(AdmissionCommand):
    """The person was not admitted after all; the referral goes on."""

    do: Literal["undo_admission"] = "undo_admission"


class Transfer(AdmissionCommand):
    """Go on in another programme or track of the site; a move elsewhere is a discharge."""

    do: Literal["transfer"] = "transfer"
    program_id: Code
    track: Track = "none"


class LogAttempt(AdmissionCommand):
    """An attempt to reach the person."""

    do: Literal["log_attempt"] = "log_attempt"
    channel: AttemptChannel
    outcome: AttemptOutcome
    attempted_on: Day


class Discharge(AdmissionCommand):
    """End the admission."""

    do: Literal["discharge"] = "discharge"
    reason: DischargeReason
    discharged_on: Day
    receiver: Code | None = Field(default=None, description="Who goes on, after a transfer.")
    supervisor_id: UUID | None = Field(
        default=None, description="Needed where the facility ends it; of the care team."
    )
