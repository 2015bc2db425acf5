"""Intake's own tables."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
from pydantic import TypeAdapter

from handrail.events.care import Window
from handrail.outbox import Connection
from handrail.writes import of_rows, write
from intake.facts import Admission, Chart, Program

# One by one: where the server has not counted the table yet, it would read all admissions for a few.
_NAMED = """
select a.* from unnest($1::uuid[]) as named (admission_id)
cross join lateral (
    select admission_id, patient_id, site_id, status, referral_source, referred_at, admitted_on,
        program_id, track, instrument, edition, level_of_care, weekly_minutes, sessions_per_week,
        hold_reason, ended_on, ended_for, waitlisted_at, is_urgent, review_on, recertify_by,
        age_group, focus, is_eligible, policy_on, merged_into, status_before, chart
    from admissions a where a.admission_id = named.admission_id {how}
) a
"""
_LOAD, _BY_ID = _NAMED.format(how="for update"), _NAMED.format(how="offset 0")
_SAVE = """
insert into admissions as a (
    admission_id, patient_id, site_id, status, referral_source, referred_at, admitted_on,
    program_id, track, instrument, edition, level_of_care, weekly_minutes, sessions_per_week,
    hold_reason, ended_on, ended_for, waitlisted_at, is_urgent, review_on, recertify_by,
    age_group, focus, is_eligible, policy_on, merged_into, status_before, chart
)
select * from unnest(
    $1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::date[],
    $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::int[], $14::int[],
    $15::text[], $16::date[], $17::text[], $18::timestamptz[], $19::boolean[], $20::date[],
    $21::date[], $22::text[], $23::text[], $24::boolean[], $25::date[],
    $26::uuid[], $27::text[], $28::jsonb[]
)
on conflict (admission_id) do update set
    status = excluded.status, admitted_on = excluded.admitted_on,
    program_id = excluded.program_id, track = excluded.track, instrument = excluded.instrument,
    edition = excluded.edition, level_of_care = excluded.level_of_care,
    weekly_minutes = excluded.weekly_minutes, sessions_per_week = excluded.sessions_per_week,
    hold_reason = excluded.hold_reason, ended_on = excluded.ended_on,
    ended_for = excluded.ended_for, waitlisted_at = excluded.waitlisted_at,
    is_urgent = excluded.is_urgent, review_on = excluded.review_on,
    recertify_by = excluded.recertify_by, age_group = excluded.age_group,
    focus = excluded.focus, is_eligible = excluded.is_eligible, policy_on = excluded.policy_on,
    merged_into = excluded.merged_into, status_before = excluded.status_before,
    chart = excluded.chart
"""
_LIST = """
select admission_id, patient_id, site_id, status, referral_source, referred_at, admitted_on,
    program_id, track, instrument, edition, level_of_care, weekly_minutes, sessions_per_week,
    hold_reason, ended_on, ended_for, waitlisted_at, is_urgent, review_on, recertify_by,
    age_group, focus, is_eligible, policy_on, merged_into, status_before, chart
from admissions
where ($1::text is null or site_id = $1) and ($2::text is null or status = $2)
    and ($3::uuid is null or admission_id > $3)
order by admission_id limit $4
"""
_WAITING = """
select admission_id, site_id, program_id, track, is_urgent, waitlisted_at
from admissions
where status = 'waitlisted' and site_id = $1 and ($2::text is null or program_id = $2)
order by is_urgent desc, waitlisted_at, admission_id limit $3
"""
# Two indexes, two branches: what has no plan yet, or a review or a certification by that day.
_DUE = """
(select admission_id from admissions
 where status in ('admitted', 'on_hold') and site_id = $1 and review_on is null limit $3)
union
(select admission_id from admissions
 where status in ('admitted', 'on_hold') and site_id = $1 and review_on <= $2
 order by review_on limit $3)
union
(select admission_id from admissions
 where status in ('admitted', 'on_hold') and site_id = $1 and recertify_by <= $2
 order by recertify_by limit $3)
"""
_INCOMPLETE = """
select admission_id from admissions
where site_id = $1 and status in ('referred', 'waitlisted', 'admitted', 'on_hold')
    and (is_eligible is null or policy_on is null)
order by referred_at, admission_id limit $2
"""
# Uses the index of what is incomplete; whom it was said of is left out.
_OVERDUE = """
select admission_id from admissions a
where site_id = $1 and status in ('referred', 'waitlisted', 'admitted', 'on_hold')
    and (is_eligible is null or policy_on is null)
    and status = 'admitted' and admitted_on < $2
    and (select count(*) from overdue_steps s where s.admission_id = a.admission_id)
        < (is_eligible is null)::int + (policy_on is null)::int
