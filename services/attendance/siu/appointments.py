"""SIU: each message becomes the commands that say the same of one person's seat."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from attendance import commands, roster, seats, store
from attendance.commands import AnyCommand
from attendance.facts import Seat, Session
from attendance.siu.terms import Terms
from handrail import edges
from handrail.desk import store as names
from handrail.desk.letter import Letter
from handrail.hl7.reading import MISSING, TYPE, UNKNOWN, VALUE, Message, Refusal, at
from handrail.outbox import Connection

MISSES = frozenset({"no_show", "late_cancellation"})
CALLED_OFF = frozenset({"late_cancellation", "excused", "cancelled_by_program"})
# Table 0278, as SCH-25 of a modification says what became of an appointment.
CAME = frozenset({"complete", "completed", "checked out", "departed"})
STAYED_AWAY = frozenset({"noshow", "no show", "no-show"})
HOURS = frozenset({"h", "hr", "hrs", "hour", "hours"})
MOST_MINUTES = 1440


@dataclass(frozen=True, slots=True)
class Time:
    """When an appointment is, and how long."""

    starts_at: datetime
    minutes: int


@dataclass(slots=True)
class Case:
    """One message on its way into the database."""

    conn: Connection
    letter: Letter
    terms: Terms
    admission_id: UUID
    said: int = field(default=0)

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

    async def seat(self) -> tuple[Session, Seat] | None:
        """The appointment's session and seat, where it is booked."""
        found = await names.find(self.conn, subject(self.letter))
        if found is None:
            return None
        sessions = await store.sessions(self.conn, [found], [])
        taken = await store.seats(self.conn, [found])
        seat = taken.get((found, self.admission_id))
        if seat is None:
            text = "The appointment is another person's."
            raise Refusal(VALUE, ("PID", 1, 3), text)
        return sessions[found], seat

    def time(self) -> Time:
        """When it is to be. Raises Refusal."""
        starts_at = self._start()
        local = starts_at.astimezone(self.letter.zone)
        return Time(local, self._minutes(starts_at))

    def _start(self) -> datetime:
        message: Message = self.letter.message
        zone = self.letter.zone
        for segment, number, component in (("SCH", 11, 4), ("TQ1", 7, 1), ("AIS", 4, 1)):
            if message.value(segment, number, component):
                return message.moment(segment, number, zone, component)
        raise Refusal(MISSING, ("SCH", 1, 11), "The start is needed.")

    def _minutes(self, starts_at: datetime) -> int:
        message = self.letter.message
        for segment, number in (("SCH", 9), ("AIS", 7)):
            written = message.value(segment, number)
            if not written:
                continue
            if not written.isascii() or not written.isdecimal() or len(written) > 4:
                raise Refusal(TYPE, (segment, 1, number), "A number is expected.")
            unit = message.value(segment, number + 1).lower()
            minutes = int(written) * (60 if unit in HOURS else 1)
            if minutes > MOST_MINUTES:
                raise Refusal(VALUE, (segment, 1, number), "That is more than a day.")
            return minutes
        if message.value("SCH", 11, 5):
            end = message.moment("SCH", 11, self.letter.zone, 5)
            if timedelta() < end - starts_at <= timedelta(minutes=MOST_MINUTES):
                return int((end - starts_at) / timedelta(minutes=1))
        raise Refusal(MISSING, ("SCH", 1, 9), "The length is needed.")

    def reason(self) -> str:
        """Why, in our words."""
        return self.terms.reasons.get(self.letter.message.value("SCH", 6), "unknown")


async def _book(case: Case) -> tuple[Session, Seat]:
    """S12, S13, S14: where and when it says, whatever came before."""
    found = await case.seat()
    time = case.time()
    if found is None or _is_anew(case, found[1]):
        await _schedule(case, time, (case.admission_id,))
    elif found[1].status == "scheduled" and _differs(found[0], time):
        there = await _schedule(case, time, ())
        with at("SCH", 11):
            await case.say(
                seats.MoveSeat,
                session_id=found[0].session_id,
                admission_id=case.admission_id,
                to_session_id=there,
            )
    booked = await case.seat()
    assert booked is not None
    return booked


