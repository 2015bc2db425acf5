"""Admissions as FHIR R4: episode, care team and consents; what subscribers were told."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from handrail.fhir.asked import ADMISSION, PATIENT, Asked, uuid_of
from handrail.fhir.routes import Kind
from handrail.fhir.words import HL7, Resource, concept, named, period, resource
from handrail.outbox import Connection
from intake.disclosures.backport import shown
from intake.disclosures.ledger import TOLD

EPISODES = {
    "referred": "planned",
    "waitlisted": "waitlist",
    "admitted": "active",
    "on_hold": "onhold",
    "discharged": "finished",
    "lost": "cancelled",
    "declined": "cancelled",
    "merged": "entered-in-error",
}
TEAMS = {
    "referred": "proposed",
    "waitlisted": "proposed",
    "admitted": "active",
    "on_hold": "active",
    "discharged": "inactive",
    "lost": "inactive",
    "declined": "inactive",
    "merged": "entered-in-error",
}
REFERRALS = {
    "referred": "active",
    "waitlisted": "active",
    "admitted": "completed",
    "on_hold": "completed",
    "discharged": "completed",
    "lost": "revoked",
    "declined": "revoked",
    "merged": "entered-in-error",
}
CONSENTS = ("active", "inactive")
# https://terminology.hl7.org/ValueSet-v3-PurposeOfUse.html
_PURPOSES = {
    "treatment": "TREAT",
    "payment": "HPAYMT",
    "operations": "HOPERAT",
    "support": "FAMRQT",
    "legal": "HLEGAL",
}
_TPO = ("TREAT", "HPAYMT", "HOPERAT")

_ADMISSIONS = """
select admission_id, patient_id, site_id, program_id, status, admitted_on, ended_on,
    level_of_care, chart -> 'team' as team
from admissions
where ($1::uuid[] is null or admission_id = any($1))
    and ($2::uuid[] is null or patient_id = any($2) or admission_id = any($2))
    and ($3::text[] is null or status = any($3))
    and ($4::date is null or coalesce(ended_on, $4) >= $4)
    and ($5::date is null or coalesce(admitted_on, referred_at::date) <= $5)
    and ($6::text[] is null or program_id = any($6))
    and ($7::uuid is null or admission_id > $7)
order by admission_id limit $8
"""
_CONSENTS = """
select * from (
    select a.admission_id, a.patient_id, c as consent,
        replace(a.admission_id::text || (c ->> 'consent_id'), '-', '') as id,
        case when c ->> 'revoked_at' is not null or (c ->> 'until_on')::date < current_date
            then 'inactive' else 'active' end as state
    from admissions a cross join lateral jsonb_array_elements(a.chart -> 'consents') c
    where ($1::uuid[] is null or a.admission_id = any($1))
        and ($2::uuid[] is null or a.patient_id = any($2) or a.admission_id = any($2))
        and ($3::text[] is null or a.program_id = any($3))
) c
where ($4::text[] is null or c.id = any($4)) and ($5::text[] is null or c.state = any($5))
    and c.id > $6
order by c.id limit $7
"""
_TOLD = """
select l.number, l.admission_id, l.subscriber_id, l.entry
from ledger l left join admissions a using (admission_id)
where l.number > $1 and ($2::bigint[] is null or l.number = any($2))
    and ($3::uuid[] is null or l.admission_id = any($3) or a.patient_id = any($3))
    and ($4::text[] is null or a.program_id = any($4))
