"""Forgets what was settled long ago: a repeat of it is known by its time and by its receipts."""

import asyncio
import contextlib

import asyncpg

from handrail.transient import TRANSIENT

LOOK_SECONDS = 3600.0
AT_ONCE = 1000

_FORGET = """
delete from hl7_messages where message_id in (
    select message_id from hl7_messages
    where state <> 'kept' and settled_at < now() - $1 * interval '1 day'
    limit $2 for update skip locked
) returning 1
"""


async def forget(pool: asyncpg.Pool, keep_days: int) -> int:
    """Delete what was settled before, a piece at a time. How many rows that were.

    What is kept for review stays, however old it is.
    """
    gone, last = 0, AT_ONCE
    while last == AT_ONCE:
        last = len(await pool.fetch(_FORGET, keep_days, AT_ONCE))
        gone += last
    return gone


async def run(pool: asyncpg.Pool, keep_days: int) -> None:
    """Forget, for ever."""
    while True:
        with contextlib.suppress(*TRANSIENT):
            await forget(pool, keep_days)
        await asyncio.sleep(LOOK_SECONDS)
