"""How far a site's days are over for alerts."""

from datetime import date

import asyncpg

from alerts import progress
from handrail.topics import PARTITIONS

SITE = (
    "insert into sites (site_id, time_zone, clock, closed_through) values ($1, 'UTC', 'wall', $2)"
)
OVER = """
insert into days_over (site_id, partition, day) values ('north', $1, $2)
on conflict (site_id, partition) do update set day = excluded.day
"""


async def test_a_day_is_over_once_the_last_partition_has_heard_of_it(pool: asyncpg.Pool) -> None:
    before, first, second = date(2026, 1, 4), date(2026, 1, 5), date(2026, 1, 6)
    for site_id in ("north", "south"):
        await pool.execute(SITE, site_id, before)

    await pool.executemany(OVER, [(p, second) for p in range(PARTITIONS - 1)])
    assert await said(pool) == (None, {"north": "2026-01-04", "south": "2026-01-04"})

    await pool.execute(OVER, PARTITIONS - 1, first)
    assert await said(pool) == (first, {"north": "2026-01-05", "south": "2026-01-04"})

    await pool.execute(OVER, PARTITIONS - 1, second)
    assert await said(pool) == (second, {"north": "2026-01-06", "south": "2026-01-04"})


async def said(pool: asyncpg.Pool) -> tuple[date | None, dict[str, str]]:
    """What is told of one site, and of each."""
    async with pool.acquire() as conn:
        return await progress.over_through(conn, "north"), await progress.by_site(pool)
