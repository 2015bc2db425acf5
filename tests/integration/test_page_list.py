"""The list over many concerns: what it costs does not grow with what is closed."""

import json
from collections.abc import AsyncIterator

import asyncpg
import pytest

from alerts.page import store
from alerts.page.access import Member
from alerts.page.store import Filter

MEMBER = Member(b"", "nora", "counsellor", ("iop-evening",), "")
OPEN, CLOSED = 10_000, 40_000
FILL = """
with made as (
    select gen_random_uuid() as admission_id, n from generate_series(1, $1::int) as n
)
insert into concerns (
    concern_id, admission_id, site_id, spell, level, kind, reasons, opened_on, owner_role,
    due_at, closed_at, ending, program_id, track
)
select gen_random_uuid(), admission_id, 'north', 1, 1 + n % 3, 'single_miss',
    array['missed a session'], date '2026-11-02', 'primary_clinician',
    now() + n * interval '1 minute', case when $2::int = 1 then now() end, case when $2 = 1 then 'returned' end,
    'iop-evening', 'evening'
from made
"""
SITE = "insert into sites (site_id, time_zone, clock, closed_through) values ('north', 'UTC', 'wall', '2026-11-01')"


@pytest.fixture
async def conn(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    async with pool.acquire() as connection:
        yield connection


async def read(conn: asyncpg.Connection) -> int:
    """How many 8 kB pages the list touches, where it sees its own programme alone."""
    arguments = (MEMBER.programs, None, None, None, 3, None, store.PAGE, 0, MEMBER.subject)
    words = "explain (analyze, buffers, format json) " + store.OPEN
    async with conn.transaction():
        await conn.execute("select set_config('handrail.programs', '{iop-evening}', true)")
        plan = json.loads(await conn.fetchval(words, *arguments))[0]["Plan"]
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])


async def test_ten_thousand_open_concerns_cost_the_same_whatever_is_closed(
    conn: asyncpg.Connection,
) -> None:
    await conn.execute(SITE)
    await conn.execute(FILL, OPEN, 0)
    await conn.execute("vacuum analyze concerns")
    before = await read(conn)
    await conn.execute(FILL, CLOSED, 1)
    await conn.execute("vacuum analyze concerns")

    after = await read(conn)
    rows, total = await store.open_concerns(conn, MEMBER, Filter())

    assert (len(rows), total) == (store.PAGE, OPEN)
    assert rows == sorted(rows, key=lambda r: (r["level"], r["due_at"]))
    assert after < 1.5 * before
