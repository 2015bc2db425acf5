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
Weekday = Annotated[int, Field(ge=1, le=7, description="ISO: 1 is Monday.")]


class Window(Part):
    """A stretch of local time that comes every week."""

    weekday: Weekday
    starts: TimeOfDay
    ends: TimeOfDay


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
