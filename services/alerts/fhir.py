"""Concerns as FHIR R4: a Flag for the care team, the Task it is, each outreach, and the risk."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from handrail.fhir.asked import Asked
from handrail.fhir.routes import Kind
from handrail.fhir.words import HL7, Resource, concept, moment, patient_of, period, resource
from handrail.outbox import Connection

FLAGS = {"open": "active", "closed": "inactive", "withdrawn": "entered-in-error"}
TASKS = {
    "requested": "requested",
    "accepted": "accepted",
    "in-progress": "in-progress",
    "completed": "completed",
    "failed": "failed",
    "entered-in-error": "entered-in-error",
}
OUTREACH = ("completed", "not-done", "entered-in-error")
_PRIORITIES = ("stat", "urgent", "asap", "routine")
_REACHED = "reached_"

_CONCERNS = """
select * from (
    select c.concern_id, c.admission_id, c.level, c.kind, c.opened_on, c.opened_at, c.closed_on,
        c.closed_at, c.ending, c.next_step, c.due_at, c.owner_role, c.acknowledged_at, n.attempts,
        case when c.ending = 'withdrawn' then 'withdrawn'
            when c.closed_at is not null then 'closed' else 'open' end as flag,
        case when c.ending = 'withdrawn' then 'entered-in-error'
            when c.ending = 'exhausted' then 'failed'
            when c.closed_at is not null then 'completed'
            when n.attempts > 0 then 'in-progress'
            when c.acknowledged_at is not null then 'accepted' else 'requested' end as task
    from concerns c
    left join people p using (admission_id)
    cross join lateral (
        select count(*) as attempts from outreach o where o.concern_id = c.concern_id
    ) n
    where ($1::uuid[] is null or c.concern_id = any($1))
        and ($2::uuid[] is null or c.admission_id = any($2))
        and ($3::date is null or c.opened_on >= $3) and ($4::date is null or c.opened_on <= $4)
        and ($5::text[] is null or p.program_id = any($5))
        and ($6::uuid is null or c.concern_id > $6)
) c
where ($7::text[] is null or c.flag = any($7)) and ($8::text[] is null or c.task = any($8))
order by c.concern_id limit $9
"""
_OUTREACH = """
select * from (
    select outreach_id, concern_id, admission_id, channel, outcome, party, day, occurred_at,
        false as is_undone from outreach
    union all
    select outreach_id, concern_id, admission_id, channel, outcome, party, day, occurred_at,
        true from outreach_undone
) o
left join people p using (admission_id)
where ($1::uuid[] is null or o.outreach_id = any($1))
    and ($2::uuid[] is null or o.admission_id = any($2))
    and ($3::date is null or o.day >= $3) and ($4::date is null or o.day <= $4)
    and ($5::text[] is null or p.program_id = any($5))
    and ($6::uuid is null or o.outreach_id > $6)
    and ($7::text[] is null or case when o.is_undone then 'entered-in-error'
        when starts_with(o.outcome, 'reached_') then 'completed' else 'not-done' end = any($7))
order by o.outreach_id limit $8
"""
_ASSESSMENTS = """
select r.admission_id, r.day, r.risk28, r.risk14, r.table_version
from assessments r
left join people p using (admission_id)
where ($1::uuid[] is null or (r.admission_id, r.day) in (
        select * from unnest($1::uuid[], $2::date[])
    ))
    and ($3::uuid[] is null or r.admission_id = any($3))
    and ($4::date is null or r.day >= $4) and ($5::date is null or r.day <= $5)
    and ($6::text[] is null or p.program_id = any($6))
    and ($7::uuid is null or (r.admission_id, r.day) > ($7, $8))
