"""Whom aftercare has to call: follow-ups overdue, returns waited for, alumni."""

from datetime import date
from typing import Annotated, Any, TypeAlias
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Query

from handrail.events.base import SiteId
from handrail.outbox import Connection

Limit: TypeAlias = Annotated[int, Query(ge=1, le=1000)]
FIRST = UUID(int=0)

_OVERDUE = """
select survivor_of(h.admission_id) as admission_id, f.step_down_id, f.follow_up_day, f.due_on,
    h.receiver, (
        select count(*) from jsonb_array_elements(h.chart -> 'attempts') as a
        where (a ->> 'follow_up_day')::int = f.follow_up_day
    ) as attempts
from follow_ups f join hand_offs h using (step_down_id)
where f.site_id = $1 and f.status = 'overdue'
    and ($2::date is null or (f.due_on, f.step_down_id) > ($2, $3))
order by f.due_on, f.step_down_id limit $4
"""
_RETURNS = """
select survivor_of(admission_id) as admission_id, step_down_id, return_asked_on, return_due_on,
    return_state = 'overdue' as is_overdue
from hand_offs
where site_id = $1 and return_state in ('asked', 'overdue')
order by return_due_on, step_down_id
"""
_ALUMNI = """
select survivor_of(admission_id) as admission_id, step_down_id, alumni_since
from hand_offs
where site_id = $1 and alumni_since is not null and ($2::uuid is null or step_down_id > $2)
order by step_down_id limit $3
"""


async def _overdue(
    conn: Connection, site_id: str, after: tuple[date | None, UUID | None], limit: int
) -> list[dict[str, Any]]:
    return [dict(row) for row in await conn.fetch(_OVERDUE, site_id, *after, limit)]


async def _returns(conn: Connection, site_id: str) -> list[dict[str, Any]]:
    return [dict(row) for row in await conn.fetch(_RETURNS, site_id)]


async def _alumni(
    conn: Connection, site_id: str, after: UUID | None, limit: int
) -> list[dict[str, Any]]:
    return [dict(row) for row in await conn.fetch(_ALUMNI, site_id, after, limit)]


def routes(pool: asyncpg.Pool) -> APIRouter:
    """The lists of a site, longest waiting first."""
    router = APIRouter(prefix="/v1/sites/{site_id}", tags=["aftercare"])

    @router.get("/follow-ups-overdue")
    async def get_follow_ups_overdue(
        site_id: SiteId,
        after_due_on: date | None = None,
        after: UUID = FIRST,
        limit: Limit = 100,
    ) -> list[dict[str, Any]]:
        """Follow-ups nobody made within 3 days. The next page: the last row's day and hand-off."""
        async with pool.acquire() as conn:
            return await _overdue(conn, site_id, (after_due_on, after), limit)

    @router.get("/returns-waiting")
    async def get_returns_waiting(site_id: SiteId) -> list[dict[str, Any]]:
        """Who asked to come back and is not back yet."""
        async with pool.acquire() as conn:
            return await _returns(conn, site_id)

    @router.get("/alumni")
    async def get_alumni(
        site_id: SiteId, after: UUID | None = None, limit: Limit = 100
    ) -> list[dict[str, Any]]:
        """Who opted in to the alumni."""
        async with pool.acquire() as conn:
            return await _alumni(conn, site_id, after, limit)

    return router
