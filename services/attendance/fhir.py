"""Seats as FHIR R4: an Appointment for each person in each session, an Encounter where they came."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from handrail.fhir.asked import ADMISSION, Asked
from handrail.fhir.routes import Kind
from handrail.fhir.words import (
    ABSENT,
    HL7,
    Resource,
    concept,
    moment,
    named,
    patient_of,
    period,
    resource,
)
from handrail.outbox import Connection

# A late cancellation and an excuse are told beforehand; R4 has a word of its own for a no-show.
STATUSES = {
    "scheduled": "booked",
    "attended": "fulfilled",
    "no_show": "noshow",
    "late_cancellation": "cancelled",
    "excused": "cancelled",
    "cancelled_by_program": "cancelled",
}
ATTENDED = {"attended": "finished"}
_SESSION = "urn:handrail:session"
_MODES = {"in_person": "AMB", "online": "VR"}

# A seat's id is its session's and its admission's, without the lines between.
_SEATS = """
select s.session_id, c.admission_id, s.session_type, s.modality, s.held_on, s.starts_at,
    s.planned_minutes, s.planned_on, c.status, c.minutes, c.mode, c.attended_on, c.reason,
    c.moved_to, c.joined_at, c.left_at,
    replace(s.session_id::text || c.admission_id::text, '-', '') as id
from seats c
join sessions s using (session_id)
left join admissions a using (admission_id)
where ($1::uuid[] is null or (c.session_id, c.admission_id) in (
        select * from unnest($1::uuid[], $2::uuid[])
    ))
    and ($3::uuid[] is null or c.admission_id = any($3))
    and ($4::text[] is null or c.status = any($4))
    and ($5::date is null or s.held_on >= $5) and ($6::date is null or s.held_on <= $6)
    and ($7::text[] is null or a.program_id = any($7))
    and ($8::uuid is null or (c.session_id, c.admission_id) > ($8, $9))
order by c.session_id, c.admission_id limit $10
"""


def appointment(seat: Mapping[str, Any]) -> Resource:
    """One person's seat in one session."""
    starts_at, status = seat["starts_at"], STATUSES[seat["status"]]
    if seat["moved_to"] and status == "booked":
        status = "cancelled"
    ends_at = _end(starts_at, seat["planned_minutes"])
    # Whatever is not cancelled has to say when; where only the day is known, that is said.
    unknown = ABSENT if starts_at is None and status != "cancelled" else None
    return resource(
        "Appointment",
        seat["id"],
        identifier=[{"system": _SESSION, "value": str(seat["session_id"])}],
        status=status,
        cancelationReason=_reason(seat) if status == "cancelled" else None,
        serviceType=[concept("session-type", seat["session_type"])],
        start=moment(starts_at),
        _start=unknown,
        end=moment(ends_at),
        _end=unknown,
        minutesDuration=seat["planned_minutes"] or None,
        requestedPeriod=[period(seat["held_on"], seat["held_on"])],
        participant=[{"actor": patient_of(seat["admission_id"]), "status": "accepted"}],
    )


def encounter(seat: Mapping[str, Any]) -> Resource:
    """What a person who came took part in; the minutes are those they were there."""
    starts = seat["joined_at"] or seat["starts_at"]
    ends = seat["left_at"] or _end(starts, seat["minutes"])
    minutes = {
        "value": seat["minutes"],
        "unit": "min",
        "system": "http://unitsofmeasure.org",
        "code": "min",
    }
    return resource(
        "Encounter",
        seat["id"],
        status="finished",
        **{"class": {"system": f"{HL7}/v3-ActCode", "code": _MODES[seat["mode"]]}},
        type=[concept("session-type", seat["session_type"])],
        subject=patient_of(seat["admission_id"]),
        episodeOfCare=[named("EpisodeOfCare", ADMISSION, seat["admission_id"])],
        appointment=[{"reference": f"Appointment/{seat['id']}"}],
        period=period(starts, ends) if starts else period(seat["attended_on"], None),
        length=minutes,
    )


def _end(starts: datetime | None, minutes: int) -> datetime | None:
    return starts + timedelta(minutes=minutes) if starts else None


def _reason(seat: Mapping[str, Any]) -> Resource | None:
    if seat["moved_to"]:
        return concept("cancellation", "moved")
    return concept("cancellation", seat["status"])


async def _seats(
    conn: Connection, asked: Asked, known: Mapping[str, str]
) -> list[Mapping[str, Any]]:
    ids = None if asked.ids is None else [pair for one in asked.ids if (pair := _pair(one))]
    after = _pair(asked.after) or (None, None)
    return list(
        await conn.fetch(
            _SEATS,
            None if ids is None else [session for session, _ in ids],
            None if ids is None else [admission for _, admission in ids],
            asked.patients,
            list(known) if asked.statuses is None else asked.among(known),
            asked.since,
            asked.until,
            asked.programs,
            *after,
            asked.limit,
        )
    )


def _pair(word: str) -> tuple[UUID, UUID] | None:
    if len(word) != 64:
        return None
    try:
        return UUID(word[:32]), UUID(word[32:])
    except ValueError:
        return None


async def _appointments(conn: Connection, asked: Asked) -> list[Resource]:
    return [appointment(seat) for seat in await _seats(conn, asked, STATUSES)]


async def _encounters(conn: Connection, asked: Asked) -> list[Resource]:
    return [encounter(seat) for seat in await _seats(conn, asked, ATTENDED)]


# What one kind of resource is found by.
FIND = {"Appointment": _appointments, "Encounter": _encounters}
_BY = ("_id", "patient", "status", "date")
KINDS = (
    Kind("Appointment", _appointments, _BY, tuple(dict.fromkeys(STATUSES.values()))),
    Kind("Encounter", _encounters, _BY, ("finished",)),
)
