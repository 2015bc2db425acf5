"""One person's appointment at another system: what is said of it becomes commands about a seat."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from attendance import commands, roster, seats, store
from attendance.commands import AnyCommand
from attendance.facts import Seat, Session
from attendance.sources.terms import Kind, Terms
from handrail import edges
from handrail.desk import store as names
from handrail.desk.letter import Letter
from handrail.events.attendance import MissReason
from handrail.events.base import Mode
from handrail.outbox import Connection
from handrail.receipts import Rejected

MISSES = frozenset({"no_show", "late_cancellation"})
CALLED_OFF = frozenset({"late_cancellation", "excused", "cancelled_by_program"})
# Which of the things said a rule's refusal is about; each dialect knows where that stands.
Aspect: TypeAlias = Literal["person", "time", "status", "reason"]
Held: TypeAlias = tuple[Session, Seat]


@dataclass(frozen=True, slots=True)
class Time:
    """When an appointment is, by the site's clock, and how long."""

    starts_at: datetime
    minutes: int


@dataclass(frozen=True, slots=True)
class Stay:
    """How long a person was there."""

    on: date
    minutes: int
    mode: Mode
    joined_at: datetime | None = None
    left_at: datetime | None = None

    def facts(self) -> dict[str, Any]:
        """As commands say it."""
        return {
            "attended_on": self.on,
            "minutes": self.minutes,
            "joined_at": self.joined_at,
            "left_at": self.left_at,
        }


@dataclass(slots=True)
class Case:
    """What is said of one appointment, on its way into the database; its own name is the first."""

    conn: Connection
    letter: Letter
    admission_id: UUID
    names: Sequence[bytes]
    at: Callable[[Aspect], AbstractContextManager[None]]
    said: int = field(default=0)

    @property
    def terms(self) -> Terms:
        """How the sender's words are taken."""
        return Terms.model_validate_json(self.letter.sender.terms)

    async def say(self, command: Callable[..., AnyCommand], **facts: Any) -> UUID:
        """Have one command carried out. Raises Rejected."""
        self.said += 1
        made = command(
            source=self.letter.sender.source,
            key=f"{self.letter.key}:{self.said}",
            occurred_at=self.letter.at,
            **facts,
        )
        [result] = await roster.take(self.conn, [made], self.letter.now)
        subject = edges.accepted(result).subject
        assert subject is not None
        return subject

    async def held(self) -> Held | None:
        """The appointment's session and seat, where it is booked."""
        found = await self._session_id()
        if found is None:
            return None
        sessions = await store.sessions(self.conn, [found], [])
        taken = await store.seats(self.conn, [found])
        seat = taken.get((found, self.admission_id))
        if seat is None:
            with self.at("person"):
                raise Rejected("other_person", "The appointment is another person's.")
        return sessions[found], seat

    async def _session_id(self) -> UUID | None:
        for name in self.names:
            if found := await names.find(self.conn, name):
                return found
        return None

    async def call(self, session_id: UUID) -> UUID:
        """The appointment is held in this session from now on."""
        for name in self.names:
            await names.name(self.conn, name, session_id)
        return session_id


async def whose(conn: Connection, letter: Letter) -> UUID | None:
    """The admission that was looked up; for the sender one of another site is not there."""
    known = await store.admissions(conn, [letter.known] if letter.known else [])
    here = (one for one in known.values() if one.site_id == letter.sender.site_id)
    return next((one.admission_id for one in here), None)


async def book(case: Case, time: Time, kind: Callable[[], Kind], *, anew: bool) -> Held:
    """Where and when it is said to be, whatever came before.

    What was called off is booked `anew` where that is meant.
    """
    held = await case.held()
    if held is None or (anew and held[1].status in CALLED_OFF):
        await _schedule(case, time, kind(), (case.admission_id,))
    elif held[1].status == "scheduled" and _differs(held[0], time):
        there = await _schedule(case, time, kind(), ())
        with case.at("time"):
            await case.say(
                seats.MoveSeat,
                session_id=held[0].session_id,
                admission_id=case.admission_id,
                to_session_id=there,
            )
    booked = await case.held()
    assert booked is not None
    return booked


def _differs(session: Session, time: Time) -> bool:
    return (session.starts_at, session.planned_minutes) != (time.starts_at, time.minutes)


async def _schedule(case: Case, time: Time, kind: Kind, people: tuple[UUID, ...]) -> UUID:
    with case.at("time"):
        session_id = await case.say(
            commands.ScheduleSession,
            site_id=case.letter.sender.site_id,
            session_key=case.letter.key,
            planned_on=time.starts_at.date(),
            starts_at=time.starts_at,
            planned_minutes=time.minutes,
            roster=people,
            **kind.model_dump(),
        )
    return await case.call(session_id)


async def attend(case: Case, held: Held, stay: Stay) -> None:
    """The person was there; what was recorded otherwise is corrected."""
    session, seat = held
    about = {"session_id": session.session_id, "admission_id": case.admission_id}
    with case.at("status"):
        if seat.status == "scheduled":
            await case.say(seats.RecordAttended, **about, **stay.facts(), mode=stay.mode)
        else:
            await case.say(seats.CorrectAttendance, **about, **stay.facts(), now="attended")


async def miss(case: Case, held: Held, reason: MissReason) -> None:
    """Nobody came. What was recorded before, and is older, is corrected."""
    session, seat = held
    if seat.status in MISSES:
        return
    about = {"session_id": session.session_id, "admission_id": case.admission_id}
    with case.at("time"):
        if seat.status == "scheduled":
            await case.say(seats.RecordMissed, **about, kind="no_show", reason=reason)
        else:
            await case.say(seats.CorrectAttendance, **about, now="no_show")


async def call_off(case: Case, held: Held, reason: MissReason, *, by_programme: bool) -> None:
    """Called off by the programme, or by the person, in time or late."""
    session, seat = held
    if seat.status in CALLED_OFF:
        return
    about = {"session_id": session.session_id, "admission_id": case.admission_id}
    with case.at("reason"):
        if not by_programme:
            await case.say(seats.CancelSeat, **about, reason=reason)
        elif seat.status == "scheduled":
            await case.say(commands.CancelSession, session_id=session.session_id)
        else:
            await case.say(seats.CorrectAttendance, **about, now="cancelled_by_program")
