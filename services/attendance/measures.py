"""Measures: what was answered, and whose next form is overdue."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from attendance.instruments import Answers, Score
from handrail.outbox import Connection

# How often each form is asked in an intensive outpatient programme, in days; the Columbia screener
# is asked when there is reason to, and never overdue.
ASKED_EVERY = {"phq_9": 14, "gad_7": 14, "bam_7_day": 7}

_SAVE = """
insert into measures (admission_id, instrument, answered_at, answered_on, answers, scores)
select * from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::date[], $5::jsonb[], $6::jsonb[])
on conflict (admission_id, instrument, answered_at) do update
set answers = excluded.answers, scores = excluded.scores
"""
_OF_ADMISSION = """
select instrument, answered_at, answered_on, answers, scores
from measures where admission_id = $1 order by answered_at, instrument
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
    """One form as it was answered, in the order of its table's columns."""

    admission_id: UUID
    instrument: str
    answered_at: datetime
    answered_on: date
    answers: str
    scores: str


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
        orjson.dumps(dict(answers)).decode(),
        orjson.dumps(told).decode(),
    )


async def save(conn: Connection, answered: Sequence[Measure]) -> None:
    """Write what was answered with one statement; the same form of the same moment is one."""
    if answered:
        once = {row[:3]: row for row in answered}
        await conn.execute(_SAVE, *map(list, zip(*once.values(), strict=True)))


async def of_admission(conn: Connection, admission_id: UUID) -> list[dict[str, Any]]:
    """Every form of an admission, oldest first, with its answers."""
    rows = await conn.fetch(_OF_ADMISSION, admission_id)
    return [
        {
            **dict(row),
            "answers": orjson.loads(row["answers"]),
            "scores": orjson.loads(row["scores"]),
        }
        for row in rows
    ]


async def overdue(conn: Connection, site_id: str, day: date, limit: int) -> list[dict[str, Any]]:
    """Forms that were due before `day` and are not answered, of people in care at a site."""
    rows = await conn.fetch(
        _OVERDUE, site_id, day, list(ASKED_EVERY), list(ASKED_EVERY.values()), limit
    )
    return [dict(row) for row in rows]
