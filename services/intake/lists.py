"""What is read by HTTP in lists: who waits, what is due, a person's stays, the programmes."""

from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Query

from handrail.events.base import Code, SiteId
from handrail.receipts import Day
from intake import store
from intake.facts import Program
from intake.rules import needs, plan, stay
from intake.store import people

Limit = Annotated[int, Query(ge=1, le=1000)]


def routes(pool: asyncpg.Pool) -> APIRouter:
    """The lists."""
    router = APIRouter(prefix="/v1", tags=["intake"])

    @router.get("/sites/{site_id}/waitlist")
    async def get_waitlist(
        site_id: SiteId, program_id: Code | None = None, limit: Limit = 100
    ) -> list[dict[str, Any]]:
        """Who waits for a place; the next one first."""
        async with pool.acquire() as conn:
            return await store.waiting(conn, site_id, program_id, limit)

    @router.get("/sites/{site_id}/plans-due")
    async def get_plans_due(site_id: SiteId, by: Day, limit: Limit = 100) -> list[dict[str, Any]]:
        """Plans to make, reviews and recertifications due by this day; the oldest first."""
        async with pool.acquire() as conn:
            found = await store.with_plan_due(conn, site_id, by, limit)
        due = [
            {"admission_id": a.admission_id, "what": what, "due_on": day}
            for a in found
            for what, day in plan.due(a, by)
        ]
        return sorted(due, key=lambda item: (item["due_on"], item["what"], item["admission_id"]))

    @router.get("/sites/{site_id}/intakes-due")
    async def get_intakes_due(site_id: SiteId, limit: Limit = 100) -> list[dict[str, Any]]:
        """Steps of intake that have not been taken, and by when; the earliest referral first."""
        async with pool.acquire() as conn:
            found = await store.with_steps_missing(conn, site_id, limit)
        return [
            {
                "admission_id": a.admission_id,
                "missing": needs.missing(a),
                "due_on": needs.due_on(a),
            }
            for a in found
        ]

    @router.get("/sites/{site_id}/stays-to-end")
    async def get_stays_to_end(
        site_id: SiteId, by: Day, limit: Limit = 100
    ) -> list[dict[str, Any]]:
        """Who is in care and has not been seen for 90 days by this day; the longest ago first.

        Nothing ends by itself: a discharge needs its reason.
        """
        async with pool.acquire() as conn:
            return await people.unseen(conn, site_id, stay.seen_from(by), limit)

    @router.get("/patients/{patient_id}/admissions")
    async def get_admissions_of_patient(patient_id: UUID) -> list[dict[str, Any]]:
        """All that is recorded of one person, also where the person was recorded twice."""
        async with pool.acquire() as conn:
            return await people.admissions_of(conn, patient_id)

    @router.get("/programs")
    async def get_programs(
        site_id: SiteId | None = None, program_id: Code | None = None, limit: Limit = 100
    ) -> list[Program]:
        """The catalogue: programmes, their levels, hours and places. Nothing about a person."""
        async with pool.acquire() as conn:
            return await store.programs(conn, site_id, program_id, limit)

    return router
