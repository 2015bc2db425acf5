"""The personal fields of attendance: sealing what was written in the clear, and erasing."""

import asyncio
import contextlib
from collections.abc import Collection
from uuid import UUID

import asyncpg

from attendance import measures
from attendance.measures import COLUMN
from handrail.desk import store as messages
from handrail.outbox import Connection
from handrail.personal.vault import FIRST, Vault
from handrail.receipts import Rejected
from handrail.telemetry import log
from handrail.transient import TRANSIENT

LOOK_SECONDS = 60.0
BATCH = 500

_PLAIN = """
select admission_id, instrument, answered_at, answers from measures
where answers <> '{}' limit $1
"""
# Only what still stands as it was read: the code before may have written it again.
_SEAL = """
update measures as m set sealed = t.sealed, answers = '{}'
from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::jsonb[], $5::bytea[])
    as t (admission_id, instrument, answered_at, answers, sealed)
where m.admission_id = t.admission_id and m.instrument = t.instrument
    and m.answered_at = t.answered_at and m.answers = t.answers
"""
_ERASED = """
select admission_id from admissions
where erased_at is not null and admission_id > $1 order by admission_id limit $2
"""
_MARK = """
update admissions set erased_at = now()
where admission_id = any($1::uuid[]) and erased_at is null returning admission_id
"""


async def forget(conn: Connection, vault: Vault | None, erased: Collection[UUID]) -> None:
    """Destroy the keys of these admissions and empty what they sealed; the rows stay."""
    if not erased:
        return
    if vault:
        await vault.erase(erased)
        await vault.drop(await messages.forget(conn, list(erased)))
    await measures.forget(conn, erased)


async def run(pool: asyncpg.Pool, vault: Vault) -> None:
    """Agree with the keys once; then seal, for ever, what stands in the clear."""
    agreed = False
    while True:
        with contextlib.suppress(*TRANSIENT):
            if not agreed:
                await agree(pool, vault)
                agreed = True
            while await seal_some(pool, vault) == BATCH:
                pass
        await asyncio.sleep(LOOK_SECONDS)


async def seal_some(pool: asyncpg.Pool, vault: Vault) -> int:
    """Seal a batch of answers that stand in the clear. Gives how many were found."""
    rows = await pool.fetch(_PLAIN, BATCH)
    if not rows:
        return 0
    fields = [(row["admission_id"], row["answers"].encode()) for row in rows]
    try:
        sealed = await vault.seal(COLUMN, fields)
    except Rejected:
        # Erased here or there, and written since by the code before.
        await agree(pool, vault)
        return len(rows)
    columns = zip(*(tuple(row) for row in rows), strict=True)
    await pool.execute(_SEAL, *map(list, columns), sealed)
    log.info("personal.sealed", count=len(rows))
    return len(rows)


async def agree(pool: asyncpg.Pool, vault: Vault) -> None:
    """After a restore of the data or of the keys: who is erased in one is erased in the other."""
    after = FIRST
    while found := [row[0] for row in await pool.fetch(_ERASED, after, BATCH)]:
        await vault.erase(found)
        after = found[-1]
    after = FIRST
    while found := await vault.erased(after):
        async with pool.acquire() as conn, conn.transaction():
            await conn.fetch(_MARK, found)
            await forget(conn, vault, found)
        after = found[-1]
