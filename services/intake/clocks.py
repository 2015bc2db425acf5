"""What is read by HTTP of the clock from the referral to the first session."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Query

from handrail.events.base import SiteId
from handrail.receipts import Instant, Rejected
from intake.rules import clock
from intake.store import clock as store

Limit = Annotated[int, Query(ge=1, le=1000)]


def routes(pool: asyncpg.Pool) -> APIRouter:
    """One clock, and the list of those that nearly or wholly ran out."""
    router = APIRouter(prefix="/v1", tags=["intake"])

    @router.get("/sites/{site_id}/referrals-going-cold")
    async def get_referrals_going_cold(
        site_id: SiteId, at: Instant | None = None, limit: Limit = 100
    ) -> list[dict[str, Any]]:
        """Who has not been seen and whose clock is nearly or wholly out; the longest wait first.

        `at` is a moment of recorded history; the present one where left out.
        """
        moment = at or datetime.now(UTC)
        async with pool.acquire() as conn:
            found = await store.waiting(conn, site_id, clock.cold_from(moment), limit)
        return [clock.row(one, moment) for one in found]

    @router.get("/admissions/{admission_id}/clock")
    async def get_clock(admission_id: UUID) -> dict[str, Any]:
        """The clock from the referral to the first session."""
        async with pool.acquire() as conn:
            found = await store.load(conn, [admission_id], {})
        if not found:
            raise Rejected("admission_unknown", "No admission has that identifier.", "admission_id")
        return clock.row(found[0], datetime.now(UTC))

    return router
