"""Answers as FHIR writes them; a problem document becomes an OperationOutcome."""

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handrail.fhir.words import Resource
from handrail.telemetry import log

MEDIA_TYPE = "application/fhir+json"
PROBLEM = b"application/problem+json"
# https://hl7.org/fhir/R4/valueset-issue-type.html
_CODES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    409: "invalid",
    413: "too-long",
    422: "invalid",
    429: "throttled",
    503: "transient",
}


def answer(resource: Resource, headers: Mapping[str, str] | None = None) -> Response:
    """One resource."""
    return Response(orjson.dumps(resource), media_type=MEDIA_TYPE, headers=dict(headers or {}))


def outcome(problem: Mapping[str, Any]) -> Resource:
    """A problem document in FHIR's words."""
    status = int(problem.get("status", 500))
    issue: dict[str, Any] = {
        "severity": "error",
        "code": _CODES.get(status, "exception"),
        "details": {"text": str(problem.get("title", ""))},
        "diagnostics": str(problem.get("detail", "")),
    }
    fields = [one["field"] for one in problem.get("errors", []) if one.get("field")]
    return {
        "resourceType": "OperationOutcome",
        "issue": [issue | ({"expression": fields} if fields else {})],
    }


class Outcomes:
    """Turns what is refused under `/fhir` into an OperationOutcome."""

    def __init__(self, app: ASGIApp) -> None:
        """`app` is what comes next."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not scope["path"].startswith("/fhir/"):
            await self.app(scope, receive, send)
            return
        held: list[Message] = []
        body = b""

        async def pass_on(message: Message) -> None:
            nonlocal body
            if message["type"] == "http.response.start" and _is_problem(message):
                held.append(message)
                return
            if not held:
                await send(message)
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                said = orjson.dumps(outcome(orjson.loads(body)))
                await send(_instead(held[0], len(said)))
                await send({"type": "http.response.body", "body": said})

        try:
            await self.app(scope, receive, pass_on)
        except Exception as error:  # noqa: BLE001  # what the app would answer is no OperationOutcome
            log.error("http.bug", error=type(error).__name__)
            bug = {
                "status": 500,
                "title": "bug",
                "detail": "This is our mistake; tell the operator.",
            }
            said = Response(orjson.dumps(outcome(bug)), 500, media_type=MEDIA_TYPE)
            await said(scope, receive, send)


def _is_problem(start: Message) -> bool:
    return any(n == b"content-type" and v.startswith(PROBLEM) for n, v in start["headers"])


def _instead(start: Message, length: int) -> Message:
    """The same head for another body; a search that cannot be understood is a 400 in FHIR."""
    ours = {b"content-type": MEDIA_TYPE.encode(), b"content-length": str(length).encode()}
    kept = [(name, value) for name, value in start["headers"] if name not in ours]
    status = 400 if start["status"] in (409, 422) else start["status"]
    return {**start, "status": status, "headers": [*kept, *ours.items()]}
