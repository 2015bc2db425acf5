"""What the care team's list and work read and write."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from alerts import policies, progress
from alerts.duty import Duty, Where
from alerts.plan import Attempt
from alerts.policies import Policies
from alerts.policy import Policy
from handrail import sites
from handrail.outbox import Connection
from handrail.sites import Site, zone_of

_LOCK = """
select c.concern_id, c.admission_id, c.site_id, c.ending, c.level, c.next_step, c.due_at,
    c.escalate_at, c.acknowledged_at, c.snoozed_until, c.paused, c.escalations, now() as at
from concerns c join admissions a using (admission_id)
where c.concern_id = $1 for update of a, c
"""
_SET_DUTY = """
update concerns set next_step = $2, due_at = $3, escalate_at = $4, acknowledged_at = $5,
    snoozed_until = $6, escalations = $7
where concern_id = $1
"""
_ASSIGN = "update concerns set assigned_role = $2, assigned_to = $3 where concern_id = $1"
_SNOOZE_REASON = "update concerns set snooze_reason = $2 where concern_id = $1"
_OUTREACH = """
insert into outreach (
    outreach_id, concern_id, admission_id, channel, outcome, party, day, occurred_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_UNDO_OUTREACH = """
with undone as (
    delete from outreach where outreach_id = $1 and concern_id = $2
    returning outreach_id, concern_id, admission_id, channel, outcome, party, day, occurred_at
)
insert into outreach_undone (
    outreach_id, concern_id, admission_id, channel, outcome, party, day, occurred_at
)
select outreach_id, concern_id, admission_id, channel, outcome, party, day, occurred_at from undone
returning outreach_id
"""
_ATTEMPTS = """
select channel, outcome, day, party from outreach
where concern_id = $1
    or concern_id in (select m.concern_id from moved_concerns m where m.goes_on_as = $1)
order by occurred_at, recorded_at
"""
_NEXT = """
select coalesce(max(sequence), 0) + 1 from facts where admission_id = $1 and owner = $2
"""
_LIST = """
select c.concern_id, c.admission_id, c.site_id, c.spell, c.level, c.kind, c.reasons, c.opened_on,
    c.owner_role, c.acknowledged_at, c.due_at, c.escalations, c.ending, c.closed_on,
    c.next_step, c.escalate_at, c.snoozed_until, c.snooze_reason, c.assigned_role, c.assigned_to,
    c.paused, c.policy_version, c.table_version,
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
_LATE = """
select c.concern_id, c.admission_id, c.site_id, c.ending, c.level, c.next_step, c.due_at,
    c.escalate_at, c.acknowledged_at, c.snoozed_until, c.paused, c.escalations, now() as at
from concerns c join admissions a using (admission_id)
where c.closed_at is null and c.escalate_at <= now() and (c.paused is null or c.level = 0)
order by c.level, c.escalate_at limit 100 for update of a, c skip locked
"""
_LATE_SECONDS = """
select coalesce(extract(epoch from now() - min(escalate_at)), 0)::float8 from concerns
where closed_at is null and escalate_at <= now() and (paused is null or level = 0)
"""
_SUPPRESSIONS = """
select admission_id, reason, started_on, ended_on from suppressions
where ($1::text is null or site_id = $1) and ($2::uuid is null or admission_id = $2)
order by started_on desc, admission_id, reason limit $3
"""


@dataclass(frozen=True, slots=True)
class Open:
    """A concern held for a change."""

    concern_id: UUID
    admission_id: UUID
    site: Site
    ending: str | None
    duty: Duty
    # The database's clock.
    at: datetime
    policy: Policy

    @property
    def where(self) -> Where:
        """By what its hours are counted."""
        return self.policy, zone_of(self.site.time_zone)


async def late_seconds(pool: asyncpg.Pool) -> float:
    """How long the longest waiting escalation is late."""
    return float(await pool.fetchval(_LATE_SECONDS))


async def lock(conn: Connection, concern_id: UUID) -> Open | None:
    """The concern, with its admission's row locked."""
    row = await conn.fetchrow(_LOCK, concern_id)
    if row is None:
        return None
    site = await site_of(conn, row["site_id"])
    return _open(row, site, await policies.load(conn, [site.site_id]))


async def site_of(conn: Connection, site_id: str) -> Site:
    """A site by the days that are over here, with its days held open until the transaction ends."""
    site = (await sites.load(conn, [site_id]))[site_id]
    closed = await progress.over_through(conn, site_id)
    return replace(site, closed_through=closed or site.closed_through)


def _open(row: Mapping[str, Any], site: Site, known: Policies) -> Open:
    duty = Duty(
        row["level"],
        row["next_step"],
        row["due_at"],
        row["escalate_at"],
        row["acknowledged_at"],
        row["snoozed_until"],
        row["paused"] is not None,
        row["escalations"],
    )
    policy = known.on(site.site_id, site.day_of(row["at"]).toordinal())
    return Open(
        row["concern_id"], row["admission_id"], site, row["ending"], duty, row["at"], policy
    )


async def set_duty(conn: Connection, concern_id: UUID, duty: Duty) -> None:
    """What is to be done next, by when."""
    await conn.execute(
        _SET_DUTY,
        concern_id,
        duty.step,
        duty.due_at,
        duty.escalate_at,
        duty.acknowledged_at,
        duty.snoozed_until,
        duty.escalations,
    )


async def assign(conn: Connection, concern_id: UUID, role: str, member: str | None) -> None:
    """Give the work to a role, or to one of its members."""
    await conn.execute(_ASSIGN, concern_id, role, member)


async def set_snooze_reason(conn: Connection, concern_id: UUID, reason: str) -> None:
    """Why the work was put off."""
    await conn.execute(_SNOOZE_REASON, concern_id, reason)


async def add_outreach(
    conn: Connection, found: Open, attempt: Attempt, occurred_at: datetime
) -> UUID:
    """Keep an attempt, under a new identifier."""
    outreach_id = uuid4()
    await conn.execute(
        _OUTREACH,
        outreach_id,
        found.concern_id,
        found.admission_id,
        attempt.channel,
        attempt.outcome,
        attempt.party,
        attempt.day,
        occurred_at,
    )
    return outreach_id


async def undo_outreach(conn: Connection, concern_id: UUID, outreach_id: UUID) -> bool:
    """Take an attempt out of all that counts. False when the concern has no such attempt."""
    return await conn.fetchval(_UNDO_OUTREACH, outreach_id, concern_id) is not None


async def attempts(conn: Connection, concern_id: UUID) -> list[Attempt]:
    """The attempts so far, oldest first."""
    return [Attempt(**dict(row)) for row in await conn.fetch(_ATTEMPTS, concern_id)]


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


async def late(conn: Connection) -> list[Open]:
    """Concerns somebody else has to be told of by now, by the database clock; held for that."""
    rows = await conn.fetch(_LATE)
    known = await sites.known(conn) if rows else {}
    by_site = await policies.load(conn, known) if rows else Policies()
    return [_open(row, known[row["site_id"]], by_site) for row in rows]


async def suppressions(
    conn: Connection, site_id: str | None, admission_id: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """When absence was expected, and why, the latest first."""
    rows = await conn.fetch(_SUPPRESSIONS, site_id, admission_id, limit)
    return [dict(row) for row in rows]
