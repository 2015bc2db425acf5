"""The routes that take resources of other systems under `/fhir/R4`, one by one or in a Bundle."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeAlias

from fastapi import APIRouter, FastAPI, Request, Response

from handrail import metrics
from handrail.access.guard import ON_LOOPBACK, Refused, caller_of
from handrail.desk.letter import KIND, VALUE, Refusal
from handrail.desk.store import Sender
from handrail.fhir import bundles, reading, replies
from handrail.fhir.dialect import BUNDLE, Fhir, Taken
from handrail.fhir.reading import Document
from handrail.fhir.routes import BASE, require
from handrail.telemetry import log
from handrail.transient import TRANSIENT

Tried: TypeAlias = Taken | Refusal | int


def install(app: FastAPI, spoken: Fhir) -> None:
    """Give an app the routes."""
    router = APIRouter(prefix=BASE, tags=["fhir"])

    # Clients write the base with a slash and without one.
    @router.post("/", openapi_extra=_body(BUNDLE), include_in_schema=False)
    @router.post("", openapi_extra=_body(BUNDLE))
    async def post_bundle(request: Request) -> Response:
        """Take a Bundle: a transaction or message wholly or not at all, a batch one by one."""
        return await _bundle(request, spoken)

    app.include_router(router)
    for kind in spoken.parts:
        _add(router := APIRouter(prefix=BASE, tags=["fhir"]), spoken, kind)
        app.include_router(router)


def _add(router: APIRouter, spoken: Fhir, kind: str) -> None:
    async def post(request: Request) -> Response:
        return await _one(request, spoken, kind)

    async def put(request: Request) -> Response:
        return await _one(request, spoken, kind, condition=request.query_params.get("identifier"))

    async def put_at(request: Request, resource_id: str) -> Response:
        return await _one(request, spoken, kind, resource_id=resource_id)

    post.__doc__ = f"Take one {kind}; what bears an identifier that is known changes that."
    put.__doc__ = f"Take one {kind} under the identifier that the query names."
    put_at.__doc__ = f"Take one {kind} under its sender's own id."
    for path, method, route in (
        (f"/{kind}", "POST", post),
        (f"/{kind}", "PUT", put),
        (f"/{kind}/{{resource_id}}", "PUT", put_at),
    ):
        name = f"{route.__name__}_{kind.lower()}"
        router.add_api_route(path, route, methods=[method], name=name, openapi_extra=_body(kind))


def _body(kind: str) -> dict[str, Any]:
    schema = {"type": "object", "description": f"{kind} of R4"}
    return {
        "requestBody": {"required": True, "content": {"application/fhir+json": {"schema": schema}}}
    }


async def _sender(request: Request, spoken: Fhir) -> Sender | None:
    """Who sends. Raises Refused."""
    caller = caller_of(request)
    if caller is ON_LOOPBACK:
        raise Refused("sign_in")
    return await spoken.sender(caller.client or caller.subject)


def _require_written(request: Request, kinds: Iterable[str]) -> None:
    """Whatever is sent may be new or a change, so both have to be allowed. Raises Refused."""
    for kind in kinds:
        require(request, kind, "create")
        require(request, kind, "update")


async def _one(
    request: Request, spoken: Fhir, kind: str, *, resource_id: str = "", condition: str | None = ""
) -> Response:
    _require_written(request, [kind])
    sender = await _sender(request, spoken)
    if sender is None:
        return _not_entered()
    raw = await request.body()

    async def take() -> Taken:
        document = _document(request, raw)
        _require_named(document, kind, resource_id, condition)
        return await spoken.take(sender, document, kind)

    tried = await _tried(spoken, raw, take)
    return replies.one(tried, raw, _base(request), is_outside=sender.is_outside)


def _document(request: Request, raw: bytes) -> Document:
    if request.headers.get("if-match"):
        raise Refusal(KIND, "", "The newest lastUpdated counts; leave If-Match out.")
    return reading.parsed(raw)


def _require_named(document: Document, kind: str, resource_id: str, condition: str | None) -> None:
    """What the address names is what the body holds. Raises Refusal."""
    if document.get("resourceType") != kind:
        raise Refusal(VALUE, "resourceType", f"{kind} is expected here.")
    if resource_id and document.get("id") != resource_id:
        raise Refusal(VALUE, f"{kind}.id", "The address names another id.")
    if condition is None:
        raise Refusal(VALUE, kind, "Name the resource: PUT to its id, or to ?identifier=.")
    if condition:
        bundles.require_identifier(document, condition, f"{kind}.identifier")


async def _bundle(request: Request, spoken: Fhir) -> Response:
    sender = await _sender(request, spoken)
    if sender is None:
        return _not_entered()
    raw = await request.body()
    try:
        document = _document(request, raw)
        bundle = bundles.opened(document, spoken.parts)
    except Refusal as refusal:
        _require_written(request, spoken.parts)
        return replies.one(
            await _tried(spoken, raw, _raising(refusal)), raw, "", is_outside=sender.is_outside
        )
    _require_written(request, {one.kind for one in bundle.entries if one.kind})
    if bundle.type != "batch":
        tried = await _tried(spoken, raw, lambda: spoken.take_together(sender, document, bundle))
        return replies.together(tried, bundle, _base(request), is_outside=sender.is_outside)
    done: dict[int, Tried] = {}
    for one in bundle.entries:
        if one.kind:
            taking = _taking_one_of(spoken, sender, bundle, one.number)
            done[one.number] = await _tried(spoken, reading.written(one.document), taking)
    return replies.batch(done, bundle, _base(request), is_outside=sender.is_outside)


def _raising(refusal: Refusal) -> Callable[[], Awaitable[Taken]]:
    async def take() -> Taken:
        raise refusal

    return take


def _taking_one_of(
    spoken: Fhir, sender: Sender, bundle: bundles.Bundle, number: int
) -> Callable[[], Awaitable[Taken]]:
    return lambda: spoken.take_one_of(sender, bundle, number)


async def _tried(spoken: Fhir, raw: bytes, take: Callable[[], Awaitable[Taken]]) -> Tried:
    """What became of it; a status where it is not the sender's fault."""
    tried: Tried
    try:
        tried = await take()
        state = tried.outcome.state
    except Refusal as refusal:
        await spoken.desk.keep_broken(spoken, raw, refusal)
        tried, state = refusal, "refused"
    except TRANSIENT as error:
        log.warning("fhir.bad_moment", error=type(error).__name__)
        tried, state = 503, "bad_moment"
    except Exception as error:  # noqa: BLE001  # it is answered whatever happens
        log.error("fhir.bug", error=type(error).__name__)
        tried, state = 500, "bug"
    metrics.FHIR.labels(state).inc()
    return tried


def _not_entered() -> Response:
    metrics.FHIR.labels("sender_unknown").inc()
    return replies.not_entered()


def _base(request: Request) -> str:
    return f"{str(request.base_url).rstrip('/')}{BASE}"
