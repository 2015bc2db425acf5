"""What intake publishes of the care agreed: plan, team and the programmes there are."""

from datetime import date
from typing import Annotated, Literal, get_args
from uuid import UUID

from pydantic import Field

from handrail.events.base import AdmissionEvent, Code, Mode, SessionType, SiteEvent, event
from handrail.events.intake import Instrument, Part, Track, WeeklyMinutes

CareRole = Literal[
    "primary_clinician", "case_manager", "supervisor", "medical_director", "peer", "on_call"
]
AgeGroup = Literal["adult", "adolescent"]
Focus = Literal["substance_use", "mental_health", "co_occurring"]
GoalState = Literal["open", "met", "dropped"]
TimeOfDay = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["18:00"])]
Relation = Literal["partner", "parent", "child", "sibling", "friend", "sponsor", "other"]
ConstraintKind = Literal["childcare", "school", "work", "court", "other"]
Transport = Literal["own", "public", "needs_ride", "none"]
Online = Literal["not_needed", "preferred", "required"]
EligibilityReason = Literal[
    "needs_24h_supervision", "symptoms_not_stable", "home_not_safe", "home_not_supportive"
]
ReferTo = Literal["inpatient", "residential", "partial_hospital", "recovery_residence"]
RecipientClass = Literal[
    "treating_provider",
    "hospital",
    "primary_care",
    "receiving_program",
    "payer",
    "support",
    "court",
]
Purpose = Literal["treatment", "payment", "operations", "tpo", "support", "legal"]
Signer = Literal["person", "guardian"]
DataClass = Literal[
    "status", "level_of_care", "attendance", "dose", "miss_reasons", "measures", "screens", "risk"
]
Weekday = Annotated[int, Field(ge=1, le=7, description="ISO: 1 is Monday.")]


class Window(Part):
    """A stretch of local time that comes every week."""

    weekday: Weekday
    starts: TimeOfDay
    ends: TimeOfDay


class Constraint(Window):
    """A stretch of the week in which the person cannot come."""

    kind: Code = Field(examples=list(get_args(ConstraintKind)))


@event("intake.eligibility_assessed.v1")
class EligibilityAssessed(AdmissionEvent):
    """Whether intensive outpatient care is enough and safe; where to refer up if not."""

    needs_24h_supervision: bool
    symptoms_stable: bool
    home_safe: bool
    home_supportive: bool
    eligible: bool
    reasons: tuple[Code, ...] = Field(examples=[list(get_args(EligibilityReason))])
    refer_to: Code | None = Field(default=None, examples=list(get_args(ReferTo)))


@event("intake.schedule_constraints_changed.v1")
class ScheduleConstraintsChanged(AdmissionEvent):
    """When the person cannot come: children, school, work."""

    constraints: tuple[Constraint, ...]


@event("intake.access_needs_changed.v1")
class AccessNeedsChanged(AdmissionEvent):
    """How the person gets to sessions, or takes part online."""

    transport: Code = Field(examples=list(get_args(Transport)))
    online: Code = Field(examples=list(get_args(Online)))
    has_device: bool
    has_internet: bool


@event("intake.attendance_policy_acknowledged.v1")
class AttendancePolicyAcknowledged(AdmissionEvent):
    """The person has been told what is expected, and has said so."""

    policy: Code = Field(description="The policy's version.")
    acknowledged_on: date


@event("intake.goal_marked.v1")
class GoalMarked(AdmissionEvent):
    """A goal of the plan was met, dropped or opened again."""

    goal: Code
    state: Code = Field(examples=list(get_args(GoalState)))


@event("intake.plan_reviewed.v1")
class PlanReviewed(AdmissionEvent):
    """The plan was looked at together; the next review has a date."""

    reviewed_on: date
    review_on: date


@event("intake.recertified.v1")
class Recertified(AdmissionEvent):
    """A physician certified again that this level of care is needed."""

    certified_on: date
    recertify_by: date
    certifier_id: UUID
    days_late: Annotated[int, Field(ge=0)] = 0


@event("intake.care_team_member_assigned.v1")
class CareTeamMemberAssigned(AdmissionEvent):
    """Someone holds a role for this person, or covers it for a while."""

    role: Code = Field(examples=list(get_args(CareRole)))
    staff_id: UUID = Field(description="Opaque.")
    from_on: date
    until_on: date | None = Field(default=None, description="Last day of a cover.")
    covers: UUID | None = Field(default=None, description="Whose role is covered.")


@event("intake.care_team_member_released.v1")
class CareTeamMemberReleased(AdmissionEvent):
    """Someone no longer holds or covers a role for this person."""

    role: Code = Field(examples=list(get_args(CareRole)))
    staff_id: UUID
    released_on: date


@event("intake.program_listed.v1")
class ProgramListed(SiteEvent):
    """A programme of the site, as anyone may read of it."""

    program_id: Code
    focus: Focus
    age_group: AgeGroup
    instrument: Instrument
    edition: Code
    level_of_care: Code
    track: Code = Field(default="none", examples=list(get_args(Track)))
    weekly_minutes: WeeklyMinutes
    session_types: tuple[SessionType, ...]
    modes: tuple[Mode, ...]
    places: Annotated[int, Field(ge=0, le=10_000)]
    meets: tuple[Window, ...] = ()


@event("intake.program_unlisted.v1")
class ProgramUnlisted(SiteEvent):
    """The programme takes nobody new."""

    program_id: Code


@event("intake.support_named.v1")
class SupportNamed(AdmissionEvent):
    """The person named someone; who that is stays with the site."""

    support_id: UUID = Field(description="Random.")
    relation: Code = Field(examples=list(get_args(Relation)))
    may_contact: bool = Field(description="The support's own consent to be contacted.")
    contactable: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="How many supports may be contacted now."
    )


@event("intake.support_consent_changed.v1")
class SupportConsentChanged(AdmissionEvent):
    """A support gave or took back the consent to be contacted."""

    support_id: UUID
    may_contact: bool
    contactable: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="How many supports may be contacted now."
    )


@event("intake.support_removed.v1")
class SupportRemoved(AdmissionEvent):
    """The person no longer wants this support involved."""

    support_id: UUID
    contactable: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="How many supports may be contacted now."
    )


@event("intake.consent_granted.v1")
class ConsentGranted(AdmissionEvent):
    """The person allows something of these classes to be told to someone (42 CFR 2.31)."""

    consent_id: UUID
    recipient_class: Code = Field(examples=list(get_args(RecipientClass)))
    recipient: Code
    purpose: Code = Field(examples=list(get_args(Purpose)))
    data_classes: tuple[Code, ...] = Field(examples=[list(get_args(DataClass))])
    from_on: date
    until_on: date | None = Field(default=None, description="Last day; empty: until revoked.")
    given_by: tuple[Code, ...] | None = Field(
        default=None, description="Who signed; empty: the person.", examples=[["person"]]
    )


@event("intake.consent_narrowed.v1")
class ConsentNarrowed(AdmissionEvent):
    """From now on less may be told, or for a shorter time; all else of the consent stays."""

    consent_id: UUID
    data_classes: tuple[Code, ...] = Field(examples=[list(get_args(DataClass))])
    until_on: date | None = None


@event("intake.consent_revoked.v1")
class ConsentRevoked(AdmissionEvent):
    """From now on nothing more is told under this consent."""

    consent_id: UUID