order by l.number limit $5
"""


def episode(row: Mapping[str, Any]) -> Resource:
    """One stay, from the referral on."""
    return resource(
        "EpisodeOfCare",
        str(row["admission_id"]),
        identifier=[{"system": ADMISSION, "value": str(row["admission_id"])}],
        status=EPISODES[row["status"]],
        type=[kind] if (kind := concept("level-of-care", row["level_of_care"])) else None,
        patient=named("Patient", PATIENT, row["patient_id"]),
        managingOrganization=named("Organization", "urn:handrail:site", row["site_id"]),
        period=period(row["admitted_on"], row["ended_on"]),
        team=[{"reference": f"CareTeam/{row['admission_id']}"}] if row["team"] else None,
    )


def referral(row: Mapping[str, Any]) -> Resource:
    """What a stay began with."""
    return resource(
        "ServiceRequest",
        str(row["admission_id"]),
        identifier=[{"system": ADMISSION, "value": str(row["admission_id"])}],
        status=REFERRALS[row["status"]],
        intent="order",
        subject=named("Patient", PATIENT, row["patient_id"]),
    )


def care_team(row: Mapping[str, Any]) -> Resource:
    """Who holds which role for the person, and who covers."""
    return resource(
        "CareTeam",
        str(row["admission_id"]),
        status=TEAMS[row["status"]],
        subject=named("Patient", PATIENT, row["patient_id"]),
        period=period(row["admitted_on"], row["ended_on"]),
        participant=[
            {
                "role": [concept("care-role", member["role"])],
                "member": named("Practitioner", "urn:handrail:staff", member["staff_id"]),
                "period": period(_date(member["from_on"]), _date(member.get("until_on"))),
            }
            for member in row["team"] or ()
        ],
    )


def consent(row: Mapping[str, Any]) -> Resource:
    """What may be told to whom, and what for."""
    said: Mapping[str, Any] = row["consent"]
    purposes = _TPO if said["purpose"] == "tpo" else (_PURPOSES[said["purpose"]],)
    return resource(
        "Consent",
        row["id"],
        status=row["state"],
        scope={"coding": [{"system": f"{HL7}/consentscope", "code": "patient-privacy"}]},
        category=[{"coding": [{"system": f"{HL7}/v3-ActCode", "code": "IDSCL"}]}],
        patient=named("Patient", PATIENT, row["patient_id"]),
        dateTime=said["from_on"],
        policyRule={"text": "42 CFR part 2"},
        provision={
            "type": "permit",
            "period": period(_date(said["from_on"]), _date(said.get("until_on"))),
            "actor": [
                {
                    "role": {"coding": [{"system": f"{HL7}/v3-ParticipationType", "code": "IRCP"}]},
                    "reference": named(
                        "Organization", f"urn:handrail:{said['recipient_class']}", said["recipient"]
                    ),
                }
            ],
            "purpose": [{"system": f"{HL7}/v3-ActReason", "code": code} for code in purposes],
            "class": [
                {"system": "urn:handrail:data-class", "code": one} for one in said["data_classes"]
            ],
        },
    )


def audit_event(row: Mapping[str, Any]) -> Resource:
    """One row of the ledger of what was told, and of who changed what about it."""
    entry = json.loads(row["entry"])
    subscriber, admission = row["subscriber_id"], row["admission_id"]
    who = named("Device", "urn:handrail:subscriber", subscriber) if subscriber else None
    return resource(
        "AuditEvent",
        str(row["number"]),
        type={"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "110106"},
        subtype=[{"system": "urn:handrail:ledger", "code": entry["what"]}],
        action="R" if entry["what"] in TOLD else "E",
        recorded=entry["at"],
        outcome="0" if entry["what"] != "unconfirmed" else "4",
        agent=[{"requestor": False, **({"who": who} if who else {})}],
        source={"observer": {"display": "Handrail intake"}},
        entity=[{"what": named("EpisodeOfCare", ADMISSION, admission)}] if admission else None,
    )


def _date(word: str | None) -> date | None:
    return date.fromisoformat(word) if word else None


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "team": _body(row["team"])}


async def _admissions(
    conn: Connection, asked: Asked, known: Mapping[str, str]
) -> list[dict[str, Any]]:
    rows = await conn.fetch(
        _ADMISSIONS,
        asked.uuids(),
        asked.patients,
        asked.among(known),
        asked.since,
        asked.until,
        asked.programs,
        asked.uuid_after(),
        asked.limit,
    )
    return [_row(row) for row in rows]


async def _episodes(conn: Connection, asked: Asked) -> list[Resource]:
    return [episode(row) for row in await _admissions(conn, asked, EPISODES)]


async def _referrals(conn: Connection, asked: Asked) -> list[Resource]:
    return [referral(row) for row in await _admissions(conn, asked, REFERRALS)]


async def _care_teams(conn: Connection, asked: Asked) -> list[Resource]:
    return [care_team(row) for row in await _admissions(conn, asked, TEAMS)]


async def _consents(conn: Connection, asked: Asked) -> list[Resource]:
    ids = None if asked.ids is None else [one for one in asked.ids if len(one) == 64]
    admissions = None if ids is None else [a for one in ids if (a := uuid_of(one[:32]))]
    rows = await conn.fetch(
        _CONSENTS,
        admissions,
        asked.patients,
        asked.programs,
        ids,
        asked.statuses,
        asked.after,
        asked.limit,
    )
    return [consent({**row, "consent": _body(row["consent"])}) for row in rows]


async def _audit_events(conn: Connection, asked: Asked) -> list[Resource]:
    numbers = None if asked.ids is None else [int(one) for one in asked.ids if _is_number(one)]
    after = int(asked.after) if _is_number(asked.after) else 0
    rows = await conn.fetch(_TOLD, after, numbers, asked.patients, asked.programs, asked.limit)
    return [audit_event(row) for row in rows]


def _body(found: object) -> Any:
    return json.loads(found) if isinstance(found, str) else found


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdecimal() and len(word) <= 18


# What one kind of resource is found by.
FIND = {"EpisodeOfCare": _episodes, "ServiceRequest": _referrals}
KINDS = (
    Kind(
        "EpisodeOfCare",
        _episodes,
        ("_id", "patient", "status", "date"),
        tuple(dict.fromkeys(EPISODES.values())),
    ),
    Kind(
        "CareTeam", _care_teams, ("_id", "patient", "status"), tuple(dict.fromkeys(TEAMS.values()))
    ),
    Kind("Consent", _consents, ("_id", "patient", "status"), CONSENTS),
    Kind("AuditEvent", _audit_events, ("_id", "patient")),
    Kind(
        "Subscription",
        shown.subscriptions,
        ("_id", "status"),
        shown.STATUSES,
        written=shown.WRITTEN,
        more=shown.MORE,
    ),
    Kind(
        "ServiceRequest",
        _referrals,
        ("_id", "patient", "status"),
        tuple(dict.fromkeys(REFERRALS.values())),
    ),
)
