"""Pieces that resources are made of; what is not known is left out."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, TypeAlias
from uuid import UUID

import orjson

from handrail.fhir.asked import ADMISSION

Resource: TypeAlias = dict[str, Any]
HL7 = "http://terminology.hl7.org/CodeSystem"
# Whom it is about in care for substance use is the secret: 42 CFR part 2, restricted.
LABELS: Sequence[Resource] = [
    {"system": f"{HL7}/v3-Confidentiality", "code": "R"},
    {"system": f"{HL7}/v3-ActCode", "code": "ETH"},
]


def resource(kind: str, identity: str, **fields: Any) -> Resource:
    """A resource with its labels and a version made from its content."""
    body = {name: value for name, value in fields.items() if value not in (None, [], {})}
    made = {"resourceType": kind, "id": identity, **body}
    content = orjson.dumps(made, option=orjson.OPT_SORT_KEYS | orjson.OPT_NAIVE_UTC)
    version = hashlib.sha256(content).hexdigest()[:16]
    meta = {"versionId": version, "security": LABELS}
    return {"resourceType": kind, "id": identity, "meta": meta, **body}


def labelled(made: Resource, labels: Sequence[Resource]) -> Resource:
    """The same resource under other labels."""
    return made | {"meta": {**made["meta"], "security": list(labels)}}


def named(kind: str, system: str, value: object) -> Resource:
    """A reference by an identifier, to what another service or another house keeps."""
    return {"type": kind, "identifier": {"system": system, "value": str(value)}}


def patient_of(admission_id: UUID) -> Resource:
    """The person of an admission, where only the admission is known."""
    return named("Patient", ADMISSION, admission_id)


def concept(system: str, code: str | None) -> Resource | None:
    """A concept by a code of ours."""
    if code is None:
        return None
    return {"coding": [{"system": f"urn:handrail:{system}", "code": code}], "text": code}


def period(start: date | datetime | None, end: date | datetime | None) -> Resource | None:
    """From and until, as far as they are known."""
    ends = {"start": moment(start), "end": moment(end)}
    return {name: value for name, value in ends.items() if value} or None


def moment(at: date | datetime | None) -> str | None:
    """A day or a moment, as FHIR writes it."""
    return at.isoformat() if at else None


# FHIR's own way to say that a value which has to be there is not known.
ABSENT_REASON = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
ABSENT = {"extension": [{"url": ABSENT_REASON, "valueCode": "unknown"}]}
