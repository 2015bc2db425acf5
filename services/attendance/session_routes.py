"""The routes that show sites, their sessions and the rosters."""

from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Query

from attendance import store
from handrail.events.base import Code, SiteId
from handrail.receipts import Day, Rejected


def routes(pool: asyncpg.Pool) -> APIRouter:
    """Queries only."""
    router = APIRouter(prefix="/v1", tags=["attendance"])

    @router.get("/sites")
    async def get_sites(
        program_id: Annotated[list[Code] | None, Query(max_length=200)] = None,
    ) -> list[dict[str, Any]]:
        """The sites where sessions are held, of these programmes or of any; and their clocks."""
        async with pool.acquire() as conn:
            return await store.sites_of(conn, program_id)

    @router.get("/sessions")
    async def get_sessions(site_id: SiteId, day: Day) -> list[dict[str, Any]]:
        """The sessions of a site's day by their start, with how many seats are recorded."""
        async with pool.acquire() as conn:
            return await store.sessions_of_day(conn, site_id, day)

    @router.get("/sessions/{session_id}")
    async def get_session(session_id: UUID) -> dict[str, Any]:
        """One session with its roster."""
        async with pool.acquire() as conn:
            found = await store.session_with_roster(conn, session_id)
        if found is None:
            raise Rejected("session_unknown", "No session has that identifier.", "session_id")
        return found

    return router
