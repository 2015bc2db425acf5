"""Whom a resource means, and a referral opened for them."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID, uuid4

from handrail.desk import store as desk
from handrail.desk.letter import UNKNOWN, Letter, Refusal
from handrail.fhir import naming
from handrail.fhir.reading import Statement
from handrail.outbox import Connection
from intake import store
from intake.facts import Admission
from intake.telling import Case


async def known(case: Case, kind: str) -> Admission | None:
    """The admission of a resource, by the sender's names or by our own identifier.

    Raises Refusal where ours names none of the sender's site.
    """
    statement: Statement = case.letter.message
    ours = naming.admission(statement.names())
    if ours is None:
        return await first_known(case, naming.own(case.letter, kind))
    found = await case.one(ours)
    if found is None:
        text = "No stay of that identifier is known here."
        raise Refusal(UNKNOWN, statement.path("identifier"), text)
    return found


async def first_known(case: Case, names: Iterable[bytes]) -> Admission | None:
    """The admission of the first of these names that is known."""
    for name in names:
        if found := await case.known(name):
            return found
    return None


async def person_of(case: Case, reference: Any, element: str) -> UUID:
    """Whom a reference means; whoever is met for the first time is known from now on."""
    statement: Statement = case.letter.message
    names = naming.keyed(case.letter, "person", statement.meant(reference))
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
    return await _person_named(
        conn, naming.keyed(letter, "person", letter.message.meant(reference))
    )


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
