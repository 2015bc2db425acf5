"""Encounter: finished, it says who was there and how long; taken back, that nobody knows."""

from datetime import datetime, timedelta

from attendance import seats
from attendance.sources import appointments
from attendance.sources.appointments import Aspect, Case, Held, Stay
from attendance.sources.fhir import said
from attendance.sources.fhir.said import MOST_MINUTES
from handrail.desk.letter import UNKNOWN, VALUE, Letter, Refusal
from handrail.events.base import Mode
from handrail.fhir import naming
from handrail.fhir.reading import Statement
from handrail.fhir.words import Resource
from handrail.outbox import Connection

PLACES: dict[Aspect, str] = {
    "person": "subject",
    "time": "period",
    "status": "status",
    "reason": "status",
}
TAKEN_BACK = frozenset({"cancelled", "entered-in-error"})
GOING_ON = frozenset({"planned", "arrived", "triaged", "in-progress", "onleave", "unknown"})
_PER_UNIT = {"min": 1.0, "h": 60.0, "s": 1 / 60}


def names(letter: Letter) -> list[bytes]:
    """What it is called, its own name first."""
    return naming.own(letter, "encounter")


async def shown(conn: Connection, letter: Letter) -> Resource | None:
    """The visit, where the person came."""
    return await said.shown(conn, letter, names(letter), "Encounter")


async def apply(conn: Connection, letter: Letter) -> None:
    """Carry out what it says. Raises Refusal or Rejected."""
    statement: Statement = letter.message
    status = str(statement.resource.status)
    if status in GOING_ON:
        return
    case = await said.case_of(conn, letter, names(letter), PLACES)
    if status == "finished":
        await _finished(case)
    elif status in TAKEN_BACK:
        await _taken_back(case)
    else:
        raise Refusal(VALUE, statement.path("status"), "R4 has no such status.")


async def _finished(case: Case) -> None:
    stay = _stay(case.letter)
    held = await _planned(case) or await case.held()
    if held is None:
        await _walked_in(case, stay)
        return
    session, seat = held
    if seat.status != "attended" and await said.is_outdated(case, session.session_id):
        return
    await case.call(session.session_id)
    longest = session.planned_minutes or stay.minutes
    stay = Stay(stay.on, min(stay.minutes, longest), stay.mode, stay.joined_at, stay.left_at)
    if (seat.status, seat.minutes, seat.joined_at) != ("attended", stay.minutes, stay.joined_at):
        await appointments.attend(case, held, stay)


async def _planned(case: Case) -> Held | None:
    """The seat of its Appointment. Raises Refusal where that is not known yet."""
    statement: Statement = case.letter.message
    listed = statement.resource.appointment or []
    named = [name for one in listed for name in statement.meant(one)]
    if not named:
        return None
    keyed = naming.keyed(case.letter, "appointment", named)
    held = await Case(case.conn, case.letter, case.admission_id, keyed, case.at).held()
    if held is None:
        text = "No Appointment of that name is known yet. It is kept and tried again."
        raise Refusal(UNKNOWN, statement.path("appointment[0]"), text)
    return held


async def _walked_in(case: Case, stay: Stay) -> None:
    """A visit that nobody booked."""
    resource = case.letter.message.resource
    kind = said.kind_of(case.letter, [resource.serviceType, *(resource.type or [])])
    opened = seats.UnplannedSession(
        session_type=kind.session_type, modality=kind.modality, planned_on=stay.on
    )
    with case.at("time"):
        session_id = await case.say(
            seats.RecordAttended,
            admission_id=case.admission_id,
            session=opened,
            session_key=case.letter.key,
            mode=stay.mode,
            **stay.facts(),
        )
    await case.call(session_id)
    await said.is_outdated(case, session_id)


async def _taken_back(case: Case) -> None:
    """What was recorded of it is wrong; of a visit that was booked somebody has to say it anew."""
    held = await case.held()
    if held is None or held[1].status != "attended":
        return
    session, _ = held
    if await said.is_outdated(case, session.session_id):
        return
    with case.at("status"):
        await case.say(
            seats.CorrectAttendance,
            session_id=session.session_id,
            admission_id=case.admission_id,
            now="scheduled" if session.starts_at else "cancelled_by_program",
        )


def _stay(letter: Letter) -> Stay:
    statement: Statement = letter.message
    start, end = statement.moment("period.start"), statement.moment("period.end")
    if start is None:
        raise statement.missing("period.start")
    minutes = _minutes(statement, start, end)
    end = end or start + timedelta(minutes=minutes)
    if end <= start:
        raise Refusal(VALUE, statement.path("period"), "It ends after it begins.")
    mode: Mode = (
        "online" if getattr(statement.resource.class_fhir, "code", "") == "VR" else "in_person"
    )
    return Stay(start.astimezone(letter.zone).date(), minutes, mode, start, end)


def _minutes(statement: Statement, start: datetime, end: datetime | None) -> int:
    """By its length where that is said, else by its period."""
    length = statement.resource.length
    if length is not None and length.value is not None:
        per = _PER_UNIT.get(length.code or length.unit or "min")
        if per is None:
            raise Refusal(VALUE, statement.path("length"), "Minutes or hours are expected.")
        minutes = int(float(length.value) * per)
    elif end:
        minutes = (end - start) // timedelta(minutes=1)
    else:
        raise statement.missing("period.end")
    if not 0 <= minutes <= MOST_MINUTES:
        text = "It ends after it begins, within a day."
        raise Refusal(VALUE, statement.path("period"), text)
    return minutes
