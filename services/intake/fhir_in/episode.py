"""EpisodeOfCare: a stay expected, begun, interrupted and ended, by its status."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import get_args
from uuid import UUID

from handrail.desk.letter import VALUE, Letter, Refusal
from handrail.events.intake import DischargeReason
from handrail.fhir import naming
from handrail.fhir.reading import Statement, codes
from handrail.fhir.words import Resource
from handrail.outbox import Connection
from intake import commands, fhir, store
from intake.adt.terms import Place
from intake.facts import BEFORE, OPEN, Admission
from intake.fhir_in import opening
from intake.telling import Case, case_of, open_of

# R4 has no element for why a stay ended.
WHY_IT_ENDED = "urn:handrail:discharge-reason"


def names(letter: Letter) -> list[bytes]:
    """What it is called, its own name first; it is the visit of HL7 v2."""
    return naming.own(letter, "visit")


async def whom(conn: Connection, letter: Letter) -> UUID | None:
    """The person, where they are known."""
    return await opening.person_known(conn, letter, letter.message.resource.patient)


async def shown(conn: Connection, letter: Letter) -> Resource | None:
    """The stay, where it is known."""
    return await naming.shown(conn, names(letter), fhir.FIND["EpisodeOfCare"])


async def apply(conn: Connection, letter: Letter) -> None:
    """Carry out what it says. Raises Refusal or Rejected."""
    statement: Statement = letter.message
    act = BY_STATUS.get(str(statement.resource.status))
    if act is None:
        raise Refusal(VALUE, statement.path("status"), "R4 has no such status.")
    # Another house's stays are not ours.
    if not letter.sender.is_outside:
        with statement.at("status"):
            await act(case_of(conn, letter))


async def _planned(case: Case) -> Admission:
    """Somebody is expected; an open referral of the person is the stay's."""
    if found := await opening.known(case, "visit"):
        return found
    letter, statement = case.letter, case.letter.message
    given = statement.resource.referralRequest or []
    named = [name for one in given for name in statement.meant(one)]
    referral = await opening.first_known(case, naming.keyed(letter, "referral", named))
    if referral:
        return await opening.call(case, referral.admission_id, names(letter))
    patient_id = await opening.person_of(case, statement.resource.patient, "patient")
    waiting = await open_of(case.conn, patient_id, letter.sender.site_id)
    found = await case.one(waiting) if waiting else None
    if found and found.status in BEFORE:
        return await opening.call(case, found.admission_id, names(letter))
    return await opening.refer(case, patient_id, names(letter))


async def _expected(case: Case) -> None:
    await _planned(case)


async def _waitlisted(case: Case) -> None:
    found = await _planned(case)
    if found.status == "referred":
        place = _place(case)
        await case.say(
            commands.Waitlist,
            admission_id=found.admission_id,
            program_id=place.program_id,
            track=place.track,
        )


async def _begun(case: Case) -> Admission:
    """The person is in care, whatever came before."""
    found = await _planned(case)
    if found.status in OPEN:
        return found
    if found.status == "discharged":
        await case.say(commands.UndoDischarge, admission_id=found.admission_id)
    else:
        with case.letter.message.at("period.start"):
            await case.admit(found.admission_id, _day(case, "start"), _place(case))
    again = await store.one(case.conn, found.admission_id)
    assert again is not None
    return again


async def _active(case: Case) -> None:
    found = await _begun(case)
    if found.status == "on_hold":
        await case.say(commands.Resume, admission_id=found.admission_id)


async def _held(case: Case) -> None:
    found = await _begun(case)
    if found.status == "admitted":
        await case.say(commands.PutOnHold, admission_id=found.admission_id, reason="leave")


async def _ended(case: Case) -> None:
    """What is not known needs no end."""
    found = await opening.known(case, "visit")
    if found is None:
        return
    if found.status in BEFORE:
        await case.decline(found.admission_id)
    elif found.status in OPEN:
        with case.letter.message.at("period.end"):
            await case.say(
                commands.Discharge,
                admission_id=found.admission_id,
                reason=_why(case),
                discharged_on=_day(case, "end"),
            )


async def _never_was(case: Case) -> None:
    """Cancelled, or entered in error: not admitted, and no referral either."""
    found = await opening.known(case, "visit")
    if found is None or found.status not in BEFORE | OPEN:
        return
    if found.status in OPEN:
        await case.say(commands.UndoAdmission, admission_id=found.admission_id)
    await case.decline(found.admission_id)


def _place(case: Case) -> Place:
    statement: Statement = case.letter.message
    for code, _ in codes(*(statement.resource.type or [])):
        if code in case.terms.units:
            return case.terms.units[code]
    if case.terms.place is None:
        text = "No programme is entered for this type."
        raise Refusal(VALUE, statement.path("type"), text)
    return case.terms.place


def _day(case: Case, end: str) -> date:
    """The local day in the period; that of the statement where there is none."""
    found = getattr(case.letter.message.resource.period, end, None)
    if isinstance(found, date) and not isinstance(found, datetime):
        return found
    at = case.letter.message.moment(f"period.{end}") or case.letter.at
    return at.astimezone(case.letter.zone).date()


def _why(case: Case) -> DischargeReason:
    for one in case.letter.message.resource.extension or []:
        if one.url == WHY_IT_ENDED and one.valueCode in get_args(DischargeReason):
            found: DischargeReason = one.valueCode
            return found
    return "other"


BY_STATUS: dict[str, Callable[[Case], Awaitable[None]]] = {
    "planned": _expected,
    "waitlist": _waitlisted,
    "active": _active,
    "onhold": _held,
    "finished": _ended,
    "cancelled": _never_was,
    "entered-in-error": _never_was,
}
