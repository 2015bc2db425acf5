"""The rows of the clock to the first session. Commands never write these columns.

Who was seen under a duplicate that was merged into this admission has been seen.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from handrail.outbox import Connection
from handrail.writes import of_rows, write
from intake.rules.clock import Clock, Visit

_LOAD = """
select a.* from unnest($1::uuid[]) as named (admission_id)
cross join lateral (
    select admission_id, site_id, status, referral_source, referred_at,
        first_session_id, first_session_on, first_session_at, went_cold_at
    from admissions a where a.admission_id = named.admission_id offset 0
) a
union
select a.* from unnest($2::text[], $3::timestamptz[]) as t (site_id, until)
cross join lateral (
    select admission_id, site_id, status, referral_source, referred_at,
        first_session_id, first_session_on, first_session_at, went_cold_at
    from admissions a
    where a.site_id = t.site_id
        and a.first_session_at is null and a.status in ('referred', 'waitlisted', 'admitted')
        and a.referred_at <= t.until and a.went_cold_at is null
        and not exists (
            select from admissions d
            where d.merged_into = a.admission_id and d.first_session_at is not null offset 0
        )
    offset 0
) a
"""
_WAITING = """
select admission_id, site_id, status, referral_source, referred_at,
    first_session_id, first_session_on, first_session_at, went_cold_at
from admissions a
where site_id = $1 and first_session_at is null
    and status in ('referred', 'waitlisted', 'admitted') and referred_at <= $2
    and not exists (
        select from admissions d
        where d.merged_into = a.admission_id and d.first_session_at is not null
    )
order by referred_at, admission_id limit $3
"""
_SAVE = """
update admissions as a set
    first_session_id = t.session_id, first_session_on = t.day, first_session_at = t.at,
    went_cold_at = t.went_cold_at
from unnest($1::uuid[], $2::uuid[], $3::date[], $4::timestamptz[], $5::timestamptz[])
    as t (admission_id, session_id, day, at, went_cold_at)
where a.admission_id = t.admission_id
"""
_VISITS = """
select admission_id, session_id, attended_on, attended_at
from visits where admission_id = any($1::uuid[])
"""
_ENTER = """
insert into visits (admission_id, session_id, attended_on, attended_at)
select * from unnest($1::uuid[], $2::uuid[], $3::date[], $4::timestamptz[])
on conflict (admission_id, session_id) do update
set attended_on = excluded.attended_on, attended_at = excluded.attended_at
"""
_STRIKE = """
delete from visits as v using unnest($1::uuid[], $2::uuid[]) as t (admission_id, session_id)
where v.admission_id = t.admission_id and v.session_id = t.session_id
"""


async def load(conn: Connection, ids: Iterable[UUID], until: Mapping[str, datetime]) -> list[Clock]:
    """The clocks of these admissions, and of who was referred at a site until then, unseen."""
    rows = await conn.fetch(_LOAD, list(ids), list(until), list(until.values()))
    return [_clock(row) for row in rows]


async def waiting(
    conn: Connection, site_id: str, referred_until: datetime, limit: int
) -> list[Clock]:
    """Who was referred until then and has not been seen; the longest wait first."""
    return [_clock(row) for row in await conn.fetch(_WAITING, site_id, referred_until, limit)]


async def visits(conn: Connection, ids: Iterable[UUID]) -> list[tuple[UUID, Visit]]:
    """All visits of these admissions."""
    asked = list(ids)
    rows = await conn.fetch(_VISITS, asked) if asked else []
    return [(row[0], Visit(row[1], row[2], row[3])) for row in rows]


async def enter(conn: Connection, changed: Mapping[tuple[UUID, UUID], Visit | None]) -> None:
    """Write visits, and strike those that were none."""
    kept = [(*key, v.attended_on, v.attended_at) for key, v in changed.items() if v]
    gone = [key for key, visit in changed.items() if visit is None]
    await write(conn, of_rows(_ENTER, kept), of_rows(_STRIKE, gone))


async def save(conn: Connection, clocks: Sequence[Clock]) -> None:
    """Write how these clocks stand."""
    await write(conn, of_rows(_SAVE, map(_row, clocks)))


def _row(clock: Clock) -> tuple[Any, ...]:
    seen = clock.first
    first = (seen.session_id, seen.attended_on, seen.attended_at) if seen else (None,) * 3
    return (clock.admission_id, *first, clock.went_cold_at)


def _clock(row: "asyncpg.Record") -> Clock:
    first = None
    if row["first_session_at"]:
        first = Visit(row["first_session_id"], row["first_session_on"], row["first_session_at"])
    return Clock(
        row["admission_id"],
        row["site_id"],
        row["status"],
        row["referral_source"],
        row["referred_at"],
        first,
        row["went_cold_at"],
    )
