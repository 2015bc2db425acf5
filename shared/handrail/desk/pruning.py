"""Forgets what was settled long ago: a repeat of it is known by its time and by its receipts."""

import asyncio
import contextlib

import asyncpg

from handrail.desk.contents import Contents
from handrail.transient import TRANSIENT

LOOK_SECONDS = 3600.0
AT_ONCE = 1000

_FORGET = """
delete from hl7_messages where message_id in (
    select message_id from hl7_messages
    where state <> 'kept' and settled_at < now() - $1 * interval '1 day'
    limit $2 for update skip locked
) returning message_id
"""


async def forget(pool: asyncpg.Pool, keep_days: int, contents: Contents) -> int:
    """Delete what was settled before, a piece at a time. How many rows that were.

    What is kept for review stays; what is nobody's, `contents` lets go.
    """
    gone, last = 0, AT_ONCE
    while last == AT_ONCE:
        rows = await pool.fetch(_FORGET, keep_days, AT_ONCE)
        await contents.close([row["message_id"] for row in rows])
        last = len(rows)
        gone += last
    return gone


async def run(pool: asyncpg.Pool, keep_days: int, contents: Contents) -> None:
    """Forget, for ever."""
    while True:
        with contextlib.suppress(*TRANSIENT):
            await forget(pool, keep_days, contents)
        await asyncio.sleep(LOOK_SECONDS)
