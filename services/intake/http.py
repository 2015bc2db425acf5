"""Intake's HTTP API: what changes something. `queries` has what is read."""

from datetime import UTC, datetime

import asyncpg
from fastapi import APIRouter, Request

from handrail import edges
from handrail.edges import Committed
from handrail.events.base import SiteId
from handrail.events.intake import IntakeDayClosed
from handrail.receipts import Day, Result
from intake import admission
from intake.commands import COMMANDS, AnyCommand


def routes(pool: asyncpg.Pool, committed: Committed) -> APIRouter:
    """The commands; each route opens exactly one transaction."""
    router = APIRouter(prefix="/v1", tags=["intake"])

    @router.post("/commands", openapi_extra=edges.body_of(COMMANDS))
    async def post_commands(request: Request) -> list[Result]:
        """Carry out up to 2,000 commands in order; one result each, with the caller's key."""
        taken = COMMANDS.validate_json(await request.body())
        return await edges.in_one_transaction(
            pool, committed, lambda conn: admission.take(conn, taken, datetime.now(UTC))
        )

    @router.post("/commands/preview", openapi_extra=edges.body_of(COMMANDS))
    async def post_preview(request: Request) -> list[Result]:
        """What these commands would do; nothing is changed."""
        taken = COMMANDS.validate_json(await request.body())
        return await edges.previewed(
            pool, lambda conn: admission.take(conn, taken, datetime.now(UTC))
        )

    @router.post("/command")
    async def post_command(command: AnyCommand) -> Result:
        """Carry out one command; 409 or 404 with a problem document when it is refused."""
        results = await edges.in_one_transaction(
            pool, committed, lambda conn: admission.take(conn, [command], datetime.now(UTC))
        )
        return edges.accepted(results[0])

    @router.post("/sites/{site_id}/days/{day}/close")
    async def post_day_close(site_id: SiteId, day: Day) -> dict[str, bool]:
        """Close a day of a site on replay time."""
        return await edges.close_replay_day(pool, committed, site_id, day, IntakeDayClosed)

    return router
