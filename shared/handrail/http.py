"""The HTTP edge all services share: problem documents, limits, spans and numbers of requests."""

import time
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache
from typing import Any

import asyncpg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from opentelemetry.trace import SpanKind, StatusCode, get_current_span
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handrail import metrics, telemetry
from handrail.receipts import Rejected
from handrail.telemetry import log
from handrail.transient import TRANSIENT

BODY_LIMIT = 4 * 1024 * 1024
MEDIA_TYPE = "application/problem+json"
SERVER_ERROR = 500
# Any other word in a method's place is the sender's own.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def problem(
    status: int, code: str, detail: str, *, errors: list[dict[str, str]] | None = None
) -> JSONResponse:
    """An RFC 9457 problem document: what, where and what to do; no input is repeated."""
    body: dict[str, Any] = {
        "type": f"urn:handrail:problem:{code}",
        "title": code.replace("_", " "),
        "status": status,
        "detail": detail,
    }
    trace = telemetry.current_traceparent()
    if trace:
        body["trace_id"] = trace.split("-")[1]
    if errors:
        body["errors"] = errors
    return JSONResponse(body, status, media_type=MEDIA_TYPE)


def install(app: FastAPI, is_stopping: Callable[[], bool] = lambda: False) -> None:
    """Give `app` the shared error answers and the tracing and size-limiting layer.

    While `is_stopping`, each answer asks the client to open its next connection anew.
    """
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(ValidationError, _on_invalid)
    app.add_exception_handler(Rejected, _on_rejected)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(asyncpg.DataError, _on_data)
    for kind in TRANSIENT:
        app.add_exception_handler(kind, _on_bad_moment)
    app.add_exception_handler(Exception, _on_bug)
    app.add_middleware(Edge, is_stopping=is_stopping)


def fields_of(
    error: RequestValidationError | ValidationError, names: Collection[str] | None = None
) -> list[dict[str, str]]:
    """The fields a validation error names, each with a code and what is expected.

    Of a path only `names` are repeated, where they are given: the rest the sender may have made up.
    """
    return [
        {
            "field": ".".join(_safe_path(item["loc"], names)),
            "code": item["type"],
            "expected": _SAFE_WORDS.get(item["type"], str(item["msg"])),
        }
        for item in error.errors()[:20]
    ]


# Messages that would repeat what the sender wrote, and what is said instead.
_SAFE_WORDS = {
    "union_tag_invalid": "Name one of the commands in /docs.",
    "extra_forbidden": "There is no such field here.",
    "unexpected_keyword_argument": "There is no such field here.",
    "value_error": "Not a value this field can have.",
    "uuid_parsing": "Input should be a valid UUID.",
}


def _safe_path(path: tuple[int | str, ...], names: Collection[str] | None) -> list[str]:
    known = [isinstance(part, int) or names is None or part in names for part in path]
    return [
        str(part) if ours else "(unknown field)" for part, ours in zip(path, known, strict=True)
    ]


@lru_cache(maxsize=8)
def _names_in(app: FastAPI) -> frozenset[str]:
    """Every field, parameter and command that this service's own document names."""

    def below(node: Any) -> Iterator[str]:
        for name, inside in node.items() if isinstance(node, dict) else enumerate(node):
            if name in {"properties", "mapping"} and isinstance(inside, dict):
                yield from inside
            if name == "name" and isinstance(inside, str):
                yield inside
            if isinstance(inside, dict | list):
                yield from below(inside)

    return frozenset({"body", "query", "path", "header", "cookie", *below(app.openapi())})


async def _on_invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError | ValidationError)
    detail = "Some fields cannot be used; see `errors`, mend them and send it again."
    return problem(422, "invalid_input", detail, errors=fields_of(error, _names_in(request.app)))


async def _on_rejected(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Rejected)
    where = [{"field": error.field, "code": error.code}] if error.field else None
    status = 404 if error.code.endswith("_unknown") else 409
    return problem(status, error.code, error.detail, errors=where)


async def _on_http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == 413:
        return _too_large()
    return problem(error.status_code, "http_error", str(error.detail))


async def _on_data(_request: Request, error: Exception) -> JSONResponse:
    """A value that no type of ours refused and the database cannot hold, as a NUL in a text."""
    log.warning("http.value_not_storable", error=type(error).__name__)
    return problem(422, "invalid_input", "A value cannot be stored; mend it and send it again.")


async def _on_bad_moment(_request: Request, error: Exception) -> JSONResponse:
    log.warning("http.bad_moment", error=type(error).__name__)
    detail = "The database or Kafka does not answer. Send the same again soon."
    answer = problem(503, "not_ready", detail)
    answer.headers["retry-after"] = "1"
    return answer


async def _on_bug(_request: Request, error: Exception) -> JSONResponse:
    log.error("http.bug", error=type(error).__name__)
    return problem(500, "bug", "This is our mistake. Nothing was changed; tell the operator.")


class Edge:
    """Opens the trace of each request, refuses bodies that are too large, forbids caching."""

    def __init__(self, app: ASGIApp, is_stopping: Callable[[], bool]) -> None:
        """`app` is what comes next."""
        self.app, self.is_stopping = app, is_stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"].startswith("/health"):
            await self.app(scope, receive, send)
            return
        headers = {name.lower(): value for name, value in scope["headers"]}
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > BODY_LIMIT:
            await _too_large()(scope, receive, send)
            return
        parent = headers.get(b"traceparent", b"").decode("latin-1") or None
        method = scope["method"] if scope["method"] in METHODS else "_OTHER"
        about: telemetry.Attributes = {telemetry.HTTP_METHOD: method}
        began, at = time.perf_counter(), time.time_ns()
        with telemetry.span(method, SpanKind.SERVER, parent, about) as span:

            async def answer(message: Message) -> None:
                if message["type"] == "http.response.start":
                    route = getattr(scope.get("route"), "path", "none")
                    span.update_name(f"{method} {route}")
                    span.set_attribute(telemetry.HTTP_ROUTE, route)
                    span.set_attribute(telemetry.HTTP_STATUS, message["status"])
                    if message["status"] >= SERVER_ERROR:
                        _keep(f"{method} {route}", about, message["status"], at)
                    took = time.perf_counter() - began
                    metrics.REQUESTS.labels(method, route, message["status"]).inc()
                    metrics.REQUEST_SECONDS.labels(method, route).observe(took)
                    message["headers"] = [
                        *message["headers"],
                        (b"cache-control", b"no-store"),
                        (b"x-content-type-options", b"nosniff"),
                        *([(b"connection", b"close")] if self.is_stopping() else []),
                    ]
                await send(message)

            await self.app(scope, _limited(receive), answer)


def _keep(name: str, about: telemetry.Attributes, status: int, at: int) -> None:
    """What fails by us is always to be found in the traces."""
    get_current_span().set_status(StatusCode.ERROR)
    about = about | {telemetry.HTTP_STATUS: status}
    telemetry.keep_failed(name, SpanKind.SERVER, telemetry.current_traceparent(), about, at)


def _limited(receive: Receive) -> Receive:
    """`receive`, up to the limit: a body sent in pieces does not say its length before."""
    taken = 0

    async def receive_some() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > BODY_LIMIT:
            raise HTTPException(413)
        return message

    return receive_some


def _too_large() -> JSONResponse:
    return problem(413, "too_large", f"A body may have {BODY_LIMIT} bytes; send it in parts.")
