"""Names, numbers and notes of a person and of their supports: the one place that holds them, sealed."""

from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from handrail import edges
from handrail.outbox import Connection
from handrail.personal.vault import Vault
from handrail.receipts import Rejected
from intake import store

COLUMN = "contacts.sealed"
# Whose contact it is where it is no support's.
PERSON = UUID(int=0)

_PUT = """
insert into contacts (admission_id, support_id, sealed) values ($1, $2, $3)
on conflict (admission_id, support_id) do update
set sealed = excluded.sealed, written_at = now()
"""
_OF = "select support_id, sealed from contacts where admission_id = $1 order by support_id"

Line = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Note = Annotated[
    str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f]+$")
]


class Contact(BaseModel):
    """Whom to call, and how. It is kept sealed, shown to the care team alone, and never told."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Line | None = None
    phone: Line | None = None
    email: Line | None = None
    note: Note | None = Field(default=None, description="Such as when it is good to call.")

    @model_validator(mode="after")
    def _says_something(self) -> "Contact":
        if not self.model_dump(exclude_none=True):
            raise ValueError("one of name, phone, email and note")
        return self


def routes(pool: asyncpg.Pool, vault: Vault | None) -> APIRouter:
    """Contacts: put and read. Nothing of them is published."""
    router = APIRouter(prefix="/v1/admissions/{admission_id}", tags=["personal"])

    async def put_sealed(admission_id: UUID, support_id: UUID, contact: Contact) -> None:
        async def put(conn: Connection) -> None:
            await _require(conn, admission_id, support_id)
            content = contact.model_dump_json(exclude_none=True).encode()
            [sealed] = await _given(vault).seal(COLUMN, [(admission_id, content)])
            await conn.execute(_PUT, admission_id, support_id, sealed)

        await edges.in_one_transaction(pool, lambda: None, put)

    @router.put("/contact")
    async def put_contact(admission_id: UUID, contact: Contact) -> dict[str, UUID]:
        """The person's own name and numbers; what was there before is replaced."""
        await put_sealed(admission_id, PERSON, contact)
        return {"admission_id": admission_id}

    @router.put("/supports/{support_id}/contact")
    async def put_contact_of_support(
        admission_id: UUID, support_id: UUID, contact: Contact
    ) -> dict[str, UUID]:
        """The same of a support that the person named."""
        await put_sealed(admission_id, support_id, contact)
        return {"admission_id": admission_id, "support_id": support_id}

    @router.get("/contacts")
    async def get_contacts(admission_id: UUID) -> list[dict[str, Any]]:
        """The person first, then the supports; nobody of whom nothing is kept, or it was erased."""
        async with pool.acquire() as conn:
            await _require(conn, admission_id, PERSON)
            return await of_admission(conn, admission_id, vault)

    return router


async def of_admission(
    conn: Connection, admission_id: UUID, vault: Vault | None
) -> list[dict[str, Any]]:
    """The contacts of an admission, opened."""
    rows = await conn.fetch(_OF, admission_id)
    fields = [(admission_id, row["sealed"]) for row in rows]
    opened = await vault.open(COLUMN, fields) if vault else []
    return [
        {"support_id": row["support_id"] if row["support_id"] != PERSON else None}
        | Contact.model_validate_json(content).model_dump()
        for row, content in zip(rows, opened, strict=bool(vault))
        if content
    ]


async def _require(conn: Connection, admission_id: UUID, support_id: UUID) -> None:
    found = await store.one(conn, admission_id)
    if found is None:
        raise Rejected("admission_unknown", "No admission has that identifier.", "admission_id")
    named = {support.support_id for support in found.chart.supports}
    if support_id != PERSON and support_id not in named:
        raise Rejected("support_unknown", "The person has named no such support.", "support_id")


def _given(vault: Vault | None) -> Vault:
    if vault is None:
        raise Rejected("contacts_not_taken", "No key is set here to seal them.")
    return vault
