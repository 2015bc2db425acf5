"""Statements about promised time, made-up visits and the sites' policies."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from attendance.facts import Session
from attendance.moves import Booked
from handrail.outbox import Connection
from handrail.writes import Write, of_rows

# Whoever books the same person waits here; the next statement sees what was booked before.
_LOCK = """
select admission_id from admissions
where admission_id = any($1::uuid[]) order by admission_id for update
"""
_PROMISED = """
select c.admission_id, s.session_id, s.starts_at,
    s.starts_at + make_interval(mins => s.planned_minutes) as ends_at
from seats c join sessions s using (session_id)
where c.admission_id = any($1::uuid[]) and c.status in ('scheduled', 'attended')
    and c.moved_to is null and not s.is_cancelled and s.starts_at between $2 and $3
"""
_MADE_UP = """
select c.admission_id, c.made_up_in
from unnest($1::uuid[], $2::uuid[]) as t (admission_id, session_id)
join seats c on c.admission_id = t.admission_id and c.made_up_in = t.session_id
"""
_POLICIES = """
select site_id, late_cancellation_hours from policies where site_id = any($1::text[])
"""
_SAVE_POLICIES = """
insert into policies (site_id, late_cancellation_hours)
select * from unnest($1::text[], $2::int[])
on conflict (site_id) do update set late_cancellation_hours = excluded.late_cancellation_hours
"""
_ONE_DAY = timedelta(days=1)


async def promised(
    conn: Connection, persons: Iterable[UUID], to: Sequence[Session]
) -> dict[UUID, list[Booked]]:
    """The time these persons have promised around these sessions; their bookings are locked."""
    starts: list[datetime] = [session.starts_at for session in to if session.starts_at]
    asked = sorted(set(persons))
    found: dict[UUID, list[Booked]] = {person: [] for person in asked}
    if not starts or not asked:
        return found
    await conn.fetch(_LOCK, asked)
    rows = await conn.fetch(_PROMISED, asked, min(starts) - _ONE_DAY, max(starts) + _ONE_DAY)
    for person, *time in rows:
        found[person].append(Booked(*time))
    return found


async def made_up(conn: Connection, visits: Sequence[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
    """Which of these visits, by admission and session, made up a miss already."""
    if not visits:
        return set()
    rows = await conn.fetch(_MADE_UP, *map(list, zip(*visits, strict=True)))
    return {(row["admission_id"], row["made_up_in"]) for row in rows}


async def policies(conn: Connection, site_ids: Iterable[str]) -> dict[str, int]:
    """The notice in hours that each of these sites asks for, where it has said so."""
    asked = list(site_ids)
    return dict(await conn.fetch(_POLICIES, asked)) if asked else {}


def asked_for(hours: Mapping[str, int]) -> Write | None:
    """The notice that sites ask for."""
    return of_rows(_SAVE_POLICIES, hours.items())
