"""The routes under `/fhir/R4`: capability statement, read and search of each kind of resource."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias
from urllib.parse import urlencode

import asyncpg
from fastapi import APIRouter, FastAPI, Request, Response

from handrail.access.guard import ON_LOOPBACK, Refused, caller_of
from handrail.access.table import Caller
from handrail.fhir import asked, scopes
from handrail.fhir.asked import Asked
from handrail.fhir.outcome import MEDIA_TYPE, Outcomes, answer
from handrail.fhir.scopes import Interaction
from handrail.fhir.words import Resource
from handrail.outbox import Connection
from handrail.receipts import Rejected

BASE = "/fhir/R4"
Find: TypeAlias = Callable[[Connection, Asked], Awaitable[list[Resource]]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of resource: what it can be searched by, its statuses, and where it is found.

    `find` gives resources in the order of their ids, from after `after` on, `limit` at most.
    `written` are the interactions that a service adds by routes of its own, `more` what its
    capability statement says besides.
    """

    name: str
    find: Find
    parameters: tuple[str, ...] = ("_id", "patient")
    statuses: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)


def install(  # an app has as many parts
    app: FastAPI,
    pool: asyncpg.Pool,
    title: str,
    kinds: Sequence[Kind],
    operations: Sequence[Resource] = (),
    takes: frozenset[str] = frozenset(),
) -> None:
    """Give an app the routes, and errors as FHIR says them.

    `operations` of the whole system have routes of their own; the capability statement names them,
    and `takes`, the kinds that are also taken from other systems (`taking.py`).
    """
    router = APIRouter(prefix=BASE, tags=["fhir"])

    @router.get("/metadata")
    async def get_metadata(request: Request) -> Response:
        """What can be read here, and how it is searched."""
        return answer(capabilities(base_of(request), title, kinds, operations, takes))

    for kind in kinds:
        _add(router, pool, kind)
    app.include_router(router)
    app.add_middleware(Outcomes)


def _add(router: APIRouter, pool: asyncpg.Pool, kind: Kind) -> None:
    async def search(request: Request) -> Response:
        wanted = asked.read(request.query_params.multi_items(), kind.parameters, kind.statuses)
        wanted = for_caller(wanted, require(request, kind.name, "search"))
        async with pool.acquire() as conn:
            # One more than is shown tells whether there is another page.
            found = await kind.find(conn, replace(wanted, limit=wanted.limit + 1))
        return answer(_bundle(request, kind, found, wanted.limit))

    async def read(request: Request, resource_id: str) -> Response:
        caller = require(request, kind.name, "read")
        async with pool.acquire() as conn:
            wanted = for_caller(Asked(ids=(resource_id,), limit=1), caller)
            found = await kind.find(conn, wanted)
        if not found:
            raise Rejected("resource_unknown", "There is no such resource that you may see.", "id")
        etag = etag_of(found[0])
        if etag in request.headers.get("if-none-match", "").split(", "):
            return Response(status_code=304, headers={"etag": etag})
        return answer(found[0], headers={"etag": etag})

    search.__doc__ = f"Search {kind.name} by {', '.join(kind.parameters)}."
    read.__doc__ = f"Read one {kind.name}."
    name = kind.name.lower()
    router.add_api_route(f"/{kind.name}", search, methods=["GET"], name=f"search_{name}")
    router.add_api_route(
        f"/{kind.name}/{{resource_id}}", read, methods=["GET"], name=f"read_{name}"
    )


def require(request: Request, kind: str, interaction: Interaction) -> Caller:
    """The caller, if the token's scopes allow it; a token is asked for also on loopback. Raises Refused."""
    caller = caller_of(request)
    if caller is ON_LOOPBACK:
        raise Refused("sign_in")
    if not scopes.allows(caller.scopes, caller.role, kind, interaction):
        raise Refused("scope")
    return caller


def base_of(request: Request) -> str:
    """The address below which resources lie, as the caller wrote it."""
    return f"{str(request.base_url).rstrip('/')}{BASE}"


def etag_of(found: Resource) -> str:
    """The version of a resource, made from its content."""
    return f'W/"{found["meta"]["versionId"]}"'


def for_caller(wanted: Asked, caller: Caller) -> Asked:
    """The same search, in what the caller may see."""
    programs = None if caller.programs is None else tuple(sorted(caller.programs))
    client = (caller.client or "") if caller.role == "subscriber" else None
    return replace(wanted, programs=programs, client=client)


def _bundle(request: Request, kind: Kind, found: Sequence[Resource], limit: int) -> Resource:
    base = f"{base_of(request)}/{kind.name}"
    pairs = [pair for pair in request.query_params.multi_items() if pair[0] != "_cursor"]
    links = [{"relation": "self", "url": f"{base}?{urlencode(request.query_params.multi_items())}"}]
    if len(found) > limit:
        query = urlencode([*pairs, ("_cursor", found[limit - 1]["id"])])
        links.append({"relation": "next", "url": f"{base}?{query}"})
    entries = [
        {"fullUrl": f"{base}/{one['id']}", "resource": one, "search": {"mode": "match"}}
        for one in found[:limit]
    ]
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "link": links}
    return bundle | ({"entry": entries} if entries else {})


_TYPES = {"_id": "token", "patient": "reference", "status": "token", "date": "date"}


def capabilities(
    base: str,
    title: str,
    kinds: Sequence[Kind],
    operations: Sequence[Resource] = (),
    takes: frozenset[str] = frozenset(),
) -> Resource:
    """The capability statement of a service that has these kinds, and takes some of them."""
    resources: list[dict[str, Any]] = [
        {
            "type": kind.name,
            "interaction": [{"code": code} for code in _interactions(kind, takes)],
            "versioning": "no-version",
            "searchParam": [{"name": name, "type": _TYPES[name]} for name in kind.parameters],
            **(_TAKEN if kind.name in takes else {}),
            **kind.more,
        }
        for kind in kinds
    ]
    rest: Resource = {"mode": "server", "security": _SECURITY, "resource": resources}
    if operations:
        rest["operation"] = list(operations)
    if takes:
        rest["interaction"] = [{"code": "transaction"}, {"code": "batch"}]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-25",
        "kind": "instance",
        "software": {"name": "Handrail"},
        "implementation": {"description": title, "url": base},
        "fhirVersion": "4.0.1",
        "format": [MEDIA_TYPE],
        "rest": [rest],
    }


def _interactions(kind: Kind, takes: frozenset[str]) -> tuple[str, ...]:
    taken = ("create", "update") if kind.name in takes else ()
    return ("read", "search-type", *taken, *kind.written)


_TAKEN = {"conditionalUpdate": True, "updateCreate": True}
_SECURITY = {
    "service": [
        {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                    "code": "SMART-on-FHIR",
                }
            ]
        }
    ],
    "description": "A bearer token with SMART scopes, as system/Appointment.read.",
}
