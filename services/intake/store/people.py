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
_REKEY = "update admissions set patient_id = $2 where patient_id = $1"


async def admissions_of(conn: Connection, patient_id: UUID) -> list[dict[str, Any]]:
    """All that is recorded of the person, the earliest referral first."""
    return [dict(row) for row in await conn.fetch(_OF_PERSON, patient_id)]


async def last_seen(conn: Connection, ids: Iterable[UUID]) -> dict[UUID, date]:
    """The last day each of these was seen under that admission."""
    asked = list(ids)
    rows = await conn.fetch(_LAST_SEEN, asked) if asked else []
    return {row[0]: row[1] for row in rows}


async def rekey(conn: Connection, was: UUID, now: UUID) -> None:
    """One person was known by two identifiers: all of theirs bears the second."""
    await conn.execute(_REKEY, was, now)
