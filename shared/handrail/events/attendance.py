"""What attendance publishes: seats, minutes, corrections, contacts, screens and measures.

Where no rule asks for the value, an event holds an open code with its known values as examples:
a new one needs no new version. What may be sent is closed in the commands.
"""

from datetime import date
from typing import Annotated, Literal, get_args
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from handrail.events.base import (
    AdmissionEvent,
    Code,
    DayClosed,
    Minutes,
    MissKind,
    Modality,
    Mode,
    SeatStatus,
    SessionType,
    SiteEvent,
    event,
)

MissReason = Literal[
    "unknown", "transport", "childcare", "work", "school", "illness", "return_to_use", "other"
]
_LINE = r"(?:DTSTART|RRULE|RDATE|EXDATE)[;:][A-Za-z0-9;:=,/_+-]+"
RuleText = Annotated[str, StringConstraints(max_length=8000, pattern=rf"^{_LINE}(?:\n{_LINE})*$")]
Region = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]
WithdrawReason = Literal["left_series", "left_care", "series_changed", "merged"]
Barrier = Literal[
    "transport",
    "childcare",
    "work",
    "school",
    "illness",
    "money",
    "housing",
    "technology",
    "legal",
    "safety",
    "other",
]
Channel = Literal["phone", "text", "in_person", "video", "letter", "email"]


class SeatEvent(AdmissionEvent):
    """A fact about one seat: one person in one session (FHIR Appointment)."""

    session_id: UUID
    session_type: SessionType
    planned_on: date | None = Field(
        default=None, description="Local day of the plan; empty for a visit nobody planned."
    )


@event("attendance.session_scheduled.v1")
class SessionScheduled(SeatEvent):
    """A seat was planned."""

    planned_minutes: Minutes


@event("attendance.session_attended.v1")
class SessionAttended(SeatEvent):
    """Seen, with minutes: evidence of contact."""

    attended_on: date
    minutes: Minutes
    minutes_late: Minutes = 0
    left_early: bool = False
    mode: Mode = "in_person"
    modality: Code = Field(default="other", examples=list(get_args(Modality)))
    guests: Annotated[int, Field(ge=0)] = Field(
        default=0, description="Of a family session: how many came who are not patients."
    )
    joined_at: AwareDatetime | None = None
    left_at: AwareDatetime | None = None
    topic: Code | None = Field(default=None, description="By the site's own list of topics.")


@event("attendance.session_missed.v1")
class SessionMissed(SeatEvent):
    """Expected and not seen: no-show, or a cancellation with less notice than the policy."""

    kind: MissKind
    reason: Code = Field(default="unknown", examples=list(get_args(MissReason)))
    planned_minutes: Minutes = 0


@event("attendance.session_excused.v1")
class SessionExcused(SeatEvent):
    """An approved absence: no miss, but no dose either."""


@event("attendance.session_cancelled_by_program.v1")
class SessionCancelledByProgram(SeatEvent):
    """The programme did not hold the session; it never counts against the person."""


@event("attendance.attendance_corrected.v1")
class AttendanceCorrected(SeatEvent):
    """What was recorded of this seat was wrong; `now` is true. Consumers undo what followed."""

    was: SeatStatus
    now: SeatStatus
    attended_on: date | None = None
    minutes: Minutes = 0
    minutes_late: Minutes = 0
    guests: Annotated[int, Field(ge=0)] = Field(
        default=0, description="Of a family session: how many came who are not patients."
    )
    joined_at: AwareDatetime | None = None
    left_at: AwareDatetime | None = None


@event("attendance.session_made_up.v1")
class SessionMadeUp(SeatEvent):
    """A miss was made up by another visit: it counts as a miss no more."""

    was: MissKind
    made_up_in: UUID = Field(description="The session that the person attended instead.")
    made_up_on: date
    minutes: Minutes


class SeatMoved(SeatEvent):
    """A planned seat went to another session; a `session_scheduled` of that one follows."""

    to_session_id: UUID
    to_planned_on: date


@event("attendance.session_rescheduled.v1")
class SessionRescheduled(SeatMoved):
    """A planned seat was put at another time; it is no miss."""


@event("attendance.session_swapped.v1")
class SessionSwapped(SeatMoved):
    """A planned seat was swapped to the other track; it is no miss."""


@event("attendance.roster_overdue.v1")
class RosterOverdue(SeatEvent):
    """The session is over and nobody has said what became of this seat. It is not a miss."""

    ended_at: AwareDatetime = Field(description="When the session was planned to end.")


@event("attendance.seat_withdrawn.v1")
class SeatWithdrawn(SeatEvent):
    """A planned seat is not kept: the person left the series or care, or the series changed."""

    reason: Code = Field(examples=list(get_args(WithdrawReason)))


@event("attendance.series_set.v1")
class SeriesSet(SiteEvent):
    """A recurring session of a site was put on the calendar, or its rule was changed."""

    series_key: Code
    track: Code | None = None
    program_id: Code | None = None
    session_type: SessionType
    modality: Code = Field(default="other", examples=list(get_args(Modality)))
    mode: Mode = "in_person"
    planned_minutes: Minutes
    recurrence: RuleText = Field(
        description="RFC 5545: DTSTART, RRULE, RDATE, EXDATE in local time, one a line."
    )
    holidays: Region | None = Field(default=None, description="ISO 3166, as US or US-NJ.")
    topic: Code | None = Field(default=None, description="By the site's own list of topics.")


class SeriesEvent(AdmissionEvent):
    """A fact about one person in a recurring session."""

    series_key: Code
    track: Code | None = None


@event("attendance.series_joined.v1")
class SeriesJoined(SeriesEvent):
    """The person is expected at every session of the series in these days."""

    from_on: date
    until_on: date | None = None


@event("attendance.series_left.v1")
class SeriesLeft(SeriesEvent):
    """The person is expected no more after this day."""

    left_on: date


@event("attendance.contact_recorded.v1")
class ContactRecorded(AdmissionEvent):
    """The person was, or could not be, spoken with outside a session."""

    channel: Code = Field(examples=list(get_args(Channel)))
    reached: bool


class BarrierEvent(AdmissionEvent):
    """A fact about what stands between a person and the sessions."""

    barrier: Code = Field(examples=list(get_args(Barrier)))


@event("attendance.barrier_noted.v1")
class BarrierNoted(BarrierEvent):
    """Something makes it hard for the person to come."""


@event("attendance.barrier_lifted.v1")
class BarrierLifted(BarrierEvent):
    """It does so no more."""


@event("attendance.screen_resulted.v1")
class ScreenResulted(AdmissionEvent):
    """A drug screen came back; `positives` is empty when it was negative."""

    positives: tuple[Code, ...] = Field(default=(), max_length=32)


@event("attendance.measure_scored.v1")
class MeasureScored(AdmissionEvent):
    """An instrument or a check-in was scored; `safety` is set by its published rule."""

    instrument: Code
    score: Annotated[float, Field(allow_inf_nan=False)]
    safety: bool = False


@event("attendance.day_closed.v1")
class AttendanceDayClosed(DayClosed):
    """Attendance has published all it recorded up to the end of this day."""
