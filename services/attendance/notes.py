"""Statements about what is noted of a person outside sessions: barriers, contacts, screens."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import orjson

from handrail.events import AdmissionEvent
from handrail.outbox import Connection
from handrail.writes import Write, of_rows

Change: TypeAlias = tuple[UUID, str, datetime, bool]

_OPEN = """
select b.admission_id, b.barrier
from unnest($1::uuid[], $2::text[]) as t (admission_id, barrier)
join barriers b using (admission_id, barrier) where b.lifted_at is null for update of b
"""
_SAVE = """
insert into barriers (admission_id, barrier, noted_at, lifted_at)
select admission_id, barrier, at, case when is_open then null else at end
from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::boolean[])
    as t (admission_id, barrier, at, is_open)
on conflict (admission_id, barrier) do update set
    noted_at = case when excluded.lifted_at is null then excluded.noted_at else barriers.noted_at end,
    lifted_at = excluded.lifted_at
"""
_BARRIERS = """
select barrier, noted_at, lifted_at from barriers where admission_id = $1 order by noted_at, barrier
"""
_REASONS = """
select reason, count(*) as misses from seats
where admission_id = $1 and status in ('no_show', 'late_cancellation') and made_up_in is null
group by reason order by misses desc, reason
"""
# What was noted stands in the admission's own stream, in order.
_TOLD = "select data from outbox where key = $1 and type = $2 order by sequence"


async def open_barriers(
    conn: Connection, asked: Collection[tuple[UUID, str]]
) -> set[tuple[UUID, str]]:
    """Which of these barriers, by admission and code, stand now."""
    if not asked:
        return set()
    rows = await conn.fetch(_OPEN, *map(list, zip(*sorted(asked), strict=True)))
    return {(row["admission_id"], row["barrier"]) for row in rows}


def noted(changes: Sequence[Change]) -> Write | None:
    """The last change of each barrier."""
    return of_rows(_SAVE, {change[:2]: change for change in changes}.values())


async def barriers(conn: Connection, admission_id: UUID) -> dict[str, Any]:
    """What stands or stood in the way, and the reasons given for misses."""
    noted = [dict(row) for row in await conn.fetch(_BARRIERS, admission_id)]
    reasons = [dict(row) for row in await conn.fetch(_REASONS, admission_id)]
    return {"barriers": noted, "reasons_of_misses": reasons}


async def told(
    conn: Connection, admission_id: UUID, event: type[AdmissionEvent], fields: Sequence[str]
) -> list[dict[str, Any]]:
    """These fields of every event of this kind about an admission, oldest first."""
    rows = await conn.fetch(_TOLD, admission_id, event.type)
    found = [orjson.loads(row["data"]) for row in rows]
    return [{name: one[name] for name in ("occurred_at", "recorded_at", *fields)} for one in found]
