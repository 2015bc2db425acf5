"""What an operator looks at: how each service does, what waits, and what has gone silent."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from alerts.page.doors import Doors
from alerts.page.neighbours import Away, Neighbours, Unknown
from handrail import dead_letters, sight
from handrail.outbox import Connection
from handrail.service import Service

LETTERS = 100
SERVICES = ("intake", "attendance", "alerts", "aftercare")
SILENT_SECONDS = 120
_TRACES = """
select raised_at, level, kind, split_part(traceparent, '-', 2) as trace_id
from alerts where traceparent is not null order by raised_at desc limit 10
"""


def routes(doors: Doors, service: Service, neighbours: Neighbours) -> APIRouter:
    """The page at `/operate`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/operate")
    async def get_operate(request: Request) -> HTMLResponse:
        """Nothing of a person: states, counts, places and times."""
        member = await doors.member(request, "operate")
        seen = await asyncio.gather(*(_look(name, service, neighbours) for name in SERVICES))
        with sight.seeing(None):
            async with doors.pool.acquire() as conn:
                traces = await _traces(conn)
        fields = {
            "services": seen,
            "letters": [one | {"service": s["name"]} for s in seen for one in s["letters"]],
            "silent": await _silent(neighbours),
            "traces": traces,
            "now": datetime.now(UTC).timestamp(),
            "silent_seconds": SILENT_SECONDS,
        }
        return doors.pages.show(request, "operate.html", fields, member)

    return router


async def _look(name: str, service: Service, neighbours: Neighbours) -> dict[str, Any]:
    """One service's readiness, status and dead letters; `status` is None when it is away."""
    if name == service.name:
        async with service.api_pool.acquire() as conn:
            letters = await dead_letters.waiting(conn, LETTERS)
        ready: dict[str, Any] = {**await service.standing.ready()}
        return _seen(name, ready, await service.standing.status(), letters)
    try:
        ready, status, told = await asyncio.gather(
            neighbours.state(name, "/health/ready"),
            neighbours.get(name, "/status"),
            neighbours.get(name, "/v1/dead-letters", limit=LETTERS),
        )
    except (Away, Unknown):
        return _seen(name, {}, None, [])
    parts = {n: s for n, s in ready.items() if n not in ("service", "ready", "process")}
    return _seen(name, parts, status, told)


def _seen(
    name: str,
    ready: dict[str, Any],
    status: dict[str, Any] | None,
    letters: list[dict[str, Any]],
) -> dict[str, Any]:
    return {"name": name, "ready": ready, "status": status, "letters": letters}


async def _silent(neighbours: Neighbours) -> list[dict[str, Any]] | None:
    """Sites that were asked for a roster and report nothing; None when nobody can say."""
    try:
        found: list[dict[str, Any]] = await neighbours.get("attendance", "/v1/silent-feeds")
    except (Away, Unknown):
        return None
    return found


async def _traces(conn: Connection) -> list[dict[str, Any]]:
    return [dict(row) for row in await conn.fetch(_TRACES)]
