"""How far a site's days are over here. Attendance closes them, and each partition hears of it."""

from datetime import date

import asyncpg

from handrail.outbox import Connection
from handrail.topics import PARTITIONS

_THROUGH = """
select case when count(*) = $2 then min(day) end from days_over where site_id = $1
"""
# Until each partition has heard of a first day: the day before it.
_BY_SITE = """
select s.site_id, case when count(o.day) = $1 then min(o.day) else s.closed_through end as day
from sites s left join days_over o using (site_id) group by s.site_id order by s.site_id
"""


async def over_through(conn: Connection, site_id: str) -> date | None:
    """The last day that is over for the whole site."""
    day: date | None = await conn.fetchval(_THROUGH, site_id, PARTITIONS)
    return day


async def by_site(pool: asyncpg.Pool) -> dict[str, str]:
    """The last day that is over of each site, as its ISO date."""
    return {
        row["site_id"]: row["day"].isoformat() for row in await pool.fetch(_BY_SITE, PARTITIONS)
    }
