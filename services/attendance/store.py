"""Attendance's own tables."""

from collections.abc import Iterable, Sequence
from datetime import date
from operator import attrgetter
from typing import Any
from uuid import UUID

from attendance.facts import Admission, Seat, Session
from handrail.outbox import Connection
from handrail.writes import Write, of_rows, write

_ADMISSIONS = """
select admission_id, site_id, status, admitted_on, ended_on, held_from, held_until, weekly_minutes,
    program_id, erased_at
from admissions where admission_id = any($1::uuid[])
"""
_SAVE_ADMISSIONS = """
insert into admissions as a
    (admission_id, site_id, status, admitted_on, ended_on, held_from, held_until, weekly_minutes,
    program_id, erased_at)
select * from unnest(
    $1::uuid[], $2::text[], $3::text[], $4::date[], $5::date[], $6::date[], $7::date[], $8::int[],
    $9::text[], $10::timestamptz[]
) as t (
    admission_id, site_id, status, admitted_on, ended_on, held_from, held_until, weekly_minutes,
    program_id, erased_at
)
order by t.admission_id
on conflict (admission_id) do update set
    status = excluded.status, admitted_on = excluded.admitted_on, ended_on = excluded.ended_on,
    held_from = excluded.held_from, held_until = excluded.held_until,
    weekly_minutes = excluded.weekly_minutes, program_id = excluded.program_id,
    erased_at = coalesce(a.erased_at, excluded.erased_at)
"""
# The lock on a session is the lock on all its seats; they are taken in the order of the outer query.
# One by one: where the server has not counted the table yet, it would read all sessions for a few.
_SESSIONS = """
select s.* from (
    select unnest($1::uuid[]) as session_id
    union
    select k.session_id
    from unnest($2::text[], $3::text[]) as t (source, session_key)
    cross join lateral (
        select session_id from sessions s
        where s.source = t.source and s.session_key = t.session_key offset 0
    ) k
    order by session_id
) as named
cross join lateral (
    select s.session_id, s.site_id, s.source, s.session_key, s.session_type, s.modality, s.mode,
        s.held_on, s.planned_on, s.starts_at, s.planned_minutes, s.program_id, s.track,
        s.is_cancelled, s.series_key, s.topic
    from sessions s where s.session_id = named.session_id for update
) s
"""
_OPEN_SESSIONS = """
insert into sessions (
    session_id, site_id, source, session_key, session_type, modality, mode, held_on, planned_on,
    starts_at, planned_minutes, program_id, track, is_cancelled, series_key, topic
)
select * from unnest(
    $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::date[],
    $9::date[], $10::timestamptz[], $11::int[], $12::text[], $13::text[], $14::boolean[],
    $15::text[], $16::text[]
)
"""
_CANCEL_SESSIONS = "update sessions set is_cancelled = true where session_id = $1"
_SEATS = """
select session_id, admission_id, status, minutes, minutes_late, left_early, mode, attended_on,
    reason, recorded_at, version, made_up_in, moved_to, guests, joined_at, left_at
from seats where session_id = any($1::uuid[])
"""
_SAVE_SEATS = """
insert into seats (
    session_id, admission_id, status, minutes, minutes_late, left_early, mode, attended_on,
    reason, recorded_at, version, made_up_in, moved_to, guests, joined_at, left_at
)
select * from unnest(
    $1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::int[], $6::boolean[], $7::text[],
    $8::date[], $9::text[], $10::timestamptz[], $11::int[], $12::uuid[], $13::uuid[], $14::int[],
    $15::timestamptz[], $16::timestamptz[]
)
on conflict (session_id, admission_id) do update set
    status = excluded.status, minutes = excluded.minutes, minutes_late = excluded.minutes_late,
    left_early = excluded.left_early, mode = excluded.mode, attended_on = excluded.attended_on,
    reason = excluded.reason, recorded_at = excluded.recorded_at, version = excluded.version,
    made_up_in = excluded.made_up_in, moved_to = excluded.moved_to, guests = excluded.guests,
    joined_at = excluded.joined_at, left_at = excluded.left_at
"""
_SESSIONS_OF_DAY = """
select s.session_id, s.site_id, s.session_type, s.modality, s.topic, s.mode, s.held_on,
    s.planned_on, s.starts_at, s.planned_minutes, s.program_id, s.track, s.is_cancelled, s.series_key,
    c.expected, c.recorded
from sessions s
cross join lateral (
    select count(*) as expected, count(*) filter (where c.status <> 'scheduled') as recorded
    from seats c where c.session_id = s.session_id and c.moved_to is null
) c
where s.site_id = $1 and s.held_on = $2 order by s.starts_at nulls last, s.session_id
"""
# $1: programmes, or null for all.
_SITES = """
select site_id, time_zone, clock, closed_through from sites t
where exists (
    select from sessions s
    where s.site_id = t.site_id and ($1::text[] is null or s.program_id = any($1))
)
order by site_id
"""
_ONE_SESSION = """
select session_id, site_id, session_type, modality, topic, mode, held_on, planned_on, starts_at,
    planned_minutes, program_id, track, is_cancelled, series_key
from sessions where session_id = $1
"""
_ROSTER = """
select admission_id, status, minutes, minutes_late, left_early, mode, attended_on, reason,
    recorded_at, version, made_up_in, moved_to, guests, joined_at, left_at
from seats where session_id = $1 order by admission_id
"""
_ATTENDANCE = """
select s.session_id, s.session_type, s.modality, s.topic, s.held_on, s.planned_on, s.planned_minutes,
    c.status, c.minutes, c.minutes_late, c.left_early, c.mode, c.attended_on, c.reason,
    c.recorded_at, c.version, c.made_up_in, c.moved_to, c.guests, c.joined_at, c.left_at
from seats c join sessions s using (session_id)
where c.admission_id = $1 order by s.held_on, s.session_id
"""
_admission_row = attrgetter(*Admission.__dataclass_fields__)
_session_row = attrgetter(*Session.__dataclass_fields__)
_seat_row = attrgetter(*Seat.__dataclass_fields__)


