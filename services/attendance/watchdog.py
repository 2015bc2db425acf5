"""Not reported is not absent: asks for the roster of a session that is over, and finds silence.

Runs on the database clock and for sites on the wall clock only.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from handrail import sight, sites
from handrail.events.attendance import RosterOverdue
from handrail.outbox import Connection, stage
from handrail.telemetry import log
from handrail.transient import TRANSIENT

GRACE = timedelta(minutes=60)
SILENT_AFTER = timedelta(hours=24)
# A session that was over for longer before it was put on the schedule is history, not a duty.
LOOK_BACK = timedelta(days=3)
PAUSE_SECONDS = 5.0

_ASK = """
with due as (
    select s.session_id
    from sessions s join sites p using (site_id)
    where p.clock = 'wall' and not s.is_cancelled and s.roster_asked_at is null
        and s.starts_at between now() - $2::interval and now()
        and s.starts_at + make_interval(mins => s.planned_minutes) + $1::interval <= now()
        and exists (
            select from seats c
            where c.session_id = s.session_id and c.status = 'scheduled' and c.moved_to is null
        )
    order by s.session_id
    limit 200
    for update of s skip locked
), asked as (
    update sessions s set roster_asked_at = now() from due
    where s.session_id = due.session_id
    returning s.session_id, s.site_id, s.session_type, s.planned_on, s.starts_at,
        s.planned_minutes, s.roster_asked_at
)
select a.session_id, a.site_id, a.session_type, a.planned_on,
    a.starts_at + make_interval(mins => a.planned_minutes) as ended_at, a.roster_asked_at,
    c.admission_id
from asked a join seats c using (session_id)
where c.status = 'scheduled' and c.moved_to is null
order by a.session_id, c.admission_id
"""
_OVERDUE = """
select s.session_id, s.session_type, s.held_on, s.starts_at, s.planned_minutes, s.track,
    s.roster_asked_at, count(*) as seats_waiting
from sessions s join seats c using (session_id)
where s.site_id = $1 and s.roster_asked_at is not null and not s.is_cancelled
    and s.roster_asked_at > now() - interval '30 days'
    and c.status = 'scheduled' and c.moved_to is null
group by s.session_id order by s.starts_at, s.session_id
limit 1000
"""
_SILENT = """
select s.site_id, min(s.starts_at) as since, count(*) as sessions_not_reported
from sessions s
where s.roster_asked_at > now() - interval '30 days' and not s.is_cancelled
    and exists (
        select from seats c
        where c.session_id = s.session_id and c.status = 'scheduled' and c.moved_to is null
    )
group by s.site_id
having min(s.roster_asked_at) <= now() - $1::interval
    and not exists (
        select from sessions o join seats c using (session_id)
        where o.site_id = s.site_id and o.starts_at > now() - interval '30 days'
            and c.recorded_at > now() - $1::interval
    )
order by since, s.site_id
"""


async def ask(conn: Connection) -> int:
    """Ask once for each roster that is overdue. Gives how many seats are waited for."""
    waiting = await conn.fetch(_ASK, GRACE, LOOK_BACK)
    if not waiting:
        return 0
    known = await sites.load(conn, (row["site_id"] for row in waiting))
    await stage(conn, [_told(row, known[row["site_id"]]) for row in waiting])
    return len(waiting)


async def overdue(conn: Connection, site_id: str) -> list[dict[str, Any]]:
    """Sessions of a site whose roster was asked for and did not come, the oldest first."""
    return [dict(row) for row in await conn.fetch(_OVERDUE, site_id)]


async def silent_feeds(conn: Connection, after: timedelta) -> list[dict[str, Any]]:
    """Sites that were asked for a roster so long ago and have reported nothing since."""
    return [dict(row) for row in await conn.fetch(_SILENT, after)]


async def now_silent(pool: asyncpg.Pool, after: timedelta = SILENT_AFTER) -> list[dict[str, Any]]:
    """The silent feeds of this moment: of whole sites, whatever the caller sees; nobody is named."""
    with sight.seeing(None):
        async with pool.acquire() as conn:
            return await silent_feeds(conn, after)


async def run(pool: asyncpg.Pool, committed: Callable[[], None]) -> None:
    """Ask for what is overdue and tell the operator of silence. Runs for ever."""
    told: set[str] = set()
    while True:
        with contextlib.suppress(*TRANSIENT):
            async with pool.acquire() as conn:
                async with conn.transaction():
                    asked = await ask(conn)
                silent = {row["site_id"] for row in await silent_feeds(conn, SILENT_AFTER)}
            if asked:
                committed()
            _alarm(sorted(silent - told))
            told = silent
        await asyncio.sleep(PAUSE_SECONDS)


def _alarm(silent: Sequence[str]) -> None:
    for site_id in silent:
        log.error("watchdog.feed_is_silent", site=site_id)


def _told(row: asyncpg.Record, site: sites.Site) -> RosterOverdue:
    at: datetime = row["roster_asked_at"]
    return RosterOverdue(
        site_id=row["site_id"],
        admission_id=row["admission_id"],
        session_id=row["session_id"],
        session_type=row["session_type"],
        planned_on=row["planned_on"],
        occurred_at=at,
        recorded_at=at,
        recorded_day=site.recorded_day(at),
        ended_at=row["ended_at"],
    )
