"""What a sender calls things in FHIR, and what is held under such a name."""

from collections.abc import Awaitable, Callable, Iterable
from uuid import UUID

from pydantic import BaseModel

from handrail.desk import store as desk
from handrail.desk.letter import Letter
from handrail.desk.review import Systems
from handrail.fhir.asked import ADMISSION, Asked, uuid_of
from handrail.fhir.reading import Name, Statement
from handrail.fhir.words import Resource
from handrail.outbox import Connection


class _Words(BaseModel):
    """What every sender's terms say of names, whichever service they are of."""

    systems: Systems = {}


def keyed(letter: Letter, kind: str, names: Iterable[Name]) -> list[bytes]:
    """Keyed names, as HL7 messages of the same sender give them."""
    systems = _Words.model_validate_json(letter.sender.terms).systems
    return [letter.name(kind, (value, systems.get(system, system))) for value, system in names]


def own(letter: Letter, kind: str) -> list[bytes]:
    """What a resource is called, its own name first. Raises Refusal where it has none."""
    statement: Statement = letter.message
    return keyed(letter, kind, statement.names())


def admission(names: Iterable[Name]) -> UUID | None:
    """An admission may be named by our own identifier, as it is read here."""
    return next((uuid_of(value) for value, system in names if system == ADMISSION), None)


async def shown(
    conn: Connection,
    names: Iterable[bytes],
    find: Callable[[Connection, Asked], Awaitable[list[Resource]]],
    id_of: Callable[[UUID], str] = str,
) -> Resource | None:
    """What is held under the first of these names that is known, as it is read.

    `id_of` makes a resource's id from what the name means.
    """
    for name in names:
        if subject := await desk.find(conn, name):
            found = await find(conn, Asked(ids=(id_of(subject),), limit=1))
            return found[0] if found else None
    return None
