"""What is answered to what was written: the resource as it is held, or an OperationOutcome."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import orjson
from fastapi import Response

from handrail.desk.letter import (
    FAULT,
    KIND,
    MISSING,
    REPEATED,
    SEQUENCE,
    TYPE,
    UNKNOWN,
    VALUE,
    Refusal,
)
from handrail.fhir.bundles import Bundle, Entry
from handrail.fhir.dialect import Taken
from handrail.fhir.outcome import answer
from handrail.fhir.reading import Document
from handrail.fhir.words import Resource, moment

# https://hl7.org/fhir/R4/valueset-issue-type.html
_CODES = {
    SEQUENCE: "structure",
    MISSING: "required",
    TYPE: "value",
    VALUE: "code-invalid",
    KIND: "not-supported",
    UNKNOWN: "not-found",
    REPEATED: "duplicate",
    FAULT: "business-rule",
}
_REASONS = {200: "OK", 201: "Created", 400: "Bad Request", 409: "Conflict"} | {
    422: "Unprocessable Entity",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_LATER = {
    503: ("transient", "Not now; send it again soon."),
    500: ("exception", "This is our mistake; nothing was changed. Tell the operator."),
}


def _outcome(severity: str, code: str, text: str, where: str = "", ours: str = "") -> Resource:
    issue: dict[str, Any] = {"severity": severity, "code": code, "diagnostics": text}
    if ours:
        issue["details"] = {"text": ours}
    if where:
        issue["expression"] = [where]
    return {"resourceType": "OperationOutcome", "issue": [issue]}


_NOT_ENTERED = _outcome(
    "error", "forbidden", "The client of this token is not entered here as a sender."
)
_TAKEN = _outcome("information", "informational", "It was taken.")
_NOTHING = _outcome("information", "informational", "Nothing is held of it.")
_BESIDE = _outcome("information", "informational", "Read for its identifiers; not kept.")


def not_entered() -> Response:
    """The answer to whoever has a token and is no sender."""
    return _answered(403, _NOT_ENTERED)


def refused(refusal: Refusal) -> Resource:
    """Why, where, and what to do."""
    code = _CODES.get(refusal.error, "processing")
    return _outcome("error", code, refusal.detail, refusal.where, refusal.code)


def _status(tried: Taken | Refusal | int) -> tuple[int, Resource | None]:
    """The status, and the outcome where it was not taken."""
    if isinstance(tried, int):
        code, text = _LATER[tried]
        return tried, _outcome("error", code, text)
    if isinstance(tried, Refusal):
        return 400, refused(tried)
    refusal = tried.outcome.refusal
    if refusal is None:
        return 200, None
    return (409 if refusal.error == REPEATED else 422), refused(refusal)


def _hides(status: int, *, is_outside: bool) -> bool:
    """A system from outside is told nothing of who is known here."""
    return is_outside and status in (200, 409, 422)


def one(tried: Taken | Refusal | int, raw: bytes, base: str, *, is_outside: bool) -> Response:
    """The answer to one resource."""
    status, why = _status(tried)
    if _hides(status, is_outside=is_outside):
        return _answered(200, _TAKEN)
    if why is not None:
        return _answered(status, why)
    assert isinstance(tried, Taken)
    [shown] = tried.shown.values()
    if shown is None:
        return _answered(200, _NOTHING)
    headers = {"location": _location(shown, base), "etag": _etag(shown)}
    return _answered(201 if tried.new else 200, _with_names(shown, orjson.loads(raw)), headers)


def together(
    tried: Taken | Refusal | int, bundle: Bundle, base: str, *, is_outside: bool
) -> Response:
    """The answer to a transaction or a message: one outcome where it was not taken."""
    status, why = _status(tried)
    if why is not None and not _hides(status, is_outside=is_outside):
        return _answered(status, why)
    if bundle.type == "message":
        return _answered(200, _acknowledged(bundle, base))
    entries = []
    for entry in bundle.entries:
        if entry.kind is None or is_outside:
            entries.append(_response(200, _TAKEN if entry.kind else _BESIDE))
            continue
        assert isinstance(tried, Taken)
        entries.append(_held(tried, entry, base))
    return _answered(200, _listed("transaction-response", entries))


def batch(
    done: Mapping[int, Taken | Refusal | int], bundle: Bundle, base: str, *, is_outside: bool
) -> Response:
    """The answer to a batch: of each entry what became of it."""
    entries = []
    for entry in bundle.entries:
        if entry.number not in done:
            entries.append(_response(200, _BESIDE))
            continue
        tried = done[entry.number]
        status, why = _status(tried)
        if _hides(status, is_outside=is_outside):
            entries.append(_response(200, _TAKEN))
        elif why is not None:
            entries.append(_response(status, why))
        else:
            assert isinstance(tried, Taken)
            entries.append(_held(tried, entry, base))
    return _answered(200, _listed("batch-response", entries))


def _held(taken: Taken, entry: Entry, base: str) -> Resource:
    shown = taken.shown[entry.where]
    if shown is None:
        return _response(200, _NOTHING)
    status = 201 if entry.where in taken.new else 200
    made = _response(status, None)
    made["response"] |= {"location": _location(shown, base), "etag": _etag(shown)}
    return {"resource": _with_names(shown, entry.document), **made}


def _response(status: int, outcome: Resource | None) -> Resource:
    said: Resource = {"status": f"{status} {_REASONS[status]}"}
    return {"response": said | ({"outcome": outcome} if outcome else {})}


def _listed(type_: str, entries: list[Resource]) -> Resource:
    return {"resourceType": "Bundle", "type": type_, "entry": entries}


def _acknowledged(bundle: Bundle, base: str) -> Resource:
    """A message is answered by a message, with the identifier of its own."""
    asked = bundle.entries[0].document
    header = {
        "resourceType": "MessageHeader",
        "id": str(uuid4()),
        "eventUri": "urn:handrail:taken",
        "source": {"name": "Handrail", "endpoint": base},
        "response": {"identifier": asked["id"], "code": "ok"},
    }
    return {
        "resourceType": "Bundle",
        "id": str(uuid4()),
        "type": "message",
        "timestamp": moment(datetime.now(UTC)),
        "entry": [{"fullUrl": f"urn:uuid:{header['id']}", "resource": header}],
    }


def _with_names(shown: Resource, document: Document) -> Resource:
    """The sender's own identifiers stand in the answer to it; they are not kept."""
    given = document.get("identifier")
    theirs = given if isinstance(given, list) else [given] if given else []
    ours = shown.get("identifier", [])
    return {**shown, "identifier": [*theirs, *(one for one in ours if one not in theirs)]}


def _location(shown: Resource, base: str) -> str:
    return f"{base}/{shown['resourceType']}/{shown['id']}"


def _etag(shown: Resource) -> str:
    return f'W/"{shown["meta"]["versionId"]}"'


def _answered(
    status: int, resource: Resource, headers: Mapping[str, str] | None = None
) -> Response:
    response = answer(resource, headers)
    response.status_code = status
    if status == 503:
        response.headers["retry-after"] = "1"
    return response
