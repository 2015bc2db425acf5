"""What attendance can be told of seats: who was there, who was not, and what was wrong."""

from datetime import UTC, date, datetime
from typing import Annotated, Literal
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field

from attendance.facts import Said, Session
from handrail.events.attendance import MissReason
from handrail.events.base import (
    Code,
    Minutes,
    MissKind,
    Modality,
    Mode,
    SeatStatus,
    SessionType,
    SiteId,
)
from handrail.receipts import Command, Day, Instant, SourceKey

RosterStatus = Literal[
    "attended", "no_show", "late_cancellation", "excused", "cancelled_by_program"
]


Start = Annotated[Instant, Field(lt=datetime(2200, 1, 1, tzinfo=UTC))]
Guests = Annotated[int, Field(ge=0, le=50)]


class SessionCommand(Command):
    """About one session, named by its identifier or by the sender's key of it."""

    site_id: SiteId | None = Field(default=None, description="Checked where it is given.")
    session_id: UUID | None = None
    session_key: SourceKey | None = None

    def name(self) -> tuple[str, str] | None:
        """The sender's key of the session, within its source."""
        return (self.source, self.session_key) if self.session_key else None


class UnplannedSession(BaseModel):
    """A session that nobody put on the schedule beforehand."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    session_type: SessionType
    modality: Modality = "other"
    planned_on: Day | None = None
    planned_minutes: Minutes = 0
    topic: Code | None = Field(default=None, description="By the site's own list of topics.")


class SeatCommand(SessionCommand):
    """About one person's seat. `session` opens the session where none has that name yet."""

    admission_id: UUID
    session: UnplannedSession | None = None

    def name(self) -> tuple[str, str] | None:
        """The sender's key of the session; the command's own where it opens one."""
        if self.session and not self.session_id:
            return self.source, self.session_key or self.key
        return super().name()

    def said(self) -> Said:
        """What became of the seat."""
        raise NotImplementedError

    def opened(self, site_id: str, known_on: date) -> Session | None:
        """The session that this visit opens, under a new identifier."""
        name = self.name()
        if self.session is None or self.session_id or name is None:
            return None
        return Session(
            session_id=uuid4(),
            site_id=site_id,
            source=name[0],
            session_key=name[1],
            session_type=self.session.session_type,
            modality=self.session.modality,
            mode=self.said().mode,
            held_on=self.session.planned_on or self.said().attended_on or known_on,
            planned_on=self.session.planned_on,
            starts_at=None,
            planned_minutes=self.session.planned_minutes,
            topic=self.session.topic,
        )


class RecordAttended(SeatCommand):
    """The person was there."""

    do: Literal["record_attended"] = "record_attended"
    attended_on: Day
    minutes: Minutes
    minutes_late: Minutes = 0
    left_early: bool = False
    mode: Mode = "in_person"
    guests: Guests = Field(
        default=0, description="Of a family session: how many came who are not patients."
    )
    joined_at: Instant | None = Field(default=None, description="With left_at: the evidence.")
    left_at: Instant | None = None

    def said(self) -> Said:
        """Attended, with minutes."""
        return Said(
            "attended",
            self.attended_on,
            self.minutes,
            self.minutes_late,
            self.left_early,
            self.mode,
            guests=self.guests,
            joined_at=self.joined_at,
            left_at=self.left_at,
        )


class RecordMissed(SeatCommand):
    """The person was expected and did not come."""

    do: Literal["record_missed"] = "record_missed"
    kind: MissKind
    reason: MissReason = "unknown"

    def said(self) -> Said:
        """A miss of its kind."""
        return Said(self.kind, reason=self.reason)


class RecordExcused(SeatCommand):
    """An approved absence."""

    do: Literal["record_excused"] = "record_excused"

    def said(self) -> Said:
        """Excused."""
        return Said("excused")


class RosterEntry(BaseModel):
    """What became of one seat."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    admission_id: UUID
    status: RosterStatus
    minutes: Minutes = 0
    minutes_late: Minutes = 0
    left_early: bool = False
    mode: Mode = "in_person"
    reason: MissReason = "unknown"
    guests: Guests = Field(
        default=0, description="Of a family session: how many came who are not patients."
    )
    joined_at: Instant | None = Field(default=None, description="With left_at: the evidence.")
    left_at: Instant | None = None

    def said(self) -> Said:
        """What became of the seat; who attended did so on the session's day."""
        return Said(
            self.status,
            None,
            self.minutes,
            self.minutes_late,
            self.left_early,
            self.mode,
            self.reason,
            self.guests,
            self.joined_at,
            self.left_at,
        )


class TakeRoster(SessionCommand):
    """Record a whole session; refused as a whole when one entry is."""

    do: Literal["take_roster"] = "take_roster"
    entries: Annotated[list[RosterEntry], Field(min_length=1, max_length=200)]


class CancelSeat(SessionCommand):
    """The person says that they will not come; the notice and the site's policy say what it is."""

    do: Literal["cancel_seat"] = "cancel_seat"
    admission_id: UUID
    reason: MissReason = "unknown"


class MoveSeat(SessionCommand):
    """A planned seat is rescheduled, or swapped to the other track."""

    do: Literal["move_seat"] = "move_seat"
    admission_id: UUID
    to_session_id: UUID


class MakeUp(SessionCommand):
    """A missed session was made up by another visit."""

    do: Literal["make_up"] = "make_up"
    admission_id: UUID
    made_up_in: UUID = Field(description="The session that the person attended instead.")


class CorrectAttendance(SessionCommand):
    """What was recorded of a seat was wrong."""

    do: Literal["correct_attendance"] = "correct_attendance"
    admission_id: UUID
    now: SeatStatus
    minutes: Minutes = 0
    minutes_late: Minutes = 0
    attended_on: Day | None = Field(
        default=None, description="Where `now` is attended; the session's day if left out."
    )
    guests: Guests = Field(
        default=0, description="Of a family session: how many came who are not patients."
    )
    joined_at: Instant | None = Field(default=None, description="With left_at: the evidence.")
    left_at: Instant | None = None

    def said(self) -> Said:
        """What is true of the seat."""
        return Said(
            self.now,
            self.attended_on,
            self.minutes,
            self.minutes_late,
            guests=self.guests,
            joined_at=self.joined_at,
            left_at=self.left_at,
        )
