"""What is read of intake by HTTP."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Query

from handrail.receipts import Rejected
from intake import store
from intake.facts import Admission, Program
from intake.rules import plan, stay, team

Limit = Annotated[int, Query(ge=1, le=1000)]


def routes(pool: asyncpg.Pool) -> APIRouter:
    """The queries about one admission and about a site."""
    router = APIRouter(prefix="/v1", tags=["intake"])

    async def one(admission_id: UUID) -> Admission:
        async with pool.acquire() as conn:
            found = await store.one(conn, admission_id)
        if found is None:
            raise Rejected("admission_unknown", "No admission has that identifier.", "admission_id")
        return found

    @router.get("/admissions")
    async def get_admissions(
        site_id: str | None = None,
        status: str | None = None,
        after: UUID | None = None,
        limit: Limit = 100,
    ) -> list[dict[str, Any]]:
        """Admissions in order of their identifier; `after` is the last one of the page before."""
        async with pool.acquire() as conn:
            return [a.row() for a in await store.page(conn, site_id, status, after, limit)]

    @router.get("/admissions/{admission_id}")
    async def get_admission(admission_id: UUID) -> dict[str, Any]:
        """One admission, with its plan, team and attempts."""
        return (await one(admission_id)).row()

    @router.get("/admissions/{admission_id}/team")
    async def get_team(admission_id: UUID, on: date) -> dict[str, UUID]:
        """Who stands for each role on this day, covers included."""
        return team.on_duty((await one(admission_id)).chart.team, on)

    @router.get("/admissions/{admission_id}/facility-discharge")
    async def get_facility_discharge(
        admission_id: UUID, on: date, supervisor_id: UUID | None = None
    ) -> list[dict[str, str]]:
        """What an end by the facility still lacks; empty when nothing."""
        found = stay.lacks((await one(admission_id)).chart, supervisor_id, on)
        return [{"field": field, "detail": detail} for field, detail in found]

    @router.get("/sites/{site_id}/waitlist")
    async def get_waitlist(
        site_id: str, program_id: str | None = None, limit: Limit = 100
    ) -> list[dict[str, Any]]:
        """Who waits for a place; the next one first."""
        async with pool.acquire() as conn:
            return await store.waiting(conn, site_id, program_id, limit)

    @router.get("/sites/{site_id}/plans-due")
    async def get_plans_due(site_id: str, by: date, limit: Limit = 100) -> list[dict[str, Any]]:
        """Plans to make, reviews and recertifications due by this day; the oldest first."""
        async with pool.acquire() as conn:
            found = await store.with_plan_due(conn, site_id, by, limit)
        due = [
            {"admission_id": a.admission_id, "what": what, "due_on": day}
            for a in found
            for what, day in plan.due(a, by)
        ]
        return sorted(due, key=lambda item: (item["due_on"], item["what"], item["admission_id"]))

    @router.get("/programs")
    async def get_programs(
        site_id: str | None = None, program_id: str | None = None, limit: Limit = 100
    ) -> list[Program]:
        """The catalogue: programmes, their levels, hours and places. Nothing about a person."""
        async with pool.acquire() as conn:
            return await store.programs(conn, site_id, program_id, limit)

    return router
