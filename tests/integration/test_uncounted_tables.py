"""What goes by key reads no more than its keys, also where the server has not counted the tables yet."""

from typing import Any

import pytest

from alerts import board
from alerts import store as telling
from attendance import store as seating
from handrail import inbox, receipts, relay
from intake import store as admitting
from intake.store import clock, people
from operate.home import Home
from operate.parts.postgres import Postgres
from tests.integration.kit import pool_of_its_own

ASKED = 10
KIT = """
insert into inbox_streams (owner, key, sequence, incarnation)
select 'intake', lpad(to_hex(n), 32, '0')::uuid, 1, 1 from generate_series(1, 20000) n;
insert into outbox (shard, partition, key, sequence, event_id, type, occurred_at, data)
select 0, 0, gen_random_uuid(), 1, gen_random_uuid(), 'x', now(), ''
from generate_series(1, 20000);
insert into outbox_pending (id, shard, partition) select id, 0, 0 from outbox;
insert into receipts (source, key) select 'api', n::text from generate_series(1, 20000) n;
"""
FILL = {
    "intake": """
insert into admissions (
    admission_id, patient_id, site_id, status, referral_source, referred_at, chart
)
select lpad(to_hex(n), 32, '0')::uuid, lpad(to_hex(n), 32, '0')::uuid, 'north', 'referred', 'self',
    now(), '{}'
from generate_series(1, 20000) n;
insert into visits (admission_id, session_id, attended_on, attended_at)
select admission_id, admission_id, current_date, now() from admissions;
""",
    "attendance": """
insert into admissions (admission_id, site_id, status)
select lpad(to_hex(n), 32, '0')::uuid, 'north', 'admitted' from generate_series(1, 20000) n;
insert into sessions (
    session_id, site_id, source, session_key, session_type, modality, mode, held_on, planned_on,
    planned_minutes
)
select admission_id, 'north', 'api', row_number() over (order by admission_id), 'group', 'cbt',
    'in_person', current_date, current_date, 60
from admissions;
insert into seats (session_id, admission_id, status, mode)
select admission_id, admission_id, 'scheduled', 'in_person' from admissions;
""",
    "alerts": """
insert into admissions (admission_id, site_id, partition, watched, pending, body)
select lpad(to_hex(n), 32, '0')::uuid, 'north', 0, true, true, '' from generate_series(1, 20000) n;
insert into facts (admission_id, owner, sequence, body)
select admission_id, 'intake', 1, '' from admissions;
insert into people (admission_id, program_id, track)
select admission_id, 'iop', 'none' from admissions;
insert into concerns (
    concern_id, admission_id, site_id, spell, level, kind, reasons, opened_on, owner_role
)
select admission_id, admission_id, 'north', 1, 1, 'x', '{}', current_date, 'counsellor'
from admissions;
insert into alerts (alert_id, concern_id, admission_id, site_id, level, kind, reasons, tells, day)
select admission_id, admission_id, admission_id, 'north', 1, 'x', '{}', '{}', current_date
from admissions;
""",
}
CROSS_OFF = "delete from outbox_pending where id <= (select max(id) - 10 from outbox_pending)"
TABLES = (
    "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
)
FILLED = ("receipts", "outbox", "admissions", "sessions", "seats", "facts", "concerns", "alerts")
COUNTED = "select count(*) from pg_class where relname = any($1::text[]) and reltuples <> -1"
READ = "select coalesce(sum(seq_tup_read + idx_tup_fetch), 0) from pg_stat_xact_user_tables"

KEYS = [str(n) for n in range(1, ASKED + 1)]
IDS = [f"{n:032x}" for n in range(1, ASKED + 1)]
LEVELS = [2] * ASKED
CHANGED = " returning 1"
STATEMENTS: dict[str, dict[str, tuple[str, tuple[Any, ...]]]] = {
    "intake": {
        "receipts": (receipts._FIND, (["api"] * ASKED, KEYS)),
        "streams": (inbox._STANDING, ("intake", IDS)),
        "pending": (relay._PENDING, ([0, 1], relay.BATCH)),
        "admissions": (admitting._LOAD, (IDS,)),
        "admissions as they are": (admitting._BY_ID, (IDS,)),
        "clocks": (clock._LOAD, (IDS, [], [])),
        "visits": (clock._VISITS, (IDS,)),
        "last seen": (people._LAST_SEEN, (IDS,)),
        "visits struck": (clock._STRIKE + CHANGED, (IDS, IDS)),
    },
    "attendance": {
        "receipts": (receipts._FIND, (["api"] * ASKED, KEYS)),
        "streams": (inbox._STANDING, ("intake", IDS)),
        "pending": (relay._PENDING, ([0, 1], relay.BATCH)),
        "sessions by name": (seating._SESSIONS, ([], ["api"] * ASKED, KEYS)),
        "sessions": (seating._SESSIONS, (IDS, [], [])),
        "seats": (seating._SEATS, (IDS,)),
        "admissions": (seating._ADMISSIONS, (IDS,)),
    },
    "alerts": {
        "receipts": (receipts._FIND, (["api"] * ASKED, KEYS)),
        "streams": (inbox._STANDING, ("intake", IDS)),
        "pending": (relay._PENDING, ([0, 1], relay.BATCH)),
        "admissions": (telling._LOAD, (IDS,)),
        "facts": (telling._FACTS, (IDS,)),
        "taken back": (board._TAKE_BACK, (IDS, IDS, LEVELS)),
    },
}


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
@pytest.mark.parametrize("service", list(FILL))
async def test_a_statement_reads_its_keys_and_no_more(
    template: tuple[Postgres, Home],
    alerts_template: tuple[Postgres, Home],
    attendance_template: tuple[Postgres, Home],
    service: str,
    mode: str,
) -> None:
    """A service is there before the first row, and goes on with the plans it made then."""
    # Of one server; what names them has migrated their databases.
    assert template == alerts_template == attendance_template
    pool = await pool_of_its_own(template, service)
    async with pool.acquire() as conn:
        for row in await conn.fetch(TABLES):
            await conn.execute(f"alter table {row['relname']} set (autovacuum_enabled = false)")
        await conn.execute(f"set plan_cache_mode = {mode}")
        for statement, arguments in STATEMENTS[service].values():
            await conn.fetch(statement, *arguments)
        await conn.execute(KIT)
        await conn.execute(FILL[service])
        await conn.execute(CROSS_OFF)
        assert await conn.fetchval(COUNTED, FILLED) == 0
        read = {}
        for name, (statement, arguments) in STATEMENTS[service].items():
            async with conn.transaction():
                before = await conn.fetchval(READ)
                rows = await conn.fetch(statement, *arguments)
                read[name] = int(await conn.fetchval(READ) - before)
            assert len(rows) == ASKED, name
    await pool.close()

    assert {name: count for name, count in read.items() if count > 4 * ASKED} == {}
