"""What a privacy officer looks at: emergencies to review, and whom a person's records went to."""

import asyncio
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from alerts.page import history
from alerts.page.access import Member
from alerts.page.accounting import Told, as_pdf, told
from alerts.page.doors import Doors
from alerts.page.neighbours import Away, Neighbours, Unknown
from alerts.page.show import HEADERS, language_of
from alerts.page.store import is_in_scope
from alerts.page.texts import speaker

FINDINGS = ("justified", "not_justified")


def routes(doors: Doors, neighbours: Neighbours) -> APIRouter:
    """The page at `/privacy`, the accounting of one person, and the same as PDF."""
    router = APIRouter(include_in_schema=False)

    @router.get("/privacy")
    async def get_privacy(request: Request) -> Response:
        """The emergencies in which somebody was told without a consent; those to review first."""
        member = await doors.member(request, "privacy")
        found = await _emergencies(neighbours, member)
        fields = {"emergencies": found, "findings": FINDINGS}
        return doors.pages.show(request, "privacy.html", fields, member)

    @router.post("/privacy/{emergency_id}")
    async def post_review(request: Request, emergency_id: UUID) -> Response:
        """The officer's finding."""
        member, fields = await doors.form(request, "privacy")
        known = await _emergencies(neighbours, member) or []
        finding = fields.get("finding")
        if finding not in FINDINGS or str(emergency_id) not in {e["emergency_id"] for e in known}:
            return _not_found(doors, request, member)
        said = {"finding": finding, "reviewed_by": member.subject}
        await neighbours.post("intake", f"/v1/emergencies/{emergency_id}/review", said)
        return RedirectResponse("/privacy", 303)

    @router.get("/people/{admission_id}/accounting")
    async def get_accounting(request: Request, admission_id: UUID) -> Response:
        """To whom what was told of a person, by which consent, in six years."""
        member = await doors.member(request, "privacy")
        rows = await _told(doors, neighbours, member, admission_id)
        if rows is None:
            return _not_found(doors, request, member)
        fields = {"rows": rows, "admission_id": admission_id, "short": str(admission_id)[:8]}
        return doors.pages.show(request, "accounting.html", fields, member)

    @router.get("/people/{admission_id}/accounting.pdf")
    async def get_accounting_pdf(request: Request, admission_id: UUID) -> Response:
        """The same, to hand over."""
        member = await doors.member(request, "privacy")
        rows = await _told(doors, neighbours, member, admission_id)
        if rows is None:
            return _not_found(doors, request, member)
        made = await asyncio.to_thread(
            as_pdf, rows, str(admission_id), speaker(language_of(request))
        )
        headers = HEADERS | {"content-disposition": 'attachment; filename="accounting.pdf"'}
        return Response(made, media_type="application/pdf", headers=headers)

    return router


def _not_found(doors: Doors, request: Request, member: Member) -> Response:
    return doors.pages.show(request, "message.html", {"words": "not_found"}, member, status=404)


async def _emergencies(neighbours: Neighbours, member: Member) -> list[dict[str, Any]] | None:
    """Those of the member's programmes; None where intake does not answer."""
    try:
        found: list[dict[str, Any]] = await neighbours.get("intake", "/v1/emergencies")
    except (Away, Unknown):
        return None
    return [one for one in found if is_in_scope(one, member)]


async def _told(
    doors: Doors, neighbours: Neighbours, member: Member, admission_id: UUID
) -> list[Told] | None:
    """None where there is nobody that the member may see, or intake does not answer."""
    async with doors.pool.acquire() as conn:
        known = await history.known(conn, admission_id)
    if known is None or not is_in_scope({"program_id": known.program_id}, member):
        return None
    try:
        stay = await neighbours.get("intake", f"/v1/admissions/{admission_id}")
        rows = await neighbours.get("intake", f"/v1/patients/{stay['patient_id']}/disclosures")
    except (Away, Unknown):
        return None
    return [told(row) for row in rows]
