"""What goes by key reads no more than its keys, also where the server has not counted the tables yet."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from attendance import store
from handrail import inbox, receipts, relay
from handrail.outbox import Connection
from operate.home import Home
from operate.parts.postgres import Postgres
from tests.integration.kit import pool_of_its_own

ASKED = 10
FILL = """
insert into receipts (source, key) select 'api', n::text from generate_series(1, 20000) n;
insert into inbox_streams (owner, key, sequence, incarnation)
select 'intake', lpad(to_hex(n), 32, '0')::uuid, 1, 1 from generate_series(1, 20000) n;
insert into sessions (
    session_id, site_id, source, session_key, session_type, modality, mode, held_on, planned_on,
    planned_minutes
)
select lpad(to_hex(n), 32, '0')::uuid, 'north', 'api', n::text, 'group', 'cbt', 'in_person',
    current_date, current_date, 60
from generate_series(1, 20000) n;
insert into outbox (shard, partition, key, sequence, event_id, type, occurred_at, data)
select 0, 0, gen_random_uuid(), 1, gen_random_uuid(), 'x', now(), ''
from generate_series(1, 20000);
insert into outbox_pending (id, shard, partition) select id, 0, 0 from outbox;
"""
CROSS_OFF = "delete from outbox_pending where id <= (select max(id) - 10 from outbox_pending)"
TABLES = ("receipts", "inbox_streams", "sessions", "outbox", "outbox_pending")
COUNTED = "select count(*) from pg_class where relname = any($1::text[]) and reltuples <> -1"
READ = "select coalesce(sum(seq_tup_read + idx_tup_fetch), 0) from pg_stat_xact_user_tables"

KEYS = [str(n) for n in range(1, ASKED + 1)]
IDS = [f"{n:032x}" for n in range(1, ASKED + 1)]
STATEMENTS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "receipts": (receipts._FIND, (["api"] * ASKED, KEYS)),
    "streams": (inbox._STANDING, ("intake", IDS)),
    "sessions by name": (store._SESSIONS, ([], ["api"] * ASKED, KEYS)),
    "sessions": (store._SESSIONS, (IDS, [], [])),
    "pending": (relay._PENDING, ([0, 1], relay.BATCH)),
}


@pytest.fixture
async def conn(attendance_template: tuple[Postgres, Home]) -> AsyncIterator[Connection]:
    """Attendance's empty tables, which nobody counts."""
    pool = await pool_of_its_own(attendance_template, "attendance")
    async with pool.acquire() as conn:
        for table in TABLES:
            await conn.execute(f"alter table {table} set (autovacuum_enabled = false)")
        yield conn
    await pool.close()


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
async def test_a_statement_reads_its_keys_and_no_more(conn: Connection, mode: str) -> None:
    """A service is there before the first row, and goes on with the plans it made then."""
    await conn.execute(f"set plan_cache_mode = {mode}")
    for statement, arguments in STATEMENTS.values():
        assert await conn.fetch(statement, *arguments) is not None
    await conn.execute(FILL)
    await conn.execute(CROSS_OFF)
    assert await conn.fetchval(COUNTED, list(TABLES)) == 0
    read = {}
    for name, (statement, arguments) in STATEMENTS.items():
        async with conn.transaction():
            before = await conn.fetchval(READ)
            rows = await conn.fetch(statement, *arguments)
            read[name] = int(await conn.fetchval(READ) - before)
        assert len(rows) == ASKED, name

    assert {name: count for name, count in read.items() if count > 4 * ASKED} == {}
