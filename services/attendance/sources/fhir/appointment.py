"""Appointment: booked, moved, called off, missed or kept, by its status."""

from datetime import timedelta
from typing import Any

from attendance.sources import appointments
from attendance.sources.appointments import Aspect, Case, Stay, Time
from attendance.sources.fhir import said
from handrail.desk.letter import VALUE, Letter, Refusal
from handrail.events.attendance import MissReason
from handrail.fhir import naming
from handrail.fhir.reading import Statement, codes
from handrail.fhir.words import HL7, Resource
from handrail.outbox import Connection

PLACES: dict[Aspect, str] = {
    "person": "participant",
    "time": "start",
    "status": "status",
    "reason": "cancelationReason",
}
NOT_YET = frozenset({"proposed", "pending", "waitlist"})
# Somebody who has arrived has not stayed yet: an Encounter, or `fulfilled`, says that.
BOOKED = frozenset({"booked", "arrived", "checked-in"})
REASONS = f"{HL7}/appointment-cancellation-reason"
# https://hl7.org/fhir/R4/valueset-appointment-cancellation-reason.html
BY_PROGRAMME = frozenset({"prov", "maint", "oth-err", "oth-oerr", "oth-room", "oth-int"})
OURS = "urn:handrail:cancellation"


def names(letter: Letter) -> list[bytes]:
    """What it is called, its own name first."""
    return naming.own(letter, "appointment")


async def shown(conn: Connection, letter: Letter) -> Resource | None:
    """The seat, where it is booked."""
    return await said.shown(conn, letter, names(letter), "Appointment")


async def apply(conn: Connection, letter: Letter) -> None:
    """Carry out what it says. Raises Refusal or Rejected."""
    statement: Statement = letter.message
    status = str(statement.resource.status)
    if status in NOT_YET:
        return
    case = await said.case_of(conn, letter, names(letter), PLACES)
    if status in ("cancelled", "entered-in-error"):
        await _off(case, status)
    elif status in BOOKED | {"noshow", "fulfilled"}:
        await _on(case, status)
    else:
        raise Refusal(VALUE, statement.path("status"), "R4 has no such status.")


async def _on(case: Case, status: str) -> None:
    """Where and when it says; then what became of it."""
    resource = case.letter.message.resource

    def kind() -> Any:
        return said.kind_of(case.letter, resource.serviceType)

    held = await appointments.book(case, _time(case.letter), kind, anew=status in BOOKED)
    session, seat = held
    if status in BOOKED or (status == "fulfilled" and seat.status == "attended"):
        return
    if await said.is_outdated(case, session.session_id):
        return
    if status == "noshow":
        await appointments.miss(case, held, _reason(case))
    else:
        stay = Stay(session.held_on, session.planned_minutes, session.mode)
        await appointments.attend(case, held, stay)


async def _off(case: Case, status: str) -> None:
    """By the programme or by the person; what should never have been is nobody's absence."""
    held = await case.held()
    if held is None or await said.is_outdated(case, held[0].session_id):
        return
    is_theirs = status == "entered-in-error" or _is_by_programme(case)
    await appointments.call_off(case, held, _reason(case), by_programme=is_theirs)


def _time(letter: Letter) -> Time:
    statement: Statement = letter.message
    start, end = statement.moment("start"), statement.moment("end")
    if start is None:
        raise statement.missing("start")
    minutes = statement.resource.minutesDuration
    if minutes is None and end:
        minutes = (end - start) // timedelta(minutes=1)
    if minutes is None:
        raise statement.missing("end")
    if not 0 < minutes <= said.MOST_MINUTES:
        text = "It ends after it begins, within a day."
        raise Refusal(VALUE, statement.path("end"), text)
    return Time(start.astimezone(letter.zone), minutes)


def _given(case: Case) -> list[tuple[str, str]]:
    return codes(case.letter.message.resource.cancelationReason)


def _is_by_programme(case: Case) -> bool:
    theirs = case.terms.by_programme
    return any(
        code in theirs
        or (system == OURS and code == "cancelled_by_program")
        or (system == REASONS and (code in BY_PROGRAMME or code.startswith("prov-")))
        for code, system in _given(case)
    )


def _reason(case: Case) -> MissReason:
    for code, system in _given(case):
        if code in case.terms.reasons:
            return case.terms.reasons[code]
        if system == REASONS and code == "pat-lt":
            return "transport"
    return "unknown"
