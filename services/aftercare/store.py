"""Aftercare's own tables."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import date
from operator import attrgetter
from typing import Any
from uuid import UUID

from aftercare.rules import FollowUp, HandOff
from handrail.outbox import Connection

_LEARN = """
insert into admissions (admission_id, site_id)
select * from unnest($1::uuid[], $2::text[])
on conflict (admission_id) do nothing
"""
_SITES_OF_ADMISSIONS = """
select admission_id, site_id from admissions where admission_id = any($1::uuid[])
"""
_SITES_OF_HAND_OFFS = """
select distinct site_id from hand_offs where step_down_id = any($1::uuid[])
"""
_WAITING = """
select h.step_down_id
from unnest($1::text[], $2::date[]) as t (site_id, day)
join hand_offs h on h.site_id = t.site_id and h.first_visit_on <= t.day
    and h.status in ('started', 'accepted')
union
select f.step_down_id
from unnest($1::text[], $2::date[]) as t (site_id, day)
join follow_ups f on f.site_id = t.site_id and f.due_on <= t.day
    and f.status in ('planned', 'due')
"""
_LOAD = """
select step_down_id, admission_id, site_id, destination, receiver, started_on, first_visit_on,
    status, visited_on
from hand_offs where step_down_id = any($1::uuid[]) order by step_down_id for update
"""
_FOLLOW_UPS = """
select step_down_id, follow_up_day, due_on, status
from follow_ups where step_down_id = any($1::uuid[]) order by step_down_id, follow_up_day
"""
_SAVE = """
insert into hand_offs (
    step_down_id, admission_id, site_id, destination, receiver, started_on, first_visit_on,
    status, visited_on
)
select * from unnest(
    $1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::date[], $7::date[],
    $8::text[], $9::date[]
)
on conflict (step_down_id) do update set
    status = excluded.status, visited_on = excluded.visited_on
"""
_SAVE_FOLLOW_UPS = """
insert into follow_ups as f (step_down_id, site_id, follow_up_day, due_on, status)
select * from unnest($1::uuid[], $2::text[], $3::int[], $4::date[], $5::text[])
on conflict (step_down_id, follow_up_day) do update set status = excluded.status
where f.status <> excluded.status
"""
_PAGE = """
select step_down_id, admission_id, site_id, destination, receiver, started_on, first_visit_on,
    status, visited_on
from hand_offs
where ($1::text is null or site_id = $1)
    and ($2::boolean is null or $2 = (status in ('started', 'accepted', 'missed')))
    and ($3::uuid is null or step_down_id > $3)
order by step_down_id limit $4
"""
_ONE = """
select step_down_id, admission_id, site_id, destination, receiver, started_on, first_visit_on,
    status, visited_on
from hand_offs where step_down_id = $1
"""
_row = attrgetter(*(column.name for column in fields(HandOff) if column.name != "follow_ups"))


async def learn_admissions(conn: Connection, seen: Mapping[UUID, str]) -> None:
    """Enter admissions heard of for the first time, with their sites."""
    if seen:
        await conn.execute(_LEARN, list(seen), list(seen.values()))


async def sites_of_admissions(conn: Connection, ids: Iterable[UUID]) -> dict[UUID, str]:
    """The site of each of these admissions."""
    rows = await conn.fetch(_SITES_OF_ADMISSIONS, list(set(ids)))
    return {row["admission_id"]: row["site_id"] for row in rows}


async def sites_of_hand_offs(conn: Connection, ids: Iterable[UUID]) -> set[str]:
    """The sites of these hand-offs."""
    rows = await conn.fetch(_SITES_OF_HAND_OFFS, list(set(ids)))
    return {row["site_id"] for row in rows}


async def waiting(conn: Connection, through: Mapping[str, date]) -> set[UUID]:
    """The hand-offs on which the end of a day up to each site's given one may have an effect."""
    if not through:
        return set()
    rows = await conn.fetch(_WAITING, list(through), list(through.values()))
    return {row["step_down_id"] for row in rows}


async def load(conn: Connection, ids: Iterable[UUID]) -> dict[UUID, HandOff]:
    """These hand-offs with their follow-ups, locked until the transaction ends."""
    wanted = list(set(ids))
    if not wanted:
        return {}
    rows = await conn.fetch(_LOAD, wanted)
    calls = await _follow_ups(conn, wanted)
    return {row[0]: HandOff(**dict(row), follow_ups=tuple(calls[row[0]])) for row in rows}


async def save(conn: Connection, changed: Sequence[HandOff]) -> None:
    """Write these hand-offs and their follow-ups with two statements."""
    if not changed:
        return
    await conn.execute(_SAVE, *map(list, zip(*map(_row, changed), strict=True)))
    calls = [
        (h.step_down_id, h.site_id, f.follow_up_day, f.due_on, f.status)
        for h in changed
        for f in h.follow_ups
    ]
    await conn.execute(_SAVE_FOLLOW_UPS, *map(list, zip(*calls, strict=True)))


async def page(
    conn: Connection,
    site_id: str | None,
    *,
    is_open: bool | None,
    after: UUID | None,
    limit: int,
) -> list[dict[str, Any]]:
    """A page of hand-offs in order of their identifier."""
    return [dict(row) for row in await conn.fetch(_PAGE, site_id, is_open, after, limit)]


async def one(conn: Connection, step_down_id: UUID) -> dict[str, Any] | None:
    """One hand-off with its follow-ups, not locked."""
    row = await conn.fetchrow(_ONE, step_down_id)
    if row is None:
        return None
    calls = (await _follow_ups(conn, [step_down_id]))[step_down_id]
    return {**dict(row), "follow_ups": calls}


async def _follow_ups(conn: Connection, ids: list[UUID]) -> defaultdict[UUID, list[FollowUp]]:
    calls: defaultdict[UUID, list[FollowUp]] = defaultdict(list)
    for row in await conn.fetch(_FOLLOW_UPS, ids):
        calls[row["step_down_id"]].append(
            FollowUp(row["follow_up_day"], row["due_on"], row["status"])
        )
    return calls