order by r.admission_id, r.day limit $9
"""


def flag(concern: Mapping[str, Any]) -> Resource:
    """The standing concern about a person."""
    category = "safety" if concern["level"] == 0 else "clinical"
    return resource(
        "Flag",
        str(concern["concern_id"]),
        status=FLAGS[concern["flag"]],
        category=[{"coding": [{"system": f"{HL7}/flag-category", "code": category}]}],
        code=concept("concern", concern["kind"]),
        subject=patient_of(concern["admission_id"]),
        period=period(concern["opened_on"], concern["closed_on"]),
    )


def task(concern: Mapping[str, Any]) -> Resource:
    """What somebody has to do about it."""
    return resource(
        "Task",
        str(concern["concern_id"]),
        status=TASKS[concern["task"]],
        businessStatus=concept("ending", concern["ending"]),
        intent="order",
        priority=_PRIORITIES[concern["level"]],
        code=concept("next-step", concern["next_step"]),
        focus={"reference": f"Flag/{concern['concern_id']}"},
        **{"for": patient_of(concern["admission_id"])},
        authoredOn=moment(concern["opened_at"]),
        lastModified=moment(concern["closed_at"]),
        performerType=[concept("care-role", concern["owner_role"])],
        restriction={"period": period(None, concern["due_at"])} if concern["due_at"] else None,
    )


def communication(outreach: Mapping[str, Any]) -> Resource:
    """One attempt to reach the person; what was said is nowhere."""
    status = "not-done"
    if outreach["outcome"].startswith(_REACHED):
        status = "completed"
    if outreach["is_undone"]:
        status = "entered-in-error"
    return resource(
        "Communication",
        str(outreach["outreach_id"]),
        partOf=[{"reference": f"Task/{outreach['concern_id']}"}],
        status=status,
        statusReason=concept("outreach-outcome", outreach["outcome"]),
        medium=[concept("channel", outreach["channel"])],
        subject=patient_of(outreach["admission_id"]),
        sent=moment(outreach["occurred_at"]),
    )


def risk_assessment(row: Mapping[str, Any]) -> Resource:
    """How likely no session is kept in the next weeks, as known at the end of a day."""
    day: date = row["day"]
    return resource(
        "RiskAssessment",
        f"{row['admission_id'].hex}-{day:%Y%m%d}",
        status="final",
        method=concept("risk-table", row["table_version"]),
        subject=patient_of(row["admission_id"]),
        occurrenceDateTime=moment(day),
        prediction=[
            {
                "outcome": concept("risk-outcome", f"no_session_in_{days}_days"),
                "probabilityDecimal": round(row[f"risk{days}"], 6),
                "whenPeriod": period(day, day + timedelta(days=days)),
            }
            for days in (28, 14)
        ],
    )


async def _concerns(
    conn: Connection, asked: Asked, flags: list[str] | None, tasks: list[str] | None
) -> list[Mapping[str, Any]]:
    where = (asked.uuids(), asked.patients, asked.since, asked.until, asked.programs)
    return list(await conn.fetch(_CONCERNS, *where, asked.uuid_after(), flags, tasks, asked.limit))


async def _flags(conn: Connection, asked: Asked) -> list[Resource]:
    return [flag(row) for row in await _concerns(conn, asked, asked.among(FLAGS), None)]


async def _tasks(conn: Connection, asked: Asked) -> list[Resource]:
    return [task(row) for row in await _concerns(conn, asked, None, asked.among(TASKS))]


async def _communications(conn: Connection, asked: Asked) -> list[Resource]:
    where = (asked.uuids(), asked.patients, asked.since, asked.until, asked.programs)
    rows = await conn.fetch(_OUTREACH, *where, asked.uuid_after(), asked.statuses, asked.limit)
    return [communication(row) for row in rows]


async def _risk_assessments(conn: Connection, asked: Asked) -> list[Resource]:
    ids = None if asked.ids is None else [one for word in asked.ids if (one := _day_of(word))]
    after = _day_of(asked.after) or (None, None)
    rows = await conn.fetch(
        _ASSESSMENTS,
        None if ids is None else [admission for admission, _ in ids],
        None if ids is None else [day for _, day in ids],
        asked.patients,
        asked.since,
        asked.until,
        asked.programs,
        *after,
        asked.limit,
    )
    return [risk_assessment(row) for row in rows]


def _day_of(word: str) -> tuple[UUID, date] | None:
    admission, _, day = word.partition("-")
    try:
        return UUID(admission), date.fromisoformat(day)
    except ValueError:
        return None


_BY = ("_id", "patient", "status", "date")
KINDS = (
    Kind("Flag", _flags, _BY, tuple(FLAGS.values())),
    Kind("Task", _tasks, _BY, tuple(TASKS)),
    Kind("Communication", _communications, _BY, OUTREACH),
    Kind("RiskAssessment", _risk_assessments, ("_id", "patient", "date")),
)
