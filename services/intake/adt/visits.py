"""ADT of the programme's own records: each message becomes the commands that say the same."""

from collections.abc import Awaitable, Callable
from datetime import date
from uuid import UUID, uuid4

from handrail.desk import store as names
from handrail.desk.letter import Letter
from handrail.hl7.reading import MISSING, UNKNOWN, VALUE, Message, Refusal, at
from handrail.outbox import Connection
from intake import commands, store
from intake.facts import BEFORE, OPEN, Admission
from intake.store import people
from intake.telling import Case, open_of

# Where identifiers stand, and in which component their authority.
VISIT, PERSON = ("PV1", 19, 4), ("PID", 3, 4)


async def _visit(case: Case) -> Admission | None:
    """The admission of the message's visit, where one is known."""
    return await case.known(case.letter.name("visit", case.letter.message.named(*VISIT)))


async def _known_visit(case: Case) -> Admission:
    """The same. Raises Refusal where none is known yet."""
    found = await _visit(case)
    if found is None:
        raise Refusal(UNKNOWN, ("PV1", 1, 19), "No visit of that number is known yet.")
    return found


def person(case: Case) -> bytes:
    """The name of the message's person."""
    return case.letter.name("person", case.letter.message.named(*PERSON))


def _unit(case: Case) -> str:
    message: Message = case.letter.message
    return message.value("PV1", 3)


def _day(case: Case, field_number: int) -> date:
    """The day in that field of PV1; the message's own where there is none."""
    zone = case.letter.zone
    written = case.letter.message.day("PV1", field_number, zone)
    return written or case.letter.at.astimezone(zone).date()


async def _register(case: Case) -> None:
    """A04, A05: somebody is expected. Said of a visit that is known, it changes nothing."""
    if await _visit(case) is None:
        await _open(case)


async def _open(case: Case) -> Admission:
    letter = case.letter
    with at("PID", 3):
        patient_id = await names.name_once(case.conn, person(case), uuid4())
    source = case.terms.sources.get(letter.message.value("PV1", 14), case.terms.referral_source)
    opened = await case.refer(patient_id, source)
    await names.name(case.conn, letter.name("visit", letter.message.named(*VISIT)), opened)
    found = await store.one(case.conn, opened)
    assert found is not None
    return found


async def _admit(case: Case) -> None:
    """A01: the person is admitted. Whoever is so already stays as they are."""
    found = await _visit(case) or await _open(case)
    if found.status in OPEN:
        return
    place = case.terms.place_of(_unit(case))
    if place is None:
        raise Refusal(VALUE, ("PV1", 1, 3), "No programme is entered for this unit.")
    with at("PV1", 44):
        await case.admit(found.admission_id, _day(case, 44), place)


async def _discharge(case: Case) -> None:
    """A03: the end, by the reason that PV1-36 says."""
    found = await _known_visit(case)
    if found.status == "discharged":
        return
    with at("PV1", 45):
        await case.say(
            commands.Discharge,
            admission_id=found.admission_id,
            reason=case.terms.ends.get(case.letter.message.value("PV1", 36), "other"),
            discharged_on=_day(case, 45),
        )


async def _update(case: Case) -> None:
    """A08: another unit is another programme. Names and addresses are not kept here."""
    found = await _known_visit(case)
    place = case.terms.units.get(_unit(case))
    there = (found.program_id, found.track)
    if place is None or found.status not in OPEN or there == (place.program_id, place.track):
        return
    with at("PV1", 3):
        await case.say(
            commands.Transfer,
            admission_id=found.admission_id,
            program_id=place.program_id,
            track=place.track,
        )


async def _cancel(case: Case) -> None:
    """A11: not admitted after all; a referral goes on, and one that was all there was ends."""
    found = await _known_visit(case)
    if found.status in BEFORE:
        await case.decline(found.admission_id)
    elif found.status in OPEN:
        await case.say(commands.UndoAdmission, admission_id=found.admission_id)


async def _cancel_discharge(case: Case) -> None:
    """A13: it has not ended after all."""
    found = await _known_visit(case)
    if found.status not in OPEN:
        await case.say(commands.UndoDischarge, admission_id=found.admission_id)


async def _leave(case: Case) -> None:
    """A21: away on leave; absence is expected."""
    found = await _known_visit(case)
    if found.status != "on_hold":
        await case.say(commands.PutOnHold, admission_id=found.admission_id, reason="leave")


async def _return(case: Case) -> None:
    """A22: back from leave."""
    found = await _known_visit(case)
    if found.status != "admitted":
        await case.say(commands.Resume, admission_id=found.admission_id)


async def _merge(case: Case) -> None:
    """A40: two numbers are one person. All of it bears the number that goes on."""
    letter = case.letter
    old = letter.name("person", letter.message.named("MRG", 1, 4))
    new = person(case)
    was, now = await names.find(case.conn, old), await names.find(case.conn, new)
    if was is None and now is None:
        raise Refusal(UNKNOWN, ("MRG", 1, 1), "Neither of the two is known yet.")
    if was is None or now is None:
        kept = was or now
        assert kept is not None
        await names.name(case.conn, new, kept)
        await names.name(case.conn, old, kept)
        return
    if was == now:
        return
    site_id = letter.sender.site_id
    duplicate = await open_of(case.conn, was, site_id)
    survivor = await open_of(case.conn, now, site_id)
    await people.rekey(case.conn, was, now)
    await names.rename(case.conn, was, now)
    if duplicate and survivor:
        await case.say(commands.MergeAdmissions, admission_id=survivor, duplicate_id=duplicate)


BY_EVENT: dict[str, Callable[[Case], Awaitable[None]]] = {
    "A01": _admit,
    "A03": _discharge,
    "A04": _register,
    "A05": _register,
    "A08": _update,
    "A11": _cancel,
    "A13": _cancel_discharge,
    "A21": _leave,
    "A22": _return,
    "A40": _merge,
}


def subject(letter: Letter) -> bytes:
    """What a message is about: its visit; of a merge, the person. Raises Refusal."""
    message = letter.message
    if message.event == "A40":
        message.needed("MRG", 1)
        return letter.name("person", message.named(*PERSON))
    if letter.sender.is_outside:
        return letter.name("person", message.named(*PERSON))
    if not message.value("PID", 3):
        raise Refusal(MISSING, ("PID", 1, 3), "This field is needed.")
    return letter.name("visit", message.named(*VISIT))


async def whom(conn: Connection, letter: Letter) -> UUID | None:
    """The person a message is about, where one is known. Raises Refusal where none is named."""
    return await names.find(conn, letter.name("person", letter.message.named(*PERSON)))
