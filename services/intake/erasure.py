"""Erases a person: their keys are destroyed, every service hears of it, and counts stay."""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from handrail import edges, outbox, sites
from handrail.access.guard import caller_of
from handrail.desk import store as messages
from handrail.events.intake import ErasureReason, PersonErased
from handrail.outbox import Connection
from handrail.personal.vault import FIRST, Vault
from handrail.receipts import Rejected
from handrail.transient import TRANSIENT
from intake import store
from intake.disclosures import ledger
from intake.disclosures.ledger import Entry
from intake.facts import BEFORE, OPEN, Admission
from intake.store import people

AGAIN_SECONDS = 5.0
BATCH = 500

_MARK = """
update admissions set erased_at = now()
where admission_id = any($1::uuid[]) and erased_at is null returning admission_id
"""
_ERASED = """
select admission_id from admissions
where erased_at is not null and admission_id > $1 order by admission_id limit $2
"""
_NOT_MARKED = """
select admission_id from admissions where admission_id = any($1::uuid[]) and erased_at is null
"""
# What led to the person, was written of them, or waits to be told. Rows that count stay; a message
# that is being tried is the courier's, who finds the person erased.
_EMPTY = (
    "delete from contacts where admission_id = any($1::uuid[])",
    """
    delete from hl7_newest where name in (select name from hl7_names where subject = any($1::uuid[]))
    """,
    "delete from hl7_names where subject = any($1::uuid[])",
    """
    update deliveries set data = null, reason = case state when 'waiting' then 'erased' else reason end,
        settled_at = coalesce(settled_at, now()),
        state = case state when 'waiting' then 'withheld' else state end
    where admission_id = any($1::uuid[]) and data is not null and not trying
    """,
)


class Erasure(BaseModel):
    """Why a person is erased."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    reason: ErasureReason


@dataclass(frozen=True, slots=True)
class Eraser:
    """What an erasure needs: the vault, and the key of the ledger."""

    vault: Vault
    ledger_key: bytes

    async def erase(
        self, conn: Connection, admission_id: UUID, reason: str, by: str
    ) -> dict[str, Any]:
        """Erase the person of this admission, with all their stays. Again changes nothing.

        Raises Rejected while a stay or a referral of theirs is open.
        """
        found = await _stays(conn, admission_id)
        if any(stay.status in OPEN | BEFORE for stay in found.values()):
            text = "End every stay and referral of the person first."
            raise Rejected("still_in_care", text, "admission_id")
        fresh = [row["admission_id"] for row in await conn.fetch(_MARK, list(found))]
        subjects = [*found, *{stay.patient_id for stay in found.values()}]
        await self._empty(conn, subjects)
        await self._tell(conn, [found[stay] for stay in fresh], reason, by)
        # Before the commit: a failure now is an erasure to be asked for again, and never a key left.
        await self.vault.erase(found)
        return {"admissions": len(found), "erased": len(fresh)}

    async def _empty(self, conn: Connection, subjects: Sequence[UUID]) -> None:
        for statement in _EMPTY:
            await conn.execute(statement, subjects)
        await self.vault.drop(await messages.forget(conn, subjects))

    async def _tell(
        self, conn: Connection, fresh: Collection[Admission], reason: str, by: str
    ) -> None:
        known = await sites.load(conn, {stay.site_id for stay in fresh})
        now: datetime = await conn.fetchval("select now()")
        told = [
            PersonErased(
                site_id=stay.site_id,
                admission_id=stay.admission_id,
                occurred_at=now,
                recorded_at=now,
                recorded_day=known[stay.site_id].recorded_day(now),
                reason=reason,
            )
            for stay in fresh
        ]
        await outbox.stage(conn, told)
        about = {"reason": reason, "by": by}
        entries = [Entry("person_erased", None, stay.admission_id, about) for stay in fresh]
        await ledger.append(conn, self.ledger_key, entries, now)

    async def agree(self, pool: asyncpg.Pool, committed: Callable[[], None]) -> None:
        """After a restore of the data or of the keys: who is erased in one is erased in the other."""
        after = FIRST
        while found := [row[0] for row in await pool.fetch(_ERASED, after, BATCH)]:
            await self.vault.erase(found)
            after = found[-1]
        after = FIRST
        while gone := await self.vault.erased(after):
            for row in await pool.fetch(_NOT_MARKED, gone):
                await edges.in_one_transaction(pool, committed, self._again(row[0]))
            after = gone[-1]

    def _again(self, admission_id: UUID) -> Callable[[Connection], Any]:
        async def erase(conn: Connection) -> None:
            # An older copy may have the stay open; its key is gone all the same.
            [fresh] = (await store.load(conn, [admission_id])).values()
            if await conn.fetch(_MARK, [admission_id]):
                await self._empty(conn, [admission_id, fresh.patient_id])
                await self._tell(conn, [fresh], "restored_backup", "restore")

        return erase

    async def run(self, pool: asyncpg.Pool, committed: Callable[[], None]) -> None:
        """Agree, once; while a database is away, again."""
        while True:
            with contextlib.suppress(*TRANSIENT):
                return await self.agree(pool, committed)
            await asyncio.sleep(AGAIN_SECONDS)


def routes(pool: asyncpg.Pool, committed: Callable[[], None], eraser: Eraser) -> APIRouter:
    """The one route of it, for the privacy officer."""
    router = APIRouter(prefix="/v1/admissions", tags=["personal"])

    @router.post("/{admission_id}/erasure")
    async def post_erasure(request: Request, admission_id: UUID, wanted: Erasure) -> dict[str, Any]:
        """Destroy the keys of the person whose admission this is, of all their stays, for good."""
        by = caller_of(request).subject
        return await edges.in_one_transaction(
            pool, committed, lambda conn: eraser.erase(conn, admission_id, wanted.reason, by)
        )

    return router


async def _stays(conn: Connection, admission_id: UUID) -> dict[UUID, Admission]:
    """All stays of the person, locked."""
    named = await store.one(conn, admission_id)
    if named is None:
        raise Rejected("admission_unknown", "No admission has that identifier.", "admission_id")
    listed = await people.admissions_of(conn, named.patient_id)
    return await store.load(conn, {row["admission_id"] for row in listed})
