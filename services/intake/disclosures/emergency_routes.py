"""The routes of the glass that is broken, and of its review."""

from typing import Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Depends, Request

from handrail import edges, sight
from handrail.access.guard import caller_of
from handrail.edges import Committed
from intake.disclosures import emergencies
from intake.disclosures.emergencies import Emergency, Review


def routes(pool: asyncpg.Pool, committed: Committed, key: bytes) -> APIRouter:
    """Declare, look while it lasts, list, review; also of persons of other programmes."""
    router = APIRouter(
        prefix="/v1/emergencies", tags=["disclosures"], dependencies=[Depends(sight.see_all)]
    )

    @router.put("/{emergency_id}")
    async def put_emergency(
        request: Request, emergency_id: UUID, said: Emergency
    ) -> dict[str, Any]:
        """Declare an emergency under your own identifier; the same again changes nothing."""
        by = caller_of(request).subject
        over_at = await edges.in_one_transaction(
            pool,
            committed,
            lambda conn: emergencies.declare(conn, key, emergency_id, said, by),
        )
        return {"emergency_id": emergency_id, "over_at": over_at}

    @router.get("/{emergency_id}/record")
    async def get_record(request: Request, emergency_id: UUID) -> dict[str, Any]:
        """What may be told while it lasts; each look is a row of the ledger."""
        by = caller_of(request).subject
        return await edges.in_one_transaction(
            pool, committed, lambda conn: emergencies.record(conn, key, emergency_id, by)
        )

    @router.get("")
    async def get_emergencies(*, reviewed: bool | None = None) -> list[dict[str, Any]]:
        """The emergencies, those to review first."""
        async with pool.acquire() as conn:
            return await emergencies.listed(conn, is_reviewed=reviewed)

    @router.post("/{emergency_id}/review")
    async def post_review(request: Request, emergency_id: UUID, said: Review) -> dict[str, Any]:
        """The privacy officer's finding, once."""
        caller = caller_of(request)
        by = (said.reviewed_by if caller.role == "system" else None) or caller.subject
        at = await edges.in_one_transaction(
            pool,
            committed,
            lambda conn: emergencies.review(conn, key, emergency_id, said.finding, by),
        )
        return {"emergency_id": emergency_id, "reviewed_at": at}

    return router
