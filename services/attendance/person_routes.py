"""The routes that show what is noted of a person outside sessions."""

from typing import Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter

from attendance import notes, store
from handrail.events.attendance import ContactRecorded, ScreenResulted
from handrail.outbox import Connection
from handrail.receipts import Rejected


def routes(pool: asyncpg.Pool) -> APIRouter:
    """Queries only."""
    router = APIRouter(prefix="/v1/admissions/{admission_id}", tags=["attendance"])

    @router.get("/contacts")
    async def get_contacts(admission_id: UUID) -> list[dict[str, Any]]:
        """When the person was, or could not be, spoken with; the oldest first."""
        async with pool.acquire() as conn:
            await _require_known(conn, admission_id)
            return await notes.told(conn, admission_id, ContactRecorded, ("channel", "reached"))

    @router.get("/screens")
    async def get_screens(admission_id: UUID) -> list[dict[str, Any]]:
        """Every drug screen; the oldest first."""
        async with pool.acquire() as conn:
            await _require_known(conn, admission_id)
            return await notes.told(conn, admission_id, ScreenResulted, ("positives",))

    @router.get("/barriers")
    async def get_barriers(admission_id: UUID) -> dict[str, Any]:
        """What stands or stood in the way, and the reasons given for misses."""
        async with pool.acquire() as conn:
            await _require_known(conn, admission_id)
            return await notes.barriers(conn, admission_id)

    return router


async def _require_known(conn: Connection, admission_id: UUID) -> None:
    if not await store.admissions(conn, [admission_id]):
        raise Rejected("admission_unknown", "No admission has that identifier.", "admission_id")
