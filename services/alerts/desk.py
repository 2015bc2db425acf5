"""What the care team's list and work read and write."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from handrail import sites
from handrail.outbox import Connection
from handrail.sites import Site

_LOCK = """
select c.concern_id, c.admission_id, c.site_id, c.ending
from concerns c join admissions a using (admission_id)
where c.concern_id = $1 for update of a, c
"""
_CLOSED = "select min(day) from days_over where site_id = $1"
_ACKNOWLEDGE = """
update concerns set acknowledged_at = now(), due_at = null
where concern_id = $1 and acknowledged_at is null
"""
_OUTREACH = """
insert into outreach (outreach_id, concern_id, admission_id, channel, outcome, day, occurred_at)
values ($1, $2, $3, $4, $5, $6, $7)
"""
_ATTEMPTS = "select channel, outcome, day from outreach where concern_id = $1 order by occurred_at"
_NEXT = """
select coalesce(max(sequence), 0) + 1 from facts where admission_id = $1 and owner = $2
"""
_LIST = """
select c.concern_id, c.admission_id, c.site_id, c.spell, c.level, c.kind, c.reasons, c.opened_on,
    c.owner_role, c.acknowledged_at, c.due_at, c.escalations, c.ending, c.closed_on,
    case when c.closed_at is not null then 'closed'
        when c.acknowledged_at is not null then 'acknowledged' else 'open' end as state,
    (select count(*) from outreach o where o.concern_id = c.concern_id) as attempts,
    (select coalesce(jsonb_agg(jsonb_build_object(
        'alert_id', a.alert_id, 'level', a.level, 'kind', a.kind, 'day', a.day,
        'reasons', a.reasons, 'raised_at', a.raised_at, 'withdrawn_at', a.withdrawn_at,
        'trace_id', split_part(a.traceparent, '-', 2)) order by a.level desc), '[]')
     from alerts a where a.concern_id = c.concern_id) as alerts
from concerns c
where ($1::text is null or c.site_id = $1)
    and ($2::boolean is null or (c.closed_at is null) = $2)
    and ($3::uuid is null or c.concern_id = $3)
    and ($4::uuid is null or c.admission_id = $4)
order by c.level, c.opened_on, c.concern_id limit $5
"""
_DUE = """
select c.concern_id, c.admission_id, c.site_id, c.level from concerns c
where c.closed_at is null and c.acknowledged_at is null and c.due_at <= now()
order by c.due_at limit 100 for update skip locked
"""
_ESCALATED = """
update concerns set escalations = escalations + 1, due_at = null where concern_id = $1
"""


@dataclass(frozen=True, slots=True)
class Open:
    """A concern held for a change."""

    concern_id: UUID
    admission_id: UUID
    site: Site
    ending: str | None


async def lock(conn: Connection, concern_id: UUID) -> Open | None:
    """The concern, with its admission's row locked."""
    row = await conn.fetchrow(_LOCK, concern_id)
    if row is None:
        return None
    site = (await sites.load(conn, [row["site_id"]]))[row["site_id"]]
    closed = await conn.fetchval(_CLOSED, row["site_id"])
    site = replace(site, closed_through=closed or site.closed_through)
    return Open(row["concern_id"], row["admission_id"], site, row["ending"])


async def acknowledge(conn: Connection, concern_id: UUID) -> None:
    """Someone has it; its deadline is off."""
    await conn.execute(_ACKNOWLEDGE, concern_id)


async def add_outreach(
    conn: Connection,
    outreach: tuple[UUID, UUID, UUID, str, str],
    day: date,
    occurred_at: datetime,
) -> None:
    """Keep an attempt: (outreach_id, concern_id, admission_id, channel, outcome)."""
    await conn.execute(_OUTREACH, *outreach, day, occurred_at)


async def attempts(conn: Connection, concern_id: UUID) -> list[tuple[str, str, date]]:
    """The attempts so far: (channel, outcome, day)."""
    return [tuple(row) for row in await conn.fetch(_ATTEMPTS, concern_id)]


async def next_sequence(conn: Connection, admission_id: UUID, owner: str) -> int:
    """The next sequence of the care team's own facts of an admission."""
    return int(await conn.fetchval(_NEXT, admission_id, owner))


async def concerns(
    conn: Connection,
    *,
    site_id: str | None = None,
    is_open: bool | None = None,
    concern_id: UUID | None = None,
    admission_id: UUID | None = None,
    limit: int = 200,
) -> list[dict[str, Any]]:
    """Concerns with their alerts, most urgent and oldest first."""
    rows = await conn.fetch(_LIST, site_id, is_open, concern_id, admission_id, limit)
    return [dict(row) for row in rows]


async def due(conn: Connection) -> list[dict[str, Any]]:
    """Concerns whose deadline has passed by the database clock and that nobody has taken on."""
    return [dict(row) for row in await conn.fetch(_DUE)]


async def escalated(conn: Connection, concern_id: UUID) -> None:
    """The next role was told."""
    await conn.execute(_ESCALATED, concern_id)
