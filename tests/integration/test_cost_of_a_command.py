"""What a command reads does not grow with the admissions there were: rows and pages are counted."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from attendance import commands as attendance
from attendance import roster
from handrail.receipts import Result
from intake import admission
from intake import commands as intake
from operate import databases
from operate.bench import filling
from operate.home import Home
from operate.parts.postgres import Postgres

NOW = datetime.now(UTC)
FEW, MANY = 1_000, 30_000
Body = dict[str, Any]
# Rows that the statements of this transaction have read, by scan or by index.
ROWS = "select coalesce(sum(seq_tup_read + idx_tup_fetch), 0) from pg_stat_xact_user_tables"
PAGES = """
select sum(heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read) from pg_statio_user_tables
"""


def of_attendance(people: Sequence[str]) -> list[Body]:
    """An hour at the desk: a group planned, recorded and corrected; someone calls, someone moves."""
    day = NOW.date()
    group = {"site_id": "north", "session_type": "group", "planned_minutes": 180}
    ahead = (NOW + timedelta(days=3)).replace(hour=18)
    planned = group | {"planned_on": ahead.date(), "starts_at": ahead, "do": "schedule_session"}
    later = planned | {
        "starts_at": ahead + timedelta(days=1),
        "planned_on": (ahead + timedelta(days=1)).date(),
    }
    entries = [{"admission_id": p, "status": "no_show"} for p in people]
    return [
        group | {"do": "schedule_session", "session_key": "now", "planned_on": day, "roster": people},
        {"do": "take_roster", "session_key": "now", "entries": entries},
        {"do": "correct_attendance", "session_key": "now", "admission_id": people[0], "now": "attended", "minutes": 60},
        planned | {"session_key": "one", "roster": people},
        later | {"session_key": "two"},
        {"do": "cancel_seat", "session_key": "one", "admission_id": people[1]},
        {"do": "record_contact", "admission_id": people[0], "channel": "phone", "reached": True},
        {"do": "note_barrier", "admission_id": people[0], "barrier": "work"},
        {"do": "set_series", "site_id": "north", "series_key": "evening", "session_type": "group", "planned_minutes": 60, "recurrence": "DTSTART:20260302T173000\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE"},
        {"do": "join_series", "site_id": "north", "series_key": "evening", "admission_id": people[2], "from_on": day},
        {"do": "cancel_session", "session_key": "one"},
    ]  # fmt: skip


def of_intake(people: Sequence[str]) -> list[Body]:
    """A referral, and one person's plan, hold, team and end."""
    about = {"admission_id": people[0]}
    plan = {"weekly_minutes": 600, "sessions_per_week": 3, "goals": ["work"]}
    team = {"role": "supervisor", "staff_id": str(uuid4()), "from_on": NOW.date()}
    return [
        {"do": "receive_referral", "site_id": "north", "time_zone": "UTC"},
        about | plan | {"do": "change_plan", "review_on": (NOW + timedelta(days=14)).date()},
        about | team | {"do": "assign_role"},
        about | {"do": "put_on_hold", "reason": "leave"},
        about | {"do": "resume"},
        about | {"do": "discharge", "reason": "completed", "discharged_on": NOW.date()},
    ]


async def take(conn: asyncpg.Connection, service: str, body: Body) -> list[Result]:
    whole = [{"key": uuid4().hex, "occurred_at": NOW} | body]
    if service == "intake":
        return await admission.take(conn, intake.COMMANDS.validate_python(whole), NOW)
    return await roster.take(conn, attendance.COMMANDS.validate_python(whole), NOW)


async def cost(url: str, service: str) -> tuple[dict[str, int], int]:
    """Rows that each command reads, and pages that all of them touch."""
    conn = await asyncpg.connect(url)
    watcher = await asyncpg.connect(url)
    try:
        people = [str(r["admission_id"]) for r in await conn.fetch(filling.IN_CARE)][:8]
        said = of_intake(people) if service == "intake" else of_attendance(people)
        before = int(await watcher.fetchval(PAGES))
        rows = {}
        for body in said:
            async with conn.transaction():
                read = int(await conn.fetchval(ROWS))
                [result] = await take(conn, service, body)
                assert result.status == "applied", (body["do"], result.code)
                rows[body["do"]] = rows.get(body["do"], 0) + int(await conn.fetchval(ROWS)) - read
        await conn.execute("select pg_stat_force_next_flush()")
        await conn.close()
        return rows, int(await watcher.fetchval(PAGES)) - before
    finally:
        await watcher.close()


async def filled(template: tuple[Postgres, Home], service: str, count: int) -> str:
    """A database of this test's own with so many admissions behind it."""
    server, home = template
    base = databases.url_of(server.admin_url(), service, home)
    await asyncio.to_thread(databases.migrate, base, service)
    name = f"test_{uuid4().hex}"
    admin = await asyncpg.connect(server.admin_url())
    await admin.execute(f"create database {name} template {service} owner {service}")
    await admin.close()
    url = base.removesuffix(service) + name
    conn = await asyncpg.connect(url)
    await conn.execute(filling.SITE, "north")
    await conn.execute(filling.BY_SERVICE[service], count, "north")
    await conn.execute("vacuum analyze")
    await conn.close()
    return url


@pytest.mark.parametrize("service", ["attendance", "intake"])
async def test_a_command_reads_no_more_on_a_long_history(
    template: tuple[Postgres, Home], service: str
) -> None:
    few, few_pages = await cost(await filled(template, service, FEW), service)
    many, many_pages = await cost(await filled(template, service, MANY), service)

    # On a short history a small table is read whole, so the long one may read less.
    assert {do: rows for do, rows in many.items() if rows > few[do]} == {}
    assert few_pages > 0
    assert many_pages < 1.5 * few_pages
