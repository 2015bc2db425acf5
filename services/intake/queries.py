"""What is read of admissions by HTTP."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Query

from handrail.events.base import Code, SiteId
from handrail.receipts import Day, Rejected
from intake import store
from intake.facts import Admission, Consent, Support
from intake.rules import disclosure, needs, stay, team
from intake.rules.needs import Misfit

Limit = Annotated[int, Query(ge=1, le=1000)]


def routes(pool: asyncpg.Pool) -> APIRouter:
    """The queries about admissions."""
    router = APIRouter(prefix="/v1", tags=["intake"])

    @router.get("/admissions")
    async def get_admissions(
        site_id: SiteId | None = None,
        status: Code | None = None,
        after: UUID | None = None,
        limit: Limit = 100,
    ) -> list[dict[str, Any]]:
        """Admissions in order of their identifier; `after` is the last one of the page before."""
        async with pool.acquire() as conn:
            return [a.row() for a in await store.page(conn, site_id, status, after, limit)]

    @router.get("/admissions/{admission_id}")
    async def get_admission(admission_id: UUID) -> dict[str, Any]:
        """One admission, with its plan, team and attempts."""
        return (await _one(pool, admission_id)).row()

    @router.get("/admissions/{admission_id}/team")
    async def get_team(admission_id: UUID, on: Day) -> dict[str, UUID]:
        """Who stands for each role on this day, covers included."""
        return team.on_duty((await _one(pool, admission_id)).chart.team, on)

    @router.get("/admissions/{admission_id}/facility-discharge")
    async def get_facility_discharge(
        admission_id: UUID, on: Day, supervisor_id: UUID | None = None
    ) -> list[dict[str, str]]:
        """What an end by the facility still lacks; empty when nothing."""
        found = stay.lacks((await _one(pool, admission_id)).chart, supervisor_id, on)
        return [{"field": field, "detail": detail} for field, detail in found]

    @router.get("/admissions/{admission_id}/consents")
    async def get_consents(admission_id: UUID, on: Day) -> list[Consent]:
        """The consents that hold on this day and have not been revoked."""
        found = await _one(pool, admission_id)
        return disclosure.in_force(found.chart.consents, on, datetime.now(UTC))

    @router.get("/admissions/{admission_id}/supports")
    async def get_supports(admission_id: UUID, *, may_contact: bool = False) -> list[Support]:
        """The supports; with `may_contact` only those who agreed to be contacted."""
        found = (await _one(pool, admission_id)).chart.supports
        return [support for support in found if support.may_contact or not may_contact]

    @router.get("/admissions/{admission_id}/misfits")
    async def get_misfits(admission_id: UUID, program_id: Code) -> list[Misfit]:
        """Why a programme of the site does not fit this person's week and needs."""
        found = await _one(pool, admission_id)
        async with pool.acquire() as conn:
            programs = await store.programs(conn, found.site_id, program_id, 1)
        if not programs:
            raise Rejected("program_unknown", "The site lists no such programme.", "program_id")
        return needs.misfits(found, programs[0])

    return router


async def _one(pool: asyncpg.Pool, admission_id: UUID) -> Admission:
    async with pool.acquire() as conn:
        found = await store.one(conn, admission_id)
    if found is None:
        raise Rejected("admission_unknown", "No admission has that identifier.", "admission_id")
    return found
