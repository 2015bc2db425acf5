"""What a command reads does not grow with the admissions there were: rows and pages are counted."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from handrail.sight import SEES_ALL
from operate import databases
from operate.bench import filling
from operate.home import Home
from operate.parts.postgres import Postgres
from tests.bench.desk import of_attendance, of_intake, take

FEW, MANY = 1_000, 30_000
# Rows that the statements of this transaction have read, by scan or by index.
ROWS = "select coalesce(sum(seq_tup_read + idx_tup_fetch), 0) from pg_stat_xact_user_tables"
PAGES = """
select sum(heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read) from pg_statio_user_tables
"""


async def cost(url: str, service: str) -> tuple[dict[str, int], int]:
    """Rows that each command reads, and pages that all of them touch."""
    conn = await asyncpg.connect(url, server_settings=SEES_ALL)
    watcher = await asyncpg.connect(url, server_settings=SEES_ALL)
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
    conn = await asyncpg.connect(url, server_settings=SEES_ALL)
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
