"""SIU: each message becomes what it says of one person's appointment."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from attendance.sources import appointments
from attendance.sources.appointments import Aspect, Case, Held, Stay, Time
from attendance.sources.asking import Intake
from attendance.sources.terms import Kind
from handrail.desk.letter import Letter
from handrail.events.attendance import MissReason
from handrail.hl7.dialect import Part
from handrail.hl7.reading import MISSING, TYPE, UNKNOWN, VALUE, Message, Refusal, at
from handrail.outbox import Connection

# Table 0278, as SCH-25 of a modification says what became of an appointment.
CAME = frozenset({"complete", "completed", "checked out", "departed"})
STAYED_AWAY = frozenset({"noshow", "no show", "no-show"})
HOURS = frozenset({"h", "hr", "hrs", "hour", "hours"})
MOST_MINUTES = 1440
PLACES: dict[Aspect, tuple[str, int]] = {
    "person": ("PID", 3),
    "time": ("SCH", 11),
    "status": ("SCH", 25),
    "reason": ("SCH", 6),
}


def part(intake: Intake) -> Part:
    """What attendance does with messages."""
    return Part("SIU", frozenset(BY_EVENT), subject, apply, moment, intake.meant_by_message)


def moment(message: Message, zone: ZoneInfo) -> datetime:
    """When it was sent: SIU says no other time."""
    return message.moment("MSH", 7, zone)


async def apply(conn: Connection, letter: Letter) -> None:
    """Carry out what a message says. Raises Refusal or Rejected."""
    if letter.message.event in BY_EVENT:
        await BY_EVENT[letter.message.event](await _case(conn, letter))


async def _case(conn: Connection, letter: Letter) -> Case:
    """A message on its way. Raises Refusal where nobody knows whom it means."""
    admission_id = await appointments.whose(conn, letter)
    if admission_id is None:
        if not (letter.message.value("PV1", 19) or letter.message.value("PID", 3)):
            raise Refusal(MISSING, ("PV1", 1, 19), "A visit or a person is needed.")
        raise Refusal(UNKNOWN, ("PV1", 1, 19), "No admission of that number is known yet.")
    return Case(conn, letter, admission_id, [subject(letter)], lambda aspect: at(*PLACES[aspect]))


def _time(letter: Letter) -> Time:
    starts_at = _start(letter)
    return Time(starts_at.astimezone(letter.zone), _minutes(letter, starts_at))


def _start(letter: Letter) -> datetime:
    message: Message = letter.message
    for segment, number, component in (("SCH", 11, 4), ("TQ1", 7, 1), ("AIS", 4, 1)):
        if message.value(segment, number, component):
            return message.moment(segment, number, letter.zone, component)
    raise Refusal(MISSING, ("SCH", 1, 11), "The start is needed.")


def _minutes(letter: Letter, starts_at: datetime) -> int:
    message: Message = letter.message
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
        end = message.moment("SCH", 11, letter.zone, 5)
        if timedelta() < end - starts_at <= timedelta(minutes=MOST_MINUTES):
            return int((end - starts_at) / timedelta(minutes=1))
    raise Refusal(MISSING, ("SCH", 1, 9), "The length is needed.")


def _reason(case: Case) -> MissReason:
    return case.terms.reasons.get(case.letter.message.value("SCH", 6), "unknown")


async def _book(case: Case) -> Held:
    """S12, S13, S14: where and when it says, whatever came before."""

    def kind() -> Kind:
        found = case.terms.kind_of(case.letter.message.value("AIS", 3))
        if found is None:
            text = "No kind of session is entered for this service."
            raise Refusal(VALUE, ("AIS", 1, 3), text)
        return found

    is_booking = case.letter.message.event in ("S12", "S13")
    return await appointments.book(case, _time(case.letter), kind, anew=is_booking)


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
    held = await _book(case)
    session, seat = held
    if seat.status != "attended":
        stay = Stay(session.held_on, session.planned_minutes, session.mode)
        await appointments.attend(case, held, stay)


async def _missed(case: Case) -> None:
    """S26: nobody came."""
    await appointments.miss(case, await _book(case), _reason(case))


async def _cancelled(case: Case) -> None:
    """S15: by the programme, or by the person. What is unknown needs no end."""
    held = await case.held()
    if held:
        is_theirs = case.letter.message.value("SCH", 6) in case.terms.by_programme
        await appointments.call_off(case, held, _reason(case), by_programme=is_theirs)


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
