"""Whom a resource means, and a referral opened for them."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID, uuid4

from handrail.desk import store as desk
from handrail.desk.letter import Letter
from handrail.fhir.asked import ADMISSION, Asked, uuid_of
from handrail.fhir.reading import Name, Statement
from handrail.fhir.words import Resource
from handrail.outbox import Connection
from intake import fhir, store
from intake.adt.terms import Terms
from intake.facts import Admission
from intake.telling import Case


def keyed(letter: Letter, kind: str, names: Iterable[Name]) -> list[bytes]:
    """Keyed names, as HL7 messages of the same sender give them."""
    systems = Terms.model_validate_json(letter.sender.terms).systems
    return [letter.name(kind, (value, systems.get(system, system))) for value, system in names]


def own_names(letter: Letter, kind: str) -> list[bytes]:
    """What a resource is called, its own name first."""
    statement: Statement = letter.message
    return keyed(letter, kind, statement.names())


async def known(case: Case, kind: str) -> Admission | None:
    """The admission of a resource, by the sender's names or by our own identifier."""
    statement: Statement = case.letter.message
    for value, system in statement.names():
        if system == ADMISSION and (ours := uuid_of(value)):
            return await store.one(case.conn, ours)
    return await first_known(case, own_names(case.letter, kind))


async def first_known(case: Case, names: Iterable[bytes]) -> Admission | None:
    """The admission of the first of these names that is known."""
    for name in names:
        if found := await case.known(name):
            return found
    return None


async def person_of(case: Case, reference: Any, element: str) -> UUID:
    """Whom a reference means; whoever is met for the first time is known from now on."""
    statement: Statement = case.letter.message
    names = keyed(case.letter, "person", statement.meant(reference))
    if not names:
        raise statement.missing(element)
    if found := await _person_named(case.conn, names):
        return found
    patient_id = await desk.name_once(case.conn, names[0], uuid4())
    for name in names[1:]:
        await desk.name(case.conn, name, patient_id)
    return patient_id


async def person_known(conn: Connection, letter: Letter, reference: Any) -> UUID | None:
    """Whom a reference means, where they are known."""
    return await _person_named(conn, keyed(letter, "person", letter.message.meant(reference)))


async def _person_named(conn: Connection, names: Iterable[bytes]) -> UUID | None:
    for name in names:
        if found := await desk.find(conn, name):
            return found
    return None


async def refer(case: Case, patient_id: UUID, names: Sequence[bytes]) -> Admission:
    """A referral under these names."""
    return await call(case, await case.refer(patient_id, case.terms.referral_source), names)


async def call(case: Case, admission_id: UUID, names: Sequence[bytes]) -> Admission:
    """The admission bears these names from now on."""
    for name in names:
        await desk.name(case.conn, name, admission_id)
    found = await store.one(case.conn, admission_id)
    assert found is not None
    return found


async def shown(conn: Connection, names: Sequence[bytes], kind: str) -> Resource | None:
    """What is held under these names, as it is read."""
    for name in names:
        if admission_id := await desk.find(conn, name):
            found = await fhir.FIND[kind](conn, Asked(ids=(str(admission_id),), limit=1))
            return found[0] if found else None
    return None
