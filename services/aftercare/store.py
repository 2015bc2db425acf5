"""Aftercare's own tables."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import date
from operator import attrgetter
from typing import Any
from uuid import UUID

from aftercare.facts import Chart, FollowUp, HandOff
from handrail.outbox import Connection
from handrail.writes import of_rows, write

_LEARN = """
insert into admissions (admission_id, site_id, program_id)
select * from unnest($1::uuid[], $2::text[], $3::text[])
on conflict (admission_id) do update set program_id = excluded.program_id
where excluded.program_id is not null
"""
_MERGE = """
update admissions a set merged_into = t.survivor_id
from unnest($1::uuid[], $2::uuid[]) as t (admission_id, survivor_id)
where a.admission_id = t.admission_id
"""
# All that were merged, directly or in turn, into one of these; and these.
_UNDER = """
with recursive under as (
    select admission_id from unnest($1::uuid[]) as t (admission_id)
    union
    select a.admission_id from admissions a join under u on a.merged_into = u.admission_id
)
select h.step_down_id from hand_offs h join under using (admission_id)
"""
_HOMES = """
select admission_id, site_id, merged_into is not null as is_merged
from admissions where admission_id = any($1::uuid[])
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
union
select h.step_down_id
from unnest($1::text[], $2::date[]) as t (site_id, day)
join hand_offs h on h.site_id = t.site_id and h.return_due_on <= t.day
    and h.return_state = 'asked'
"""
_LOAD = """
select step_down_id, admission_id, site_id, destination, receiver, started_on, first_visit_on,
    status, visited_on, warm_on, declined_by, declined_reason, alumni_since, return_state,
    return_asked_on, return_due_on, chart, survivor_of(admission_id) as survivor_id
from hand_offs where step_down_id = any($1::uuid[]) order by step_down_id for update
"""
_FOLLOW_UPS = """
select step_down_id, follow_up_day, due_on, status
from follow_ups where step_down_id = any($1::uuid[]) order by step_down_id, follow_up_day
"""
_SAVE = """
insert into hand_offs (
    step_down_id, admission_id, site_id, destination, receiver, started_on, first_visit_on,
    status, visited_on, warm_on, declined_by, declined_reason, alumni_since, return_state,
    return_asked_on, return_due_on, chart
)
select * from unnest(
    $1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::date[], $7::date[],
    $8::text[], $9::date[], $10::date[], $11::text[], $12::text[], $13::date[], $14::text[],
    $15::date[], $16::date[], $17::jsonb[]
)
on conflict (step_down_id) do update set
    first_visit_on = excluded.first_visit_on, status = excluded.status,
    visited_on = excluded.visited_on, warm_on = excluded.warm_on,
    declined_by = excluded.declined_by, declined_reason = excluded.declined_reason,
    alumni_since = excluded.alumni_since, return_state = excluded.return_state,
    return_asked_on = excluded.return_asked_on, return_due_on = excluded.return_due_on,
    chart = excluded.chart
"""
_SAVE_FOLLOW_UPS = """
insert into follow_ups as f (step_down_id, site_id, follow_up_day, due_on, status)
select * from unnest($1::uuid[], $2::text[], $3::int[], $4::date[], $5::text[])
on conflict (step_down_id, follow_up_day) do update set status = excluded.status
where f.status <> excluded.status
"""
_PAGE = """
select step_down_id, survivor_of(admission_id) as admission_id, site_id, destination, receiver,
    started_on, first_visit_on, status, visited_on, warm_on, declined_by, declined_reason,
    alumni_since, return_state, return_asked_on, return_due_on
from hand_offs
where ($1::text is null or site_id = $1)
    and ($2::boolean is null or $2 = (status in ('started', 'accepted', 'missed')))
    and ($3::uuid is null or step_down_id > $3)
order by step_down_id limit $4
"""
_ONE = """
select step_down_id, survivor_of(admission_id) as admission_id, site_id, destination, receiver,
    started_on, first_visit_on, status, visited_on, warm_on, declined_by, declined_reason,
    alumni_since, return_state, return_asked_on, return_due_on, chart
from hand_offs where step_down_id = $1
"""
_columns = [c.name for c in fields(HandOff) if c.name not in {"chart", "survivor_id", "follow_ups"}]
_row = attrgetter(*_columns)


async def learn_admissions(conn: Connection, seen: Mapping[UUID, tuple[str, str | None]]) -> None:
    """Enter admissions with their sites, and with their programmes as far as these are told."""
    if seen:
        sites, programs = zip(*seen.values(), strict=True)
        await conn.execute(_LEARN, list(seen), list(sites), list(programs))


async def homes(conn: Connection, ids: Iterable[UUID]) -> dict[UUID, tuple[str, bool]]:
    """The site of each of these admissions, and whether it is merged into another."""
    rows = await conn.fetch(_HOMES, list(set(ids)))
    return {row["admission_id"]: (row["site_id"], row["is_merged"]) for row in rows}


async def merge(conn: Connection, into: Mapping[UUID, UUID | None]) -> None:
    """These admissions are merged into others, or are themselves again."""
    await conn.execute(_MERGE, list(into), list(into.values()))


async def under(conn: Connection, ids: Iterable[UUID]) -> list[UUID]:
    """The hand-offs of these admissions and of those merged into them, not locked."""
    return [row["step_down_id"] for row in await conn.fetch(_UNDER, list(set(ids)))]


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
    return {
        row["step_down_id"]: HandOff(
            **{**dict(row), "chart": Chart.model_validate_json(row["chart"])},
            follow_ups=tuple(calls[row["step_down_id"]]),
        )
        for row in rows
    }


async def save(conn: Connection, changed: Sequence[HandOff]) -> None:
    """Write these hand-offs and their follow-ups."""
    rows = [(*_row(h), h.chart.model_dump_json(exclude_defaults=True)) for h in changed]
    calls = [
        (h.step_down_id, h.site_id, f.follow_up_day, f.due_on, f.status)
        for h in changed
        for f in h.follow_ups
    ]
    # One after the other: a follow-up may be written where its hand-off is seen.
    await write(conn, of_rows(_SAVE, rows))
    await write(conn, of_rows(_SAVE_FOLLOW_UPS, calls))


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
    charted = Chart.model_validate_json(row["chart"])
    return {**dict(row), "chart": charted.model_dump(), "follow_ups": calls}


async def _follow_ups(conn: Connection, ids: list[UUID]) -> defaultdict[UUID, list[FollowUp]]:
    calls: defaultdict[UUID, list[FollowUp]] = defaultdict(list)
    for row in await conn.fetch(_FOLLOW_UPS, ids):
        calls[row["step_down_id"]].append(
            FollowUp(row["follow_up_day"], row["due_on"], row["status"])
        )
    return calls
