"""What the quality board and shadow mode read: alerts, assessments and facts of a site."""

from datetime import date
from uuid import UUID

import asyncpg

from alerts import record
from alerts.facts import Fact
from alerts.outcomes import visits_of
from alerts.quality import Alert, Assessed

_ALERTS = """
select f.admission_id, f.day, f.level, f.rule, f.pushed,
    c.ending = 'withdrawn' or coalesce(a.withdrawn_at is not null, false) as withdrawn,
    c.acknowledged_at is not null as acknowledged,
    extract(epoch from (select min(o.recorded_at) from outreach o
        where o.concern_id = f.concern_id and o.recorded_at >= a.raised_at) - a.raised_at)::float8
        / 60 as minutes_to_attempt,
    c.ending
from firings f join concerns c using (concern_id)
left join alerts a on a.concern_id = f.concern_id and a.level = f.level
where f.site_id = $1 and f.day between $2 and $3 order by f.day, f.concern_id, f.level
"""
# One a person and week is what the sums are of; weeks as `quality.weekly` counts them.
_ASSESSED = """
select distinct on (admission_id, (day - '0001-01-01'::date + 1) / 7) admission_id, day, risk28
from assessments where site_id = $1 and day between $2 and $3
order by admission_id, (day - '0001-01-01'::date + 1) / 7, day desc
"""
_ASSESSED_DAYS = """
select count(*) from assessments where site_id = $1 and day between $2 and $3
"""
# Only who was assessed or alerted in between, and only facts of seats, known by what they carry.
# What is a visit is decided where they are decoded.
_VISITS = """
select f.admission_id, f.body from facts f
where f.admission_id in (
        select admission_id from assessments where site_id = $1 and day between $2 and $3
        union select admission_id from firings where site_id = $1 and day between $2 and $3
    )
    and (position('attended'::bytea in f.body) > 0 or position('missed'::bytea in f.body) > 0
        or position('excused'::bytea in f.body) > 0 or position('corrected'::bytea in f.body) > 0)
order by f.admission_id, f.owner, f.sequence
"""
_FACTS = """
select f.admission_id, f.body from facts f join admissions a using (admission_id)
where a.site_id = $1 order by f.admission_id, f.owner, f.sequence
"""


async def alerts(conn: asyncpg.Connection, site_id: str, first: date, last: date) -> list[Alert]:
    """Each raise of a level between two days, and what was done about it."""
    rows = await conn.fetch(_ALERTS, site_id, first, last)
    return [Alert(**{**dict(row), "withdrawn": bool(row["withdrawn"])}) for row in rows]


async def assessed(
    conn: asyncpg.Connection, site_id: str, first: date, last: date
) -> list[Assessed]:
    """The last day-end risk of each person and week between two days."""
    rows = await conn.fetch(_ASSESSED, site_id, first, last)
    return [Assessed(row["admission_id"], row["day"], row["risk28"]) for row in rows]


async def assessed_days(conn: asyncpg.Connection, site_id: str, first: date, last: date) -> int:
    """How many days of people were assessed between two days."""
    return int(await conn.fetchval(_ASSESSED_DAYS, site_id, first, last))


async def visits(
    conn: asyncpg.Connection, site_id: str, first: date, last: date
) -> dict[UUID, list[int]]:
    """The days (ordinals) on which each person assessed or alerted between two days was seen."""
    found: dict[UUID, list[Fact]] = {}
    for row in await conn.fetch(_VISITS, site_id, first, last):
        found.setdefault(row["admission_id"], []).append(record.decode_fact(row["body"]))
    return {person: visits_of(told) for person, told in found.items()}


async def facts(conn: asyncpg.Connection, site_id: str) -> dict[UUID, list[Fact]]:
    """All facts of a site's admissions."""
    found: dict[UUID, list[Fact]] = {}
    for row in await conn.fetch(_FACTS, site_id):
        found.setdefault(row["admission_id"], []).append(record.decode_fact(row["body"]))
    return found
