"""The admissions of one person, also where the person was recorded twice."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from handrail.outbox import Connection

# Admissions are one person's by the same patient, or because one was merged into the other.
_OF_PERSON = """
with recursive linked (admission_id, patient_id, merged_into) as (
    select admission_id, patient_id, merged_into from admissions where patient_id = $1
    union
    select a.admission_id, a.patient_id, a.merged_into
    from linked l join admissions a
        on a.patient_id = l.patient_id or a.admission_id = l.merged_into
            or a.merged_into = l.admission_id
)
select a.admission_id, a.patient_id, a.site_id, a.status, a.program_id, a.referred_at,
    a.admitted_on, a.ended_on, a.ended_for, a.first_session_on, a.merged_into
from linked join admissions a using (admission_id)
order by a.referred_at, a.admission_id limit 1000
"""
_LAST_SEEN = """
select admission_id, max(attended_on) from visits
where admission_id = any($1::uuid[]) group by admission_id
"""
# Whoever was never seen counts from the admission.
_UNSEEN = """
select a.admission_id, a.status, a.hold_reason, a.admitted_on, max(v.attended_on) as last_seen_on
from admissions a left join visits v using (admission_id)
where a.site_id = $1 and a.status in ('admitted', 'on_hold') and a.admitted_on < $2
group by a.admission_id
having coalesce(max(v.attended_on), a.admitted_on) < $2
order by coalesce(max(v.attended_on), a.admitted_on), a.admission_id limit $3
"""
_REKEY = "update admissions set patient_id = $2 where patient_id = $1"


async def admissions_of(conn: Connection, patient_id: UUID) -> list[dict[str, Any]]:
    """All that is recorded of the person, the earliest referral first."""
    return [dict(row) for row in await conn.fetch(_OF_PERSON, patient_id)]


async def last_seen(conn: Connection, ids: Iterable[UUID]) -> dict[UUID, date]:
    """The last day each of these was seen under that admission."""
    asked = list(ids)
    rows = await conn.fetch(_LAST_SEEN, asked) if asked else []
    return {row[0]: row[1] for row in rows}


async def unseen(conn: Connection, site_id: str, since: date, limit: int) -> list[dict[str, Any]]:
    """Who is in care and has not been seen since that day; the longest ago first."""
    return [dict(row) for row in await conn.fetch(_UNSEEN, site_id, since, limit)]


async def rekey(conn: Connection, was: UUID, now: UUID) -> None:
    """One person was known by two identifiers: all of theirs bears the second."""
    await conn.execute(_REKEY, was, now)
