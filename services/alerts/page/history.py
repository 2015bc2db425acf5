"""What the page reads of one admission; nothing is locked."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from alerts import record
from alerts.facts import Fact
from handrail.outbox import Connection

_KNOWN = """
select a.admission_id, a.site_id, a.body, p.program_id, p.track, s.time_zone, s.clock,
    (select min(d.day) from days_over d where d.site_id = a.site_id) as closed_through
from admissions a join sites s using (site_id) left join people p using (admission_id)
where a.admission_id = $1
"""
_CONCERNS = "select concern_id from concerns where admission_id = $1 order by spell desc"
_FACTS = "select body from facts where admission_id = $1"
_ASSESSMENTS = """
select day, risk28, risk14, score, level from assessments
where admission_id = $1 order by day desc limit $2
"""
_OUTREACH = """
select o.outreach_id, o.concern_id, o.channel, o.outcome, o.party, o.day, o.occurred_at,
    null::timestamptz as undone_at
from outreach o where o.admission_id = $1
union all
select u.outreach_id, u.concern_id, u.channel, u.outcome, u.party, u.day, u.occurred_at,
    u.undone_at
from outreach_undone u where u.admission_id = $1
order by occurred_at desc limit 100
"""
_TRACES = """
select level, kind, raised_at, withdrawn_at, split_part(traceparent, '-', 2) as trace_id
from alerts where admission_id = $1 order by raised_at desc limit 20
"""
_SUPPRESSIONS = """
select reason, started_on, ended_on from suppressions
where admission_id = $1 order by started_on desc limit 10
"""


@dataclass(frozen=True, slots=True)
class Known:
    """An admission's row with its site and programme."""

    admission_id: UUID
    site_id: str
    body: bytes
    program_id: str | None
    track: str | None
    time_zone: str
    clock: str
    closed_through: date | None


async def known(conn: Connection, admission_id: UUID) -> Known | None:
    """What is known of an admission."""
    row = await conn.fetchrow(_KNOWN, admission_id)
    return Known(**dict(row)) if row else None


async def concerns_of(conn: Connection, admission_id: UUID) -> list[UUID]:
    """Its concerns, the latest first."""
    return [row["concern_id"] for row in await conn.fetch(_CONCERNS, admission_id)]


async def facts(conn: Connection, admission_id: UUID) -> list[Fact]:
    """All that happened."""
    return [record.decode_fact(row["body"]) for row in await conn.fetch(_FACTS, admission_id)]


async def assessments(conn: Connection, admission_id: UUID, days: int) -> list[dict[str, Any]]:
    """The risk at the end of each of the last days, the latest first."""
    return [dict(row) for row in await conn.fetch(_ASSESSMENTS, admission_id, days)]


async def outreach(conn: Connection, admission_id: UUID) -> list[dict[str, Any]]:
    """What was tried, also what was taken back, the latest first."""
    return [dict(row) for row in await conn.fetch(_OUTREACH, admission_id)]


async def traces(conn: Connection, admission_id: UUID) -> list[dict[str, Any]]:
    """The trace of each alert: from the empty chair to the page."""
    return [dict(row) for row in await conn.fetch(_TRACES, admission_id)]


async def suppressions(conn: Connection, admission_id: UUID) -> list[dict[str, Any]]:
    """When absence was expected, and why."""
    return [dict(row) for row in await conn.fetch(_SUPPRESSIONS, admission_id)]
