"""Measures: what was answered, and whose next form is overdue."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import orjson

from attendance.instruments import Answers, Score
from handrail.outbox import Connection
from handrail.personal.vault import Vault

# How often each form is asked in an intensive outpatient programme, in days; the Columbia screener
# is asked when there is reason to, and never overdue.
ASKED_EVERY = {"phq_9": 14, "gad_7": 14, "bam_7_day": 7}

# What its seal is bound to; never changed.
COLUMN = "measures.answers"

_SAVE = """
insert into measures (admission_id, instrument, answered_at, answered_on, answers, scores, sealed)
select admission_id, instrument, answered_at, answered_on, '{}', scores, sealed
from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::date[], $5::jsonb[], $6::bytea[])
    as t (admission_id, instrument, answered_at, answered_on, scores, sealed)
on conflict (admission_id, instrument, answered_at) do update
set answers = '{}', scores = excluded.scores, sealed = excluded.sealed
"""
# `answers` holds what the code before wrote, until it is sealed.
_OF_ADMISSION = """
select instrument, answered_at, answered_on, nullif(answers, '{}') as answers, scores, sealed
from measures where admission_id = $1 order by answered_at, instrument
"""
_FORGET = """
update measures set answers = '{}', sealed = null
where admission_id = any($1::uuid[]) and (sealed is not null or answers <> '{}')
"""
_OVERDUE = """
select a.admission_id, f.instrument, last.answered_on,
    coalesce(last.answered_on, a.admitted_on) + f.days as due_on
from admissions a
cross join unnest($3::text[], $4::int[]) as f (instrument, days)
left join lateral (
    select answered_on from measures m
    where m.admission_id = a.admission_id and m.instrument = f.instrument
    order by answered_at desc limit 1
) as last on true
where a.site_id = $1 and a.status = 'admitted'
    and coalesce(last.answered_on, a.admitted_on) + f.days < $2
order by due_on, a.admission_id, f.instrument
limit $5
"""


class Measure(NamedTuple):
    """One form as it was answered; `answers` and `scores` are JSON."""

    admission_id: UUID
    instrument: str
    answered_at: datetime
    answered_on: date
    scores: str
    answers: bytes


def measure(
    admission_id: UUID,
    instrument: str,
    at: tuple[datetime, date],
    answers: Answers,
    scores: list[Score],
) -> Measure:
    """A row of `measures`; `at` is when it was answered and the local day that counts."""
    told = [{"scale": s.instrument, "score": s.score, "band": s.band} for s in scores]
    return Measure(
        admission_id,
        instrument,
        *at,
        orjson.dumps(told).decode(),
        orjson.dumps(dict(answers)),
    )


async def save(conn: Connection, answered: Sequence[Measure], vault: Vault | None) -> None:
    """Write what was answered with one statement; the same form of the same moment is one."""
    if answered:
        assert vault is not None, "answers are refused where there is no vault"
        once = list({row[:3]: row for row in answered}.values())
        sealed = await vault.seal(COLUMN, [(row.admission_id, row.answers) for row in once])
        columns = zip(*(row[:-1] for row in once), strict=True)
        await conn.execute(_SAVE, *map(list, columns), sealed)


async def of_admission(
    conn: Connection, admission_id: UUID, vault: Vault | None
) -> list[dict[str, Any]]:
    """Every form of an admission, oldest first; answers that were erased are null."""
    rows = await conn.fetch(_OF_ADMISSION, admission_id)
    fields = [(admission_id, row["sealed"]) for row in rows]
    opened = await vault.open(COLUMN, fields) if vault else [None] * len(rows)
    return [_shown(row, content) for row, content in zip(rows, opened, strict=True)]


async def forget(conn: Connection, admissions: Collection[UUID]) -> None:
    """Empty the answers of these admissions; that there was a form, and its score, stays."""
    await conn.execute(_FORGET, list(admissions))


async def overdue(conn: Connection, site_id: str, day: date, limit: int) -> list[dict[str, Any]]:
    """Forms that were due before `day` and are not answered, of people in care at a site."""
    rows = await conn.fetch(
        _OVERDUE, site_id, day, list(ASKED_EVERY), list(ASKED_EVERY.values()), limit
    )
    return [dict(row) for row in rows]


def _shown(row: "asyncpg.Record", content: bytes | None) -> dict[str, Any]:
    shown = {name: row[name] for name in ("instrument", "answered_at", "answered_on")}
    answers = row["answers"] or content
    return {
        **shown,
        "answers": orjson.loads(answers) if answers else None,
        "scores": orjson.loads(row["scores"]),
    }
