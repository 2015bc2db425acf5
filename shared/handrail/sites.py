"""Sites and their days: the only place where a clock of the wall becomes a clinical day."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import asyncpg

from handrail.events import DayClosed
from handrail.outbox import Connection, stage
from handrail.topics import PARTITIONS

_LEARN = """
insert into sites (site_id, time_zone, clock, closed_through)
select * from unnest($1::text[], $2::text[], $3::text[], $4::date[])
on conflict (site_id) do nothing
"""
# Referrals of one site lie on many partitions: the earliest opens it, whichever comes first.
_OPEN_EARLIER = """
update sites as s set closed_through = t.day
from unnest($1::text[], $2::date[]) as t (site_id, day)
where s.site_id = t.site_id and not s.has_closed and s.closed_through > t.day
"""
# The share lock keeps the day open until this transaction is over: what it stages is in the
# outbox before the day's own `day_closed`.
_LOAD = """
select site_id, time_zone, clock, closed_through from sites
where site_id = any($1::text[]) order by site_id for share
"""
_HOLD = """
select site_id, time_zone, clock, closed_through from sites
where site_id = any($1::text[]) order by site_id for update
"""
_CLOSE = """
update sites as s set closed_through = t.day, has_closed = true
from unnest($1::text[], $2::date[]) as t (site_id, day)
where s.site_id = t.site_id and s.closed_through < t.day
"""
_ALL = "select site_id, time_zone, clock, closed_through from sites order by site_id"
_ONE_DAY = timedelta(days=1)

BeforeClose: TypeAlias = Callable[[Connection, "Site", date, datetime], Awaitable[None]]


class UnknownTimeZoneError(ValueError):
    """The name is not an IANA time zone."""


@lru_cache(maxsize=256)
def zone_of(name: str) -> ZoneInfo:
    """The IANA zone called `name`. Raises UnknownTimeZoneError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownTimeZoneError(name) from error


@dataclass(frozen=True, slots=True)
class Site:
    """A place where sessions are held. `clock` is `replay` where recorded history is played."""

    site_id: str
    time_zone: str
    clock: str
    closed_through: date

    def day_of(self, at: datetime) -> date:
        """The local day of a moment."""
        return at.astimezone(zone_of(self.time_zone)).date()

    def recorded_day(self, at: datetime) -> date:
        """The open day in which something recorded at `at` counts."""
        return max(self.day_of(at), self.closed_through + _ONE_DAY)

    def end_of(self, day: date) -> datetime:
        """The last microsecond of a local day."""
        midnight = datetime.combine(day + _ONE_DAY, datetime.min.time(), zone_of(self.time_zone))
        return midnight.astimezone(UTC) - timedelta(microseconds=1)


async def learn(conn: Connection, seen: Iterable[tuple[str, str, str, date]]) -> None:
    """Enter sites heard of for the first time: (site_id, time_zone, clock, first day)."""
    rows: dict[str, tuple[str, str, date]] = {}
    for site_id, time_zone, clock, day in seen:
        if site_id not in rows or day < rows[site_id][2]:
            rows[site_id] = (time_zone, clock, day)
    if rows:
        zones, clocks, days = zip(*rows.values(), strict=True)
        before = [day - _ONE_DAY for day in days]
        await conn.execute(_LEARN, list(rows), list(zones), list(clocks), before)
        await conn.execute(_OPEN_EARLIER, list(rows), before)


async def load(conn: Connection, site_ids: Iterable[str]) -> dict[str, Site]:
    """These sites, with their days held open until the transaction ends."""
    return await _fetch(conn, _LOAD, site_ids)


async def hold(conn: Connection, site_ids: Iterable[str]) -> dict[str, Site]:
    """Lock sites whose days shall be closed, before anyone in this transaction shares them."""
    return await _fetch(conn, _HOLD, site_ids)


async def _fetch(conn: Connection, query: str, site_ids: Iterable[str]) -> dict[str, Site]:
    wanted = sorted(set(site_ids))
    rows = await conn.fetch(query, wanted) if wanted else []
    return {row["site_id"]: Site(**dict(row)) for row in rows}


async def move(conn: Connection, closed: Mapping[str, date]) -> None:
    """Move each held site's last closed day."""
    if closed:
        await conn.execute(_CLOSE, list(closed), list(closed.values()))


async def all_sites(conn: Connection) -> list[Site]:
    """Every site, in order of its identifier."""
    return [Site(**dict(row)) for row in await conn.fetch(_ALL)]


async def closed(pool: asyncpg.Pool) -> dict[str, str]:
    """The last closed day of each site, as its ISO date."""
    async with pool.acquire() as conn:
        return {s.site_id: s.closed_through.isoformat() for s in await all_sites(conn)}


async def known(conn: Connection) -> dict[str, Site]:
    """Every site by its identifier, not held."""
    return {site.site_id: site for site in await all_sites(conn)}


async def close_day(
    conn: Connection,
    site_id: str,
    day: date,
    closed: type[DayClosed],
    before: BeforeClose | None = None,
) -> bool:
    """Close a site's days up to `day`: first what hangs on the day's end, then one event a partition.

    False when the day was closed already, or the site is not known.
    """
    site = (await hold(conn, [site_id])).get(site_id)
    if site is None or site.closed_through >= day:
        return False
    end = site.end_of(day)
    if before:
        await before(conn, site, day, end)
    await stage(conn, closed_events(closed, site, day))
    await move(conn, {site_id: day})
    return True


def closed_events(closed: type[DayClosed], site: Site, day: date) -> list[DayClosed]:
    """The `day_closed` events of a site's day, one a partition."""
    return [closed_event(closed, site, day, partition) for partition in range(PARTITIONS)]


def closed_event(closed: type[DayClosed], site: Site, day: date, partition: int) -> DayClosed:
    """The `day_closed` event of one site, day and partition."""
    end = site.end_of(day)
    return closed(
        site_id=site.site_id,
        occurred_at=end,
        recorded_at=end,
        recorded_day=day,
        partition=partition,
        day=day,
    )


def due_days(site: Site, now: datetime, grace: timedelta) -> list[date]:
    """The local days of a wall-clock site that are over and not closed yet, in order."""
    if site.clock != "wall":
        return []
    last = site.day_of(now - grace) - _ONE_DAY
    count = (last - site.closed_through).days
    return [site.closed_through + timedelta(days=n + 1) for n in range(max(0, count))]
