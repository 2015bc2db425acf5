"""Who may send ADT, whom their numbers mean, and which admission a number means."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from handrail import edges
from handrail.desk import store as names
from handrail.desk.desk import Desk
from handrail.desk.review import put_sender
from handrail.events.base import Code
from handrail.outbox import Connection
from handrail.receipts import Rejected
from intake import store
from intake.adt.terms import AdtSender
from intake.telling import open_of

Number = Annotated[str, StringConstraints(min_length=1, max_length=250)]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class PersonNumber(_Body):
    """A sender's number of a person (PID-3)."""

    number: Number
    authority: Annotated[str, StringConstraints(max_length=250)] = ""
    patient_id: UUID


class Asked(_Body):
    """Keyed names, as this key makes them; the visit's counts where both are known."""

    visit: Hash | None = None
    person: Hash | None = Field(default=None, description="Then the newest that goes on.")


def routes(desk: Desk) -> APIRouter:
    """Senders and their numbers."""
    router = APIRouter(prefix="/v1/hl7", tags=["hl7"])

    @router.put("/senders/{source}")
    async def put_adt_sender(source: Code, wanted: AdtSender) -> dict[str, str]:
        """Enter a system that may send, or change how its words are taken."""
        await put_sender(desk.pool, source, wanted, wanted.terms)
        return {"source": source}

    @router.put("/senders/{source}/persons")
    async def put_person(source: Code, wanted: PersonNumber) -> dict[str, UUID]:
        """Say whom a sender's number means; so a hospital's roster is entered."""
        name = desk.seal.name(source, "person", wanted.number, wanted.authority)
        await edges.in_one_transaction(
            desk.pool, lambda: None, lambda conn: names.name(conn, name, wanted.patient_id)
        )
        return {"patient_id": wanted.patient_id}

    @router.post("/find")
    async def post_find(asked: Asked) -> dict[str, UUID]:
        """The admission that a sender's numbers mean; of a merged one, the one that goes on."""
        async with desk.pool.acquire() as conn:
            found = await _meant(conn, asked)
        if found is None:
            raise Rejected("admission_unknown", "No admission has these numbers.", "visit")
        return {"admission_id": found}

    return router


async def _meant(conn: Connection, asked: Asked) -> UUID | None:
    found = await names.find(conn, bytes.fromhex(asked.visit)) if asked.visit else None
    if found is None and asked.person:
        patient_id = await names.find(conn, bytes.fromhex(asked.person))
        return await open_of(conn, patient_id) if patient_id else None
    while found and (admission := await store.one(conn, found)) and admission.merged_into:
        found = admission.merged_into
    return found
