"""Intake's HTTP API."""

from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Query, Request

from handrail import edges
from handrail.edges import Committed
from handrail.events.intake import IntakeDayClosed
from handrail.receipts import Rejected, Result
from intake import admission, store
from intake.commands import COMMANDS, AnyCommand


def routes(pool: asyncpg.Pool, committed: Committed) -> APIRouter:
    """Commands and queries; each command route opens exactly one transaction."""
    router = APIRouter(prefix="/v1", tags=["intake"])

    @router.post("/commands", openapi_extra=edges.body_of(COMMANDS))
    async def post_commands(request: Request) -> list[Result]:
        """Carry out up to 2,000 commands in order; one result each, with the caller's key."""
        taken = COMMANDS.validate_json(await request.body())
        return await edges.in_one_transaction(
            pool, committed, lambda conn: admission.take(conn, taken, datetime.now(UTC))
        )

    @router.post("/command")
    async def post_command(command: AnyCommand) -> Result:
        """Carry out one command; 409 or 404 with a problem document when it is refused."""
        results = await edges.in_one_transaction(
            pool, committed, lambda conn: admission.take(conn, [command], datetime.now(UTC))
        )
        return edges.accepted(results[0])

    @router.get("/admissions")
    async def get_admissions(
        site_id: str | None = None,
        status: str | None = None,
        after: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> list[dict[str, Any]]:
        """Admissions in order of their identifier; `after` is the last one of the page before."""
        async with pool.acquire() as conn:
            return [a.row() for a in await store.page(conn, site_id, status, after, limit)]

    @router.get("/admissions/{admission_id}")
    async def get_admission(admission_id: UUID) -> dict[str, Any]:
        """One admission."""
        async with pool.acquire() as conn:
            found = await store.one(conn, admission_id)
        if found is None:
            raise Rejected("admission_unknown", "No admission has that identifier.", "admission_id")
        return found.row()

    @router.post("/sites/{site_id}/days/{day}/close")
    async def post_day_close(site_id: str, day: date) -> dict[str, bool]:
        """Close a day of a site on replay time."""
        return await edges.close_replay_day(pool, committed, site_id, day, IntakeDayClosed)

    return router
