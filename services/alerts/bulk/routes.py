"""The routes of a bulk export: asked for, looked at until it is there, fetched, deleted."""

from collections.abc import Sequence
from email.utils import format_datetime
from typing import Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from alerts.bulk import exports
from alerts.bulk.asked import KIND, since_of
from handrail import edges
from handrail.access.guard import Refused
from handrail.edges import Committed
from handrail.fhir.parameters import Parameters
from handrail.fhir.routes import BASE, base_of, require
from handrail.receipts import Rejected

NDJSON = "application/fhir+ndjson"
WAIT_SECONDS = 5
TOO_MANY_SECONDS = 60
OPERATION = {
    "name": "export",
    "definition": "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export",
}


def routes(pool: asyncpg.Pool, wake: Committed) -> APIRouter:
    """De-identified aggregates of the sites; nothing of a patient or a group can be exported."""
    router = APIRouter(prefix=BASE, tags=["fhir"])

    async def begin(request: Request, pairs: Sequence[tuple[str, str]]) -> Response:
        who, since = _caller(request), since_of(pairs, request.headers)
        export_id = await edges.in_one_transaction(
            pool, wake, lambda conn: exports.ask(conn, who, str(request.url), since)
        )
        if export_id is None:
            raise Refused("rate", TOO_MANY_SECONDS)
        where = f"{base_of(request)}/$export-status/{export_id}"
        return Response(status_code=202, headers={"content-location": where})

    @router.get("/$export", status_code=202)
    async def get_export(request: Request) -> Response:
        """Ask for an export; Content-Location is where it can be looked at."""
        return await begin(request, request.query_params.multi_items())

    @router.post("/$export", status_code=202)
    async def post_export(request: Request, said: Parameters) -> Response:
        """The same, asked in a body."""
        return await begin(request, said.pairs())

    @router.get("/$export-status/{export_id}")
    async def get_status(request: Request, export_id: UUID) -> Response:
        """202 while it is made; then what there is to fetch."""
        async with pool.acquire() as conn:
            found = _required(await exports.find(conn, export_id, _caller(request)))
        if found["state"] == "waiting":
            return _in_progress(found)
        if found["state"] == "failed":
            raise HTTPException(500, "The export could not be made; the operator sees why.")
        return _manifest(found, f"{base_of(request)}/$export-file/{export_id}")

    @router.delete("/$export-status/{export_id}", status_code=202)
    async def delete_export(request: Request, export_id: UUID) -> Response:
        """End it, or delete what it holds."""
        who = _caller(request)
        _required(
            await edges.in_one_transaction(
                pool, wake, lambda conn: exports.drop(conn, export_id, who)
            )
        )
        return Response(status_code=202)

    @router.get("/$export-file/{export_id}")
    async def get_file(request: Request, export_id: UUID) -> Response:
        """The MeasureReports, a line each."""
        async with pool.acquire() as conn:
            lines = await exports.lines(conn, export_id, _caller(request))
        return Response(_required(lines), media_type=NDJSON)

    return router


def _in_progress(found: Any) -> Response:
    of = "" if found["sites"] is None else f"{found['sites_done']} of {found['sites']} sites"
    told = {"x-progress": of or "waiting", "retry-after": str(WAIT_SECONDS)}
    return Response(status_code=202, headers=told)


def _manifest(found: Any, where: str) -> Response:
    files = [{"type": KIND, "url": where, "count": found["reports"]}] if found["reports"] else []
    said = {
        "transactionTime": found["asked_at"].isoformat(),
        "request": found["request"],
        "requiresAccessToken": True,
        "output": files,
        "error": [],
    }
    return JSONResponse(said, headers={"expires": format_datetime(found["over_at"], usegmt=True)})


def _caller(request: Request) -> str:
    """Whoever asks, as far as a token names them; a scope is needed besides."""
    caller = require(request, KIND, "read")
    return f"{caller.role}/{caller.client or ''}/{caller.subject}"


def _required(found: Any) -> Any:
    if found is None or found is False:
        raise Rejected("export_unknown", "There is no such export of yours.", "export_id")
    return found
