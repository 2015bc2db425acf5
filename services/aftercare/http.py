"""Aftercare's HTTP API."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Query, Request, Response

from aftercare import hand_off, store
from aftercare.commands import COMMANDS, RESULTS, AnyCommand
from handrail import edges
from handrail.edges import Committed
from handrail.events.aftercare import AftercareDayClosed
from handrail.events.base import SiteId
from handrail.receipts import Day, Rejected, Result


def routes(pool: asyncpg.Pool, committed: Committed) -> APIRouter:
    """Commands and queries; each command route opens exactly one transaction."""
    router = APIRouter(prefix="/v1", tags=["aftercare"])

    @router.post("/commands", openapi_extra=edges.body_of(COMMANDS), response_model=list[Result])
    async def post_commands(request: Request) -> Response:
        """Carry out up to 2,000 commands in order; one result each, with the caller's key."""
        taken = COMMANDS.validate_json(await request.body())
        results = await edges.in_one_transaction(
            pool, committed, lambda conn: hand_off.take(conn, taken, datetime.now(UTC))
        )
        return Response(RESULTS.dump_json(results), media_type="application/json")

    @router.post("/command")
    async def post_command(command: AnyCommand) -> Result:
        """Carry out one command; 409 or 404 with a problem document when it is refused."""
        results = await edges.in_one_transaction(
            pool, committed, lambda conn: hand_off.take(conn, [command], datetime.now(UTC))
        )
        return edges.accepted(results[0])

    @router.get("/step-downs")
    async def get_step_downs(
        site_id: SiteId | None = None,
        is_open: Annotated[bool | None, Query(alias="open")] = None,
        after: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> list[dict[str, Any]]:
        """Hand-offs in order of their identifier; open until the next place saw the person."""
        async with pool.acquire() as conn:
            return await store.page(conn, site_id, is_open=is_open, after=after, limit=limit)

    @router.get("/step-downs/{step_down_id}")
    async def get_step_down(step_down_id: UUID) -> dict[str, Any]:
        """One hand-off with its follow-ups."""
        async with pool.acquire() as conn:
            found = await store.one(conn, step_down_id)
        if found is None:
            raise Rejected("step_down_unknown", "No step-down has that identifier.", "step_down_id")
        return found

    @router.post("/sites/{site_id}/days/{day}/close")
    async def post_day_close(site_id: SiteId, day: Day) -> dict[str, bool]:
        """Close a day of a site on replay time."""
        return await edges.close_replay_day(
            pool, committed, site_id, day, AftercareDayClosed, hand_off.end_day
        )

    return router
