"""The glass that is broken in a medical emergency: five fields, an end of its own, and a review."""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

import asyncpg
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from handrail.events.base import Code
from handrail.outbox import Connection
from handrail.receipts import Rejected
from intake import store
from intake.disclosures import ledger
from intake.disclosures.ledger import Entry
from intake.disclosures.messages import NOTICE
from intake.facts import Admission

Nature: TypeAlias = Literal[
    "overdose", "withdrawal", "suicide_risk", "unconscious", "injury", "other_medical"
]
# What somebody who treats an emergency needs; measures, screens, risk and reasons are never in it.
Told: TypeAlias = Literal["status", "level_of_care", "attendance"]
Finding: TypeAlias = Literal["justified", "not_justified"]

_OPEN = """
insert into emergencies (
    emergency_id, admission_id, recipient, affiliation, discloser_id, nature, data_classes, over_at
)
values ($1, $2, $3, $4, $5, $6, $7, now() + $8 * interval '1 minute')
on conflict (emergency_id) do nothing returning over_at
"""
_SAME = """
select over_at from emergencies
where emergency_id = $1 and admission_id = $2 and recipient = $3 and affiliation = $4
    and discloser_id = $5 and nature = $6 and data_classes = $7
"""
_FIND = """
select emergency_id, admission_id, recipient, affiliation, nature, data_classes, discloser_id,
    over_at, over_at <= now() as is_over, now() as at
from emergencies where emergency_id = $1
"""
_LIST = """
select e.emergency_id, e.admission_id, a.site_id, a.program_id, e.recipient, e.affiliation, e.discloser_id,
    e.nature, e.data_classes, e.opened_at, e.over_at, e.over_at <= now() as is_over,
    e.reviewed_at, e.reviewed_by, e.finding
from emergencies e join admissions a using (admission_id)
where ($1::boolean is null or (e.reviewed_at is not null) = $1)
order by e.reviewed_at is not null, e.opened_at desc limit 200
"""
_REVIEW = """
update emergencies set reviewed_at = now(), reviewed_by = $2, finding = $3
where emergency_id = $1 and reviewed_at is null
returning admission_id, reviewed_at
"""
_WAITING = "select count(*) from emergencies where reviewed_at is null"
_SEEN = """
select max(attended_on) as last_seen_on, count(*) as sessions from visits where admission_id = $1
"""


class Emergency(BaseModel):
    """42 CFR 2.51: to whom, of which house, by whom, when (now), and what kind of emergency."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    admission_id: UUID
    recipient: Code = Field(description="Who treats the emergency, as a code of yours.")
    affiliation: Code = Field(description="The house they belong to.")
    discloser_id: UUID = Field(description="The member of staff who discloses.")
    nature: Nature
    data_classes: Annotated[tuple[Told, ...], Field(min_length=1, max_length=3)]
    minutes: Annotated[int, Field(ge=1, le=1440)] = 240


class Review(BaseModel):
    """What the privacy officer found."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    finding: Finding
    reviewed_by: Annotated[str, StringConstraints(max_length=200, pattern=r"^[!-~]+$")] | None = (
        Field(default=None, description="Who reviewed it, where a system of yours speaks for them.")
    )


async def declare(
    conn: Connection, key: bytes, emergency_id: UUID, said: Emergency, subject: str
) -> datetime:
    """Break the glass. Gives when it is over. Raises Rejected."""
    if await store.one(conn, said.admission_id) is None:
        raise Rejected("admission_unknown", "No admission has that identifier.", "admission_id")
    about = (*said.model_dump(exclude={"minutes"}).values(),)
    over_at: datetime | None = await conn.fetchval(_OPEN, emergency_id, *about, said.minutes)
    if over_at is None:
        same: datetime | None = await conn.fetchval(_SAME, emergency_id, *about)
        if same is None:
            raise Rejected("emergency_taken", "That identifier is another's.", "emergency_id")
        return same
    facts = said.model_dump(mode="json", exclude={"admission_id", "minutes"})
    facts |= {"emergency_id": emergency_id, "over_at": over_at, "by": subject}
    await _note(conn, key, "emergency_declared", said.admission_id, facts)
    return over_at


async def record(conn: Connection, key: bytes, emergency_id: UUID, subject: str) -> dict[str, Any]:
    """What may be told in this emergency, while it lasts; each look is written down."""
    found = await conn.fetchrow(_FIND, emergency_id)
    if found is None:
        raise Rejected("emergency_unknown", "No emergency has that identifier.", "emergency_id")
    if found["is_over"]:
        raise Rejected("emergency_over", "It is over; declare another if there is one.")
    admission = await store.one(conn, found["admission_id"])
    assert admission is not None
    classes = tuple(found["data_classes"])
    seen = await conn.fetchrow(_SEEN, found["admission_id"]) if "attendance" in classes else None
    facts = {
        "emergency_id": emergency_id,
        "classes": classes,
        **{name: found[name] for name in ("recipient", "affiliation", "nature", "discloser_id")},
        "purpose": "emergency",
        "by": subject,
    }
    await _note(conn, key, "told_in_emergency", found["admission_id"], facts)
    told = told_of(admission, classes, dict(seen) if seen else {})
    return {"facts": told, "notice": NOTICE, "over_at": found["over_at"]}


def told_of(admission: Admission, classes: tuple[str, ...], seen: dict[str, Any]) -> dict[str, Any]:
    """The facts that these classes open."""
    opened: dict[str, dict[str, Any]] = {
        "status": {
            "status": admission.status,
            "program_id": admission.program_id,
            "admitted_on": admission.admitted_on,
            "ended_on": admission.ended_on,
        },
        "level_of_care": {"level_of_care": admission.level_of_care},
        "attendance": seen,
    }
    return {name: opened[name] for name in classes}


async def listed(conn: Connection, *, is_reviewed: bool | None) -> list[dict[str, Any]]:
    """The emergencies, those to review first."""
    return [dict(row) for row in await conn.fetch(_LIST, is_reviewed)]


async def review(
    conn: Connection, key: bytes, emergency_id: UUID, finding: Finding, subject: str
) -> datetime:
    """Review it, once. Raises Rejected."""
    row = await conn.fetchrow(_REVIEW, emergency_id, subject, finding)
    if row is None:
        known = await conn.fetchrow(_FIND, emergency_id)
        code = "emergency_reviewed" if known else "emergency_unknown"
        raise Rejected(code, "There is no such emergency to review.", "emergency_id")
    about = {"emergency_id": emergency_id, "finding": finding, "by": subject}
    await _note(conn, key, "emergency_reviewed", row["admission_id"], about)
    reviewed_at: datetime = row["reviewed_at"]
    return reviewed_at


async def to_review(pool: asyncpg.Pool) -> dict[str, int]:
    """How many wait for the privacy officer, for the service's status."""
    return {"to_review": int(await pool.fetchval(_WAITING))}


async def _note(
    conn: Connection, key: bytes, what: str, admission_id: UUID, about: dict[str, Any]
) -> None:
    now: datetime = await conn.fetchval("select now()")
    await ledger.append(conn, key, [Entry(what, None, admission_id, about)], now)
