"""The routes by which a site says who is told, and sees how that goes."""

from typing import Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter

from alerts import receivers
from alerts.receivers import Receiver
from handrail import edges
from handrail.edges import Committed
from handrail.events.base import SiteId


def routes(pool: asyncpg.Pool, committed: Committed) -> APIRouter:
    """Receivers: entered, stopped, tried again, shown."""
    router = APIRouter(prefix="/v1/receivers", tags=["notices"])

    @router.get("")
    async def get_receivers(site_id: SiteId | None = None) -> list[dict[str, Any]]:
        """Each receiver: what waits since when, what was given up, and what is wrong."""
        return await receivers.listed(pool, site_id)

    @router.put("/{receiver_id}")
    async def put_receiver(receiver_id: UUID, wanted: Receiver) -> dict[str, Any]:
        """Enter a receiver under your own identifier; a webhook's secret is shown this once."""
        secret = await edges.in_one_transaction(
            pool, committed, lambda conn: receivers.put(conn, receiver_id, wanted)
        )
        return {"receiver_id": receiver_id, "secret": secret}

    @router.delete("/{receiver_id}")
    async def delete_receiver(receiver_id: UUID) -> dict[str, UUID]:
        """Tell it nothing any more."""
        await edges.in_one_transaction(
            pool, committed, lambda conn: receivers.stop(conn, receiver_id)
        )
        return {"receiver_id": receiver_id}

    @router.post("/{receiver_id}/retry")
    async def post_retry(receiver_id: UUID) -> dict[str, int]:
        """Try at once what waits, and what was given up."""
        count = await edges.in_one_transaction(
            pool, committed, lambda conn: receivers.send_again(conn, receiver_id)
        )
        return {"notices": count}

    return router
