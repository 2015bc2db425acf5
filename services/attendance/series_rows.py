"""Statements about series, who is expected at them, and the sessions made from them."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from attendance.facts import Session
from attendance.series import SOURCE, Member, Series
from handrail.outbox import Connection
from handrail.writes import of_rows, write

# Whoever changes a series or who is in it waits here.
_LOAD = """
select site_id, series_key, track, program_id, session_type, modality, mode, planned_minutes,
    recurrence, holidays, planned_through, topic
from series where site_id = $1 and series_key = $2 for update
"""
_DUE = """
select site_id, series_key, track, program_id, session_type, modality, mode, planned_minutes,
    recurrence, holidays, planned_through, topic
from series where site_id = $1 and planned_through < $2 order by series_key for update
"""
_OF_SITE = """
select site_id, series_key, track, program_id, session_type, modality, mode, planned_minutes,
    recurrence, holidays, planned_through, topic
from series where site_id = $1 order by series_key
"""
_SAVE = """
insert into series (
    site_id, series_key, track, program_id, session_type, modality, mode, planned_minutes,
    recurrence, holidays, planned_through, topic
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict (site_id, series_key) do update set
    track = excluded.track, program_id = excluded.program_id,
    session_type = excluded.session_type, modality = excluded.modality, mode = excluded.mode,
    planned_minutes = excluded.planned_minutes, recurrence = excluded.recurrence,
    holidays = excluded.holidays, planned_through = excluded.planned_through,
    topic = excluded.topic
"""
_MEMBERS = """
select site_id, series_key, admission_id, from_on, until_on
from series_members
where site_id = $1 and series_key = any($2::text[]) and coalesce(until_on, $3) >= $3
order by series_key, admission_id
"""
_SAVE_MEMBER = """
insert into series_members (site_id, series_key, admission_id, from_on, until_on)
values ($1, $2, $3, $4, $5)
on conflict (site_id, series_key, admission_id) do update set
    from_on = excluded.from_on, until_on = excluded.until_on
"""
_MEMBER = """
select site_id, series_key, admission_id, from_on, until_on
from series_members where site_id = $1 and series_key = $2 and admission_id = $3
"""
_MADE = """
select session_id, site_id, source, session_key, session_type, modality, mode, held_on, planned_on,
    starts_at, planned_minutes, program_id, track, is_cancelled, series_key, topic
from sessions
where site_id = $1 and series_key = $2 and held_on between $3 and $4 order by held_on, session_id
for update
"""
_KEYS = """
select session_key from sessions where source = $1 and session_key = any($2::text[])
"""
# A key that is free again: the date may come back with a later rule.
_DROP = """
update sessions set is_cancelled = true, session_key = session_key || '#' || session_id
where session_id = any($1::uuid[])
"""
_WITHDRAW = """
delete from seats c
using unnest($1::uuid[], $2::uuid[]) as t (session_id, admission_id)
where c.session_id = t.session_id and c.admission_id = t.admission_id and c.status = 'scheduled'
"""
_AFTER_THE_END = """
select s.session_id, s.site_id, s.source, s.session_key, s.session_type, s.modality, s.mode,
    s.held_on, s.planned_on, s.starts_at, s.planned_minutes, s.program_id, s.track, s.is_cancelled,
    s.series_key, s.topic, c.admission_id
from sessions s join seats c using (session_id) join admissions a using (admission_id)
where s.site_id = $1 and s.held_on between $2 and $3 and not s.is_cancelled
    and c.status = 'scheduled' and c.moved_to is null and a.ended_on < s.held_on
order by s.session_id, c.admission_id
"""
_CALENDAR = """
select s.session_id, s.session_key, s.source, s.series_key, s.track, s.program_id, s.session_type,
    s.modality, s.topic, s.mode, s.held_on, s.starts_at, s.planned_minutes, s.is_cancelled,
    count(c.admission_id) filter (where c.moved_to is null) as seats
from sessions s left join seats c using (session_id)
where s.site_id = $1 and s.held_on between $2 and $3 and s.starts_at is not null
group by s.session_id order by s.starts_at, s.session_id
"""
_series_row = attrgetter(*Series.__dataclass_fields__)


async def load(conn: Connection, site_id: str, series_key: str) -> Series | None:
    """One series, locked until the transaction ends."""
    row = await conn.fetchrow(_LOAD, site_id, series_key)
    return Series(*row) if row else None


async def due(conn: Connection, site_id: str, through: date) -> list[Series]:
    """The series of a site whose sessions are not made up to this day, locked."""
    return [Series(*row) for row in await conn.fetch(_DUE, site_id, through)]


async def of_site(conn: Connection, site_id: str) -> list[Series]:
    """All series of a site."""
    return [Series(*row) for row in await conn.fetch(_OF_SITE, site_id)]


async def save(conn: Connection, series: Series) -> None:
    """Write a series."""
    await conn.execute(_SAVE, *_series_row(series))


async def members(
    conn: Connection, site_id: str, series_keys: Sequence[str], day: date
) -> list[Member]:
    """Who is expected at these series on this day or later."""
    return [Member(*row) for row in await conn.fetch(_MEMBERS, site_id, series_keys, day)]


async def member(conn: Connection, series: Series, admission_id: UUID) -> Member | None:
    """This person in this series."""
    row = await conn.fetchrow(_MEMBER, series.site_id, series.series_key, admission_id)
    return Member(*row) if row else None


async def save_member(conn: Connection, one: Member) -> None:
    """Write who is expected."""
    about = (one.site_id, one.series_key, one.admission_id)
    await conn.execute(_SAVE_MEMBER, *about, one.from_on, one.until_on)


async def made(conn: Connection, series: Series, first: date, last: date) -> list[Session]:
    """The sessions made from a series in these days, locked."""
    rows = await conn.fetch(_MADE, series.site_id, series.series_key, first, last)
    return [Session(*row) for row in rows]


async def keys_taken(conn: Connection, sessions: Iterable[Session]) -> set[str]:
    """Which of these sessions are made already, or were cancelled or moved."""
    rows = await conn.fetch(_KEYS, SOURCE, [session.session_key for session in sessions])
    return {row["session_key"] for row in rows}


async def drop(conn: Connection, sessions: Sequence[Session]) -> None:
    """Take sessions off the calendar."""
    if sessions:
        await conn.execute(_DROP, [session.session_id for session in sessions])


async def withdraw(conn: Connection, places: Sequence[tuple[UUID, UUID]]) -> None:
    """Take planned seats away, by session and admission."""
    await write(conn, of_rows(_WITHDRAW, places))


async def after_the_end(
    conn: Connection, site_id: str, first: date, last: date
) -> list[tuple[Session, UUID]]:
    """Planned seats, in these days, of people whose admission ends before."""
    rows = await conn.fetch(_AFTER_THE_END, site_id, first, last)
    return [(Session(*list(row)[:-1]), row["admission_id"]) for row in rows]


async def calendar(conn: Connection, site_id: str, first: date, last: date) -> list[dict[str, Any]]:
    """The sessions with an hour in these days, with how many seats each has."""
    return [dict(row) for row in await conn.fetch(_CALENDAR, site_id, first, last)]


_OVERDUE = """
with asked as (
    update sessions s set roster_asked_at = $4
    where s.site_id = $1 and s.held_on between $2 and $3 and s.starts_at is not null
        and not s.is_cancelled and s.roster_asked_at is null
        and exists (
            select from seats c
            where c.session_id = s.session_id and c.status = 'scheduled' and c.moved_to is null
        )
    returning s.session_id, s.session_type, s.planned_on,
        s.starts_at + make_interval(mins => s.planned_minutes) as ended_at
)
select a.session_id, a.session_type, a.planned_on, a.ended_at, c.admission_id
from asked a join seats c using (session_id)
where c.status = 'scheduled' and c.moved_to is null
order by a.session_id, c.admission_id
"""
_HAS_PLANS = """
select site_id from unnest($1::text[]) as t (site_id)
where exists (select from series s where s.site_id = t.site_id)
    or exists (
        select from sessions s join sites p using (site_id)
        where s.site_id = t.site_id and s.held_on > p.closed_through - 3 and s.starts_at is not null
    )
"""


async def ask_for_rosters(
    conn: Connection, site_id: str, days: tuple[date, date], at: datetime
) -> list[dict[str, Any]]:
    """The planned seats of these days that nobody has reported; each session is asked for once."""
    return [dict(row) for row in await conn.fetch(_OVERDUE, site_id, *days, at)]


async def with_plans(conn: Connection, site_ids: Iterable[str]) -> set[str]:
    """Which of these sites have a series, or planned sessions whose days are open."""
    asked = list(site_ids)
    return {row["site_id"] for row in await conn.fetch(_HAS_PLANS, asked)} if asked else set()