def _is_anew(case: Case, seat: Seat) -> bool:
    """Called off before, and booked again under the same number."""
    return seat.status in CALLED_OFF and case.letter.message.event in ("S12", "S13")


def _differs(session: Session, time: Time) -> bool:
    return (session.starts_at, session.planned_minutes) != (time.starts_at, time.minutes)


async def _schedule(case: Case, time: Time, people: tuple[UUID, ...]) -> UUID:
    letter = case.letter
    kind = case.terms.kind_of(letter.message.value("AIS", 3))
    if kind is None:
        raise Refusal(VALUE, ("AIS", 1, 3), "No kind of session is entered for this service.")
    with at("SCH", 11):
        session_id = await case.say(
            commands.ScheduleSession,
            site_id=letter.sender.site_id,
            session_key=letter.key,
            planned_on=time.starts_at.date(),
            starts_at=time.starts_at,
            planned_minutes=time.minutes,
            roster=people,
            **kind.model_dump(),
        )
    await names.name(case.conn, subject(letter), session_id)
    return session_id


async def _booked(case: Case) -> None:
    await _book(case)


async def _modified(case: Case) -> None:
    """S14: moved, or what became of it."""
    status = case.letter.message.value("SCH", 25).lower()
    if status in STAYED_AWAY:
        await _missed(case)
    elif status in CAME:
        await _attended(case)
    else:
        await _book(case)


async def _attended(case: Case) -> None:
    session, seat = await _book(case)
    if seat.status == "attended":
        return
    about = {"session_id": session.session_id, "admission_id": case.admission_id}
    stay = {"attended_on": session.held_on, "minutes": session.planned_minutes}
    with at("SCH", 25):
        if seat.status == "scheduled":
            await case.say(seats.RecordAttended, **about, **stay, mode=session.mode)
        else:
            await case.say(seats.CorrectAttendance, **about, **stay, now="attended")


async def _missed(case: Case) -> None:
    """S26: nobody came. What was recorded before, and is older, is corrected."""
    session, seat = await _book(case)
    if seat.status in MISSES:
        return
    about = {"session_id": session.session_id, "admission_id": case.admission_id}
    with at("SCH", 11):
        if seat.status == "scheduled":
            await case.say(seats.RecordMissed, **about, kind="no_show", reason=case.reason())
        else:
            await case.say(seats.CorrectAttendance, **about, now="no_show")


async def _cancelled(case: Case) -> None:
    """S15: by the programme, or by the person, in time or late. What is unknown needs no end."""
    found = await case.seat()
    if found is None or found[1].status in CALLED_OFF:
        return
    session_id = found[0].session_id
    with at("SCH", 6):
        if case.letter.message.value("SCH", 6) in case.terms.by_programme:
            await case.say(commands.CancelSession, session_id=session_id)
            return
        await case.say(
            seats.CancelSeat,
            session_id=session_id,
            admission_id=case.admission_id,
            reason=case.reason(),
        )


BY_EVENT: dict[str, Callable[[Case], Awaitable[None]]] = {
    "S12": _booked,
    "S13": _booked,
    "S14": _modified,
    "S15": _cancelled,
    "S26": _missed,
}


def subject(letter: Letter) -> bytes:
    """What a message is about: the filler's appointment, else the placer's. Raises Refusal."""
    field_number = 2 if letter.message.value("SCH", 2) else 1
    return letter.name("appointment", letter.message.named("SCH", field_number, 2))


def case_of(conn: Connection, letter: Letter) -> Case:
    """A message on its way. Raises Refusal where nobody knows whom it means."""
    if letter.known is None:
        if not (letter.message.value("PV1", 19) or letter.message.value("PID", 3)):
            raise Refusal(MISSING, ("PV1", 1, 19), "A visit or a person is needed.")
        raise Refusal(UNKNOWN, ("PV1", 1, 19), "No admission of that number is known yet.")
    return Case(conn, letter, Terms.model_validate_json(letter.sender.terms), letter.known)
