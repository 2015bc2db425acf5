"""What a notification named, read by the subscriber it was sent to: decided again, and in the ledger.

Whoever was never told of a seat or a stay cannot ask for it: its name is the subscriber's own.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from handrail.fhir.asked import uuid_of
from handrail.fhir.words import ABSENT, Resource, concept, named, resource
from handrail.outbox import Connection
from handrail.receipts import Rejected
from intake import fhir
from intake.disclosures import ledger, messages, spoken
from intake.disclosures.decided import Decided, about_told, decisions
from intake.disclosures.ledger import Entry

SUBJECT, SEAT = "urn:handrail:subject", "urn:handrail:seat"
# What is known of a stay is what this event opens.
_OF_A_STAY = "intake.intake_completed.v1"
_STATUSES = {
    "Booked": "booked",
    "Complete": "fulfilled",
    "Noshow": "noshow",
    "Cancelled": "cancelled",
}

_HELD = """
select subscriber_id, site_id, recipient_class, recipient, purpose, data_classes, url,
    subject_key, now() as now
from subscribers where subscriber_id = $1 and state <> 'removed'
"""
# What is just being sent has no number yet but the one it is sent with.
_NAMED = """
select d.id, d.delivery_id, d.admission_id, d.type, d.data,
    coalesce(d.sequence, s.last_sequence + 1) as sequence
from fhir_names n
join deliveries d on d.id = n.delivery
join subscribers s using (subscriber_id)
where n.registered_id = $1 and n.name = $2
"""
_STAY = """
select status, admitted_on, ended_on, level_of_care from admissions where admission_id = $1
"""


async def seat(conn: Connection, client: str | None, name: str, key: bytes) -> Resource:
    """A seat as it was told last. Raises Rejected for one that may not be told, or never was."""
    held, row = await _named(conn, client, name)
    if row["data"] is None or row["type"] not in spoken.SEATS:
        raise _unknown()
    data, own_key = orjson.loads(row["data"]), held["subject_key"]
    if messages.seat_of(data, own_key) != uuid_of(name):
        raise _unknown()
    one = await _decided(conn, held, row, "attendance")
    await _note(conn, key, held, one, "Appointment")
    facts = messages.facts_of(row["type"], one.told.classes, data, own_key)
    return appointment(row["type"], facts, _subject(held, row))


async def stay(conn: Connection, client: str | None, name: str, key: bytes) -> Resource:
    """A stay as it is now. Raises Rejected for one that may not be told, or never was."""
    held, row = await _named(conn, client, name)
    subject = _subject(held, row)
    if subject != uuid_of(name):
        raise _unknown()
    one = await _decided(conn, held, {**row, "type": _OF_A_STAY}, "status")
    await _note(conn, key, held, one, "EpisodeOfCare")
    known = await conn.fetchrow(_STAY, row["admission_id"])
    assert known
    return episode(known, subject, one.told.classes)


def appointment(kind: str, facts: Mapping[str, Any], subject: UUID) -> Resource:
    """A seat, of the facts that the consents open."""
    word = spoken.SEATS[kind][1] or spoken.CORRECTED.get(str(facts.get("now")), "Cancelled")
    status = "cancelled" if facts.get("kind") == "late_cancellation" else _STATUSES[word]
    unknown = ABSENT if status != "cancelled" else None
    day = facts.get("to_planned_on") or facts.get("planned_on")
    return resource(
        "Appointment",
        facts["seat"],
        identifier=[{"system": SEAT, "value": facts["seat"]}],
        status=status,
        serviceType=[concept("session-type", facts.get("session_type"))],
        reasonCode=[concept("miss-reason", facts["reason"])] if facts.get("reason") else None,
        _start=unknown,
        _end=unknown,
        minutesDuration=facts.get("planned_minutes") or None,
        requestedPeriod=[{"start": day, "end": day}] if day else None,
        participant=[{"actor": named("Patient", SUBJECT, subject), "status": "accepted"}],
    )


def episode(row: Mapping[str, Any], subject: UUID, classes: tuple[str, ...]) -> Resource:
    """A stay: its status and days, and the level of care where the consents open it."""
    level = row["level_of_care"] if "level_of_care" in classes else None
    known = {"start": row["admitted_on"], "end": row["ended_on"]}
    return resource(
        "EpisodeOfCare",
        str(subject),
        identifier=[{"system": SUBJECT, "value": str(subject)}],
        status=fhir.EPISODES[row["status"]],
        type=[kind] if (kind := concept("level-of-care", level)) else None,
        patient=named("Patient", SUBJECT, subject),
        period={name: day.isoformat() for name, day in known.items() if day},
    )


async def _named(conn: Connection, client: str | None, name: str) -> tuple[Any, Any]:
    """The registration, and the newest message that named it."""
    held = await conn.fetchrow(_HELD, uuid_of(client or ""))
    row = await conn.fetchrow(_NAMED, held["subscriber_id"], uuid_of(name)) if held else None
    if row is None:
        raise _unknown()
    return held, row


async def _decided(conn: Connection, held: Any, row: Any, needed: str) -> Decided:
    [one] = await decisions(conn, held, [row])
    if needed not in one.told.classes:
        raise _unknown()
    return one


async def _note(conn: Connection, key: bytes, held: Any, one: Decided, kind: str) -> None:
    said = about_told(held, one, one.row["sequence"]) | {"asked": kind}
    entry = Entry("delivered", held["subscriber_id"], one.row["admission_id"], said)
    await ledger.append(conn, key, [entry], held["now"])


def _subject(held: Any, row: Any) -> UUID:
    return messages.own_name(held["subject_key"], str(row["admission_id"]))


def _unknown() -> Rejected:
    return Rejected("resource_unknown", "There is no such resource that you may see.", "id")
