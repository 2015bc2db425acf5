"""The routes by which a site says who is told, and sees how that goes."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from alerts import receivers, teams
from alerts.receivers import Receiver
from alerts.rota import Rota
from handrail import edges
from handrail.edges import Committed
from handrail.events.base import SiteId
from handrail.receipts import Day


class NewRota(BaseModel):
    """Who is on call, and from which day on."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    begins_on: Day
    rota: Rota


def routes(pool: asyncpg.Pool, committed: Committed) -> APIRouter:
    """Receivers: entered, stopped, tried again, shown; and who is on call."""
    router = APIRouter(prefix="/v1", tags=["notices"])

    @router.get("/sites/{site_id}/rotas")
    async def get_rotas(site_id: SiteId) -> Sequence[dict[str, Any]]:
        """The site's on-call rotas, by the day each begins."""
        return await teams.listed(pool, site_id)

    @router.put("/sites/{site_id}/rotas")
    async def put_rota(site_id: SiteId, wanted: NewRota) -> NewRota:
        """Set who is on call from a day on; the same again changes nothing."""
        await edges.in_one_transaction(
            pool,
            committed,
            lambda conn: teams.set_rota(conn, site_id, wanted.begins_on, wanted.rota),
        )
        return wanted

    @router.get("/receivers")
    async def get_receivers(site_id: SiteId | None = None) -> list[dict[str, Any]]:
        """Each receiver: what waits since when, what was given up, and what is wrong."""
        return await receivers.listed(pool, site_id)

    @router.put("/receivers/{receiver_id}")
    async def put_receiver(receiver_id: UUID, wanted: Receiver) -> dict[str, Any]:
        """Enter a receiver under your own identifier; a webhook's secret is shown this once."""
        secret = await edges.in_one_transaction(
            pool, committed, lambda conn: receivers.put(conn, receiver_id, wanted)
        )
        return {"receiver_id": receiver_id, "secret": secret}

    @router.delete("/receivers/{receiver_id}")
    async def delete_receiver(receiver_id: UUID) -> dict[str, UUID]:
        """Tell it nothing any more."""
        await edges.in_one_transaction(
            pool, committed, lambda conn: receivers.stop(conn, receiver_id)
        )
        return {"receiver_id": receiver_id}

    @router.post("/receivers/{receiver_id}/retry")
    async def post_retry(receiver_id: UUID) -> dict[str, int]:
        """Try at once what waits, and what was given up."""
        count = await edges.in_one_transaction(
            pool, committed, lambda conn: receivers.send_again(conn, receiver_id)
        )
        return {"notices": count}

    return router
