"""Intake's own tables."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from handrail.outbox import Connection
from intake.rules import Admission

_LOAD = """
select admission_id, patient_id, site_id, status, referral_source, referred_at, admitted_on,
    program_id, track, instrument, edition, level_of_care, weekly_minutes, sessions_per_week,
    hold_reason, ended_on, ended_for
from admissions where admission_id = any($1::uuid[]) order by admission_id for update
"""
_SAVE = """
insert into admissions as a (
    admission_id, patient_id, site_id, status, referral_source, referred_at, admitted_on,
    program_id, track, instrument, edition, level_of_care, weekly_minutes, sessions_per_week,
    hold_reason, ended_on, ended_for
)
select * from unnest(
    $1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::date[],
    $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::int[], $14::int[],
    $15::text[], $16::date[], $17::text[]
)
on conflict (admission_id) do update set
    status = excluded.status, admitted_on = excluded.admitted_on,
    program_id = excluded.program_id, track = excluded.track, instrument = excluded.instrument,
    edition = excluded.edition, level_of_care = excluded.level_of_care,
    weekly_minutes = excluded.weekly_minutes, sessions_per_week = excluded.sessions_per_week,
    hold_reason = excluded.hold_reason, ended_on = excluded.ended_on,
    ended_for = excluded.ended_for
"""
_LIST = """
select admission_id, patient_id, site_id, status, referral_source, referred_at, admitted_on,
    program_id, track, instrument, edition, level_of_care, weekly_minutes, sessions_per_week,
    hold_reason, ended_on, ended_for
from admissions
where ($1::text is null or site_id = $1) and ($2::text is null or status = $2)
    and ($3::uuid is null or admission_id > $3)
order by admission_id limit $4
"""
_ONE = """
select admission_id, patient_id, site_id, status, referral_source, referred_at, admitted_on,
    program_id, track, instrument, edition, level_of_care, weekly_minutes, sessions_per_week,
    hold_reason, ended_on, ended_for
from admissions where admission_id = $1
"""


async def load(conn: Connection, ids: Iterable[UUID]) -> dict[UUID, Admission]:
    """These admissions, locked until the transaction ends."""
    rows = await conn.fetch(_LOAD, list(set(ids)))
    return {row["admission_id"]: Admission(**dict(row)) for row in rows}


async def save(conn: Connection, admissions: Sequence[Admission]) -> None:
    """Write these admissions with one statement."""
    if admissions:
        columns = zip(*(admission.row().values() for admission in admissions), strict=True)
        await conn.execute(_SAVE, *map(list, columns))


async def one(conn: Connection, admission_id: UUID) -> Admission | None:
    """One admission, not locked."""
    row = await conn.fetchrow(_ONE, admission_id)
    return Admission(**dict(row)) if row else None


async def page(
    conn: Connection, site_id: str | None, status: str | None, after: UUID | None, limit: int
) -> list[Admission]:
    """A page of admissions in order of their identifier."""
    rows = await conn.fetch(_LIST, site_id, status, after, limit)
    return [Admission(**dict(row)) for row in rows]