"""
_LIST_PROGRAM = """
insert into programs (
    site_id, program_id, focus, age_group, instrument, edition, level_of_care, track,
    weekly_minutes, session_types, modes, places, meets
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
on conflict (site_id, program_id) do update set
    focus = excluded.focus, age_group = excluded.age_group, instrument = excluded.instrument,
    edition = excluded.edition, level_of_care = excluded.level_of_care, track = excluded.track,
    weekly_minutes = excluded.weekly_minutes, session_types = excluded.session_types,
    modes = excluded.modes, places = excluded.places, meets = excluded.meets
"""
_UNLIST_PROGRAM = "delete from programs where site_id = $1 and program_id = $2"
_PROGRAMS = """
select site_id, program_id, focus, age_group, instrument, edition, level_of_care, track,
    weekly_minutes, session_types, modes, places, meets
from programs
where ($1::text is null or site_id = $1) and ($2::text is null or program_id = $2)
order by site_id, program_id limit $3
"""
_MEETS: TypeAdapter[tuple[Window, ...]] = TypeAdapter(tuple[Window, ...])


async def load(conn: Connection, ids: Iterable[UUID]) -> dict[UUID, Admission]:
    """These admissions, locked in their order until the transaction ends."""
    rows = await conn.fetch(_LOAD, sorted(set(ids)))
    return {row["admission_id"]: _admission(row) for row in rows}


async def save(conn: Connection, admissions: Sequence[Admission]) -> None:
    """Write these admissions with one statement."""
    await write(conn, of_rows(_SAVE, map(_row, admissions)))


async def one(conn: Connection, admission_id: UUID) -> Admission | None:
    """One admission, not locked."""
    return next(iter((await some(conn, [admission_id])).values()), None)


async def some(conn: Connection, ids: Iterable[UUID]) -> dict[UUID, Admission]:
    """These admissions, not locked."""
    rows = await conn.fetch(_BY_ID, list(set(ids)))
    return {row["admission_id"]: _admission(row) for row in rows}


async def page(
    conn: Connection, site_id: str | None, status: str | None, after: UUID | None, limit: int
) -> list[Admission]:
    """A page of admissions in order of their identifier."""
    rows = await conn.fetch(_LIST, site_id, status, after, limit)
    return [_admission(row) for row in rows]


async def waiting(
    conn: Connection, site_id: str, program_id: str | None, limit: int
) -> list[dict[str, Any]]:
    """Who waits for a place, next one first."""
    return [dict(row) for row in await conn.fetch(_WAITING, site_id, program_id, limit)]


async def with_plan_due(conn: Connection, site_id: str, by: date, limit: int) -> list[Admission]:
    """People in care without a plan, or with a review or certification due by this day."""
    ids = [row["admission_id"] for row in await conn.fetch(_DUE, site_id, by, limit)]
    return [_admission(row) for row in await conn.fetch(_BY_ID, ids)]


async def with_steps_missing(conn: Connection, site_id: str, limit: int) -> list[Admission]:
    """People whose intake is not complete, the earliest referral first."""
    ids = [row["admission_id"] for row in await conn.fetch(_INCOMPLETE, site_id, limit)]
    found = [_admission(row) for row in await conn.fetch(_BY_ID, ids)]
    return sorted(found, key=lambda admission: ids.index(admission.admission_id))


async def with_steps_overdue(conn: Connection, site_id: str, before: date) -> list[Admission]:
    """Who was admitted before that day, is in care, and lacks a step nobody was told of yet."""
    ids = [row["admission_id"] for row in await conn.fetch(_OVERDUE, site_id, before)]
    return [_admission(row) for row in await conn.fetch(_BY_ID, ids)] if ids else []


async def list_programs(
    conn: Connection, changed: Mapping[tuple[str, str], Program | None]
) -> None:
    """Write the catalogue's changes; it is short and changes seldom."""
    for (site_id, program_id), program in changed.items():
        if program is None:
            await conn.execute(_UNLIST_PROGRAM, site_id, program_id)
        else:
            meets = _MEETS.dump_json(program.meets).decode()
            listed = [getattr(program, name) for name in program.__slots__[:-1]]
            await conn.execute(_LIST_PROGRAM, *listed, meets)


async def programs(
    conn: Connection, site_id: str | None, program_id: str | None, limit: int
) -> list[Program]:
    """The programmes there are."""
    rows = await conn.fetch(_PROGRAMS, site_id, program_id, limit)
    return [Program(**{**dict(row), "meets": _MEETS.validate_json(row["meets"])}) for row in rows]


def _admission(row: "asyncpg.Record") -> Admission:
    return Admission(**{**dict(row), "chart": Chart.model_validate_json(row["chart"])})


def _row(admission: Admission) -> tuple[Any, ...]:
    row = admission.row()
    return (*list(row.values())[:-1], row["chart"].model_dump_json(exclude_defaults=True))
