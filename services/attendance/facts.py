"""What attendance knows: admissions, sessions and seats."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TypedDict
from uuid import UUID

from handrail.events.attendance import MissReason
from handrail.events.base import Modality, Mode, SeatStatus, SessionType


@dataclass(frozen=True, slots=True)
class Admission:
    """One admission, as far as intake's events tell; the last hold is remembered."""

    admission_id: UUID
    site_id: str
    status: str = "referred"
    admitted_on: date | None = None
    ended_on: date | None = None
    held_from: date | None = None
    held_until: date | None = None
    weekly_minutes: int | None = None
    program_id: str | None = None
    erased_at: datetime | None = None

    def is_held_on(self, day: date) -> bool:
        """Whether an absence on this day was expected."""
        if self.held_from is None or day < self.held_from:
            return False
        return self.held_until is None or day < self.held_until


@dataclass(frozen=True, slots=True)
class Session:
    """One session; `planned_on` is empty for a visit nobody planned."""

    session_id: UUID
    site_id: str
    source: str
    session_key: str
    session_type: SessionType
    modality: Modality
    mode: Mode
    held_on: date
    planned_on: date | None
    starts_at: datetime | None
    planned_minutes: int
    program_id: str | None = None
    track: str | None = None
    is_cancelled: bool = False
    series_key: str | None = None
    topic: str | None = None


@dataclass(frozen=True, slots=True)
class Seat:
    """One person in one session (FHIR Appointment)."""

    session_id: UUID
    admission_id: UUID
    status: SeatStatus
    minutes: int
    minutes_late: int
    left_early: bool
    mode: Mode
    attended_on: date | None
    reason: MissReason | None
    recorded_at: datetime | None
    version: int = 1
    made_up_in: UUID | None = None
    moved_to: UUID | None = None
    guests: int = 0
    joined_at: datetime | None = None
    left_at: datetime | None = None


class When(TypedDict):
    """The three times of an event."""

    occurred_at: datetime
    recorded_at: datetime
    recorded_day: date


@dataclass(frozen=True, slots=True)
class Chair:
    """One person at one session, with the seat there is, at the moment of a command."""

    session: Session
    admission: Admission
    seat: Seat | None
    when: When


@dataclass(frozen=True, slots=True)
class Said:
    """What a sender says became of a seat."""

    status: SeatStatus
    attended_on: date | None = None
    minutes: int = 0
    minutes_late: int = 0
    left_early: bool = False
    mode: Mode = "in_person"
    reason: MissReason = "unknown"
    guests: int = 0
    joined_at: datetime | None = None
    left_at: datetime | None = None
