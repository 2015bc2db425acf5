"""Who may tell of appointments."""

from fastapi import APIRouter

from attendance.sources.terms import AppointmentSender
from handrail.desk.desk import Desk
from handrail.desk.review import put_sender
from handrail.events.base import Code


def routes(desk: Desk) -> APIRouter:
    """Senders."""
    router = APIRouter(prefix="/v1/hl7", tags=["hl7"])

    @router.put("/senders/{source}")
    async def put_siu_sender(source: Code, wanted: AppointmentSender) -> dict[str, str]:
        """Enter a system that may send, under the same code as with intake."""
        await put_sender(desk.pool, source, wanted, wanted.terms)
        return {"source": source}

    return router