async def admissions(conn: Connection, ids: Iterable[UUID]) -> dict[UUID, Admission]:
    """These admissions."""
    rows = await conn.fetch(_ADMISSIONS, list(set(ids)))
    return {row["admission_id"]: Admission(*row) for row in rows}


async def save_admissions(conn: Connection, changed: Iterable[Admission]) -> None:
    """Write these admissions with one statement."""
    await write(conn, of_rows(_SAVE_ADMISSIONS, map(_admission_row, changed)))


async def sessions(
    conn: Connection, ids: Iterable[UUID], names: Iterable[tuple[str, str]]
) -> dict[UUID, Session]:
    """The sessions with these identifiers or senders' keys, locked until the transaction ends."""
    ids, named = list(set(ids)), list(set(names))
    if not ids and not named:
        return {}
    rows = await conn.fetch(
        _SESSIONS, ids, [source for source, _ in named], [key for _, key in named]
    )
    return {row["session_id"]: Session(*row) for row in rows}


def opened(sessions: Iterable[Session]) -> Write | None:
    """New sessions. Raises asyncpg.UniqueViolationError when a key was taken meanwhile."""
    return of_rows(_OPEN_SESSIONS, map(_session_row, sessions))


async def cancel_sessions(conn: Connection, ids: Sequence[UUID]) -> None:
    """Note that these sessions are not held."""
    if ids:
        await conn.executemany(_CANCEL_SESSIONS, [(one,) for one in ids])


async def seats(conn: Connection, session_ids: Sequence[UUID]) -> dict[tuple[UUID, UUID], Seat]:
    """All seats of these sessions, by session and admission."""
    if not session_ids:
        return {}
    rows = await conn.fetch(_SEATS, session_ids)
    return {(row["session_id"], row["admission_id"]): Seat(*row) for row in rows}


def seated(changed: Iterable[Seat]) -> Write | None:
    """These seats as they are now."""
    return of_rows(_SAVE_SEATS, map(_seat_row, changed))


async def sessions_of_day(conn: Connection, site_id: str, day: date) -> list[dict[str, Any]]:
    """The sessions of a site's day, by their start."""
    return [dict(row) for row in await conn.fetch(_SESSIONS_OF_DAY, site_id, day)]


async def sites_of(conn: Connection, programs: Sequence[str] | None) -> list[dict[str, Any]]:
    """The sites where these programmes, or any, hold sessions."""
    return [dict(row) for row in await conn.fetch(_SITES, programs)]


async def session_with_roster(conn: Connection, session_id: UUID) -> dict[str, Any] | None:
    """One session and its seats."""
    row = await conn.fetchrow(_ONE_SESSION, session_id)
    if row is None:
        return None
    roster = [dict(seat) for seat in await conn.fetch(_ROSTER, session_id)]
    return {**dict(row), "roster": roster}


async def attendance_of(conn: Connection, admission_id: UUID) -> list[dict[str, Any]]:
    """Every seat of an admission, in order of the session's day."""
    return [dict(row) for row in await conn.fetch(_ATTENDANCE, admission_id)]
