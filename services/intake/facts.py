"""What intake knows: admissions with their charts, and programmes."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypedDict
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from handrail.events.base import Mode, SessionType
from handrail.events.care import (
    AgeGroup,
    CareRole,
    Constraint,
    DataClass,
    EligibilityReason,
    Focus,
    GoalState,
    Online,
    Purpose,
    RecipientClass,
    ReferTo,
    Relation,
    Signer,
    Transport,
    Window,
)
from handrail.events.intake import AttemptChannel, AttemptOutcome, Dose, Instrument, Track

OPEN = frozenset({"admitted", "on_hold"})
BEFORE = frozenset({"referred", "waitlisted"})


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Goal(_Entry):
    """A goal of the plan."""

    goal: str
    state: GoalState = "open"


class Member(_Entry):
    """Who holds a role, or covers it for a while."""

    role: CareRole
    staff_id: UUID
    from_on: date
    until_on: date | None = None
    covers: UUID | None = None


class Attempt(_Entry):
    """One attempt to reach the person."""

    channel: AttemptChannel
    outcome: AttemptOutcome
    attempted_on: date


class Eligibility(_Entry):
    """The last answer to whether this care is enough and safe."""

    eligible: bool
    reasons: tuple[EligibilityReason, ...] = ()
    refer_to: ReferTo | None = None


class Access(_Entry):
    """How the person gets to sessions, or takes part online."""

    transport: Transport
    online: Online
    has_device: bool
    has_internet: bool


class Support(_Entry):
    """Someone the person named; names and numbers are kept as contacts, sealed."""

    support_id: UUID
    relation: Relation
    may_contact: bool


class Consent(_Entry):
    """What may be told to whom, for what, and until when."""

    consent_id: UUID
    recipient_class: RecipientClass
    recipient: str
    purpose: Purpose
    data_classes: tuple[DataClass, ...]
    from_on: date
    until_on: date | None = None
    revoked_at: datetime | None = None
    given_by: tuple[Signer, ...] = ("person",)


class Chart(_Entry):
    """What has been agreed and tried with one person, in lists that stay short."""

    eligibility: Eligibility | None = None
    constraints: tuple[Constraint, ...] = ()
    access: Access | None = None
    policy: str | None = None
    supports: tuple[Support, ...] = ()
    consents: tuple[Consent, ...] = ()

    doses: tuple[Dose, ...] = ()
    goals: tuple[Goal, ...] = ()
    team: tuple[Member, ...] = ()
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Admission:
    """One admission as intake knows it (FHIR EpisodeOfCare)."""

    admission_id: UUID
    patient_id: UUID
    site_id: str
    status: str
    referral_source: str
    referred_at: datetime
    admitted_on: date | None = None
    program_id: str | None = None
    track: str | None = None
    instrument: str | None = None
    edition: str | None = None
    level_of_care: str | None = None
    weekly_minutes: int | None = None
    sessions_per_week: int | None = None
    hold_reason: str | None = None
    ended_on: date | None = None
    ended_for: str | None = None
    waitlisted_at: datetime | None = None
    is_urgent: bool = False
    review_on: date | None = None
    recertify_by: date | None = None
    age_group: AgeGroup = "adult"
    focus: Focus | None = None
    is_eligible: bool | None = None
    policy_on: date | None = None
    merged_into: UUID | None = None
    status_before: str | None = None
    chart: Chart = field(default_factory=Chart)

    def row(self) -> dict[str, Any]:
        """The columns of its row."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Program:
    """A programme of a site, without anything about a person."""

    site_id: str
    program_id: str
    focus: Focus
    age_group: AgeGroup
    instrument: Instrument
    edition: str
    level_of_care: str
    track: Track
    weekly_minutes: int
    session_types: tuple[SessionType, ...]
    modes: tuple[Mode, ...]
    places: int
    meets: tuple[Window, ...] = ()


class About(TypedDict):
    """What every event about an admission carries."""

    site_id: str
    admission_id: UUID
    occurred_at: datetime
    recorded_at: datetime
    recorded_day: date


@dataclass(frozen=True, slots=True)
class Matter:
    """An admission at the moment of a command.

    `is_played` where recorded history is told: what was done is then taken as it was.
    """

    admission: Admission
    occurred_at: datetime
    recorded_at: datetime
    recorded_day: date
    is_played: bool = False

    def about(self) -> About:
        """What an event of this moment carries."""
        return {
            "site_id": self.admission.site_id,
            "admission_id": self.admission.admission_id,
            "occurred_at": self.occurred_at,
            "recorded_at": self.recorded_at,
            "recorded_day": self.recorded_day,
        }
