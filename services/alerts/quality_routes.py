"""The routes of the quality board and of shadow mode."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from alerts import beside, evidence, policies, progress, quality, record, shadow, store
from alerts.beside import Change, Shadow
from alerts.policy import Policy
from alerts.risk.table import what_would_lower
from alerts.rules import Ladder
from alerts.staffed import staffed_days
from handrail.events.base import Code, SiteId
from handrail.receipts import Rejected

USUAL = timedelta(days=84)


class Asked(BaseModel):
    """A site, and from which day on; up to the last day that is over."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    site_id: SiteId
    since: date | None = None


class Grouping(Asked):
    """Which group each person is in; used for this answer and kept nowhere."""

    groups: dict[UUID, Code] = Field(max_length=100_000)


class Changed(Asked, Change):
    """What shall be tried over a site's past."""


def routes(pool: asyncpg.Pool, ladder: Ladder) -> APIRouter:
    """The board, and what a change would do; nothing here raises anything."""
    router = APIRouter(prefix="/v1", tags=["quality"])

    @router.get("/quality")
    async def get_quality(
        site_id: SiteId, since: Annotated[date | None, Query()] = None
    ) -> dict[str, Any]:
        """Each rule and level, the burden beside its budget, and whether the risk tells the truth."""
        return await board_of(pool, site_id, since)

    @router.post("/quality/fairness")
    async def post_fairness(asked: Grouping) -> list[dict[str, Any]]:
        """Each group beside the others, with 95 % intervals. The grouping is not kept."""
        seen = await _look(pool, asked.site_id, asked.since)
        told = (seen.alerts, seen.assessed, seen.visits, seen.through)
        return await asyncio.to_thread(quality.fairness, asked.groups, *told)

    @router.post("/shadow")
    async def post_shadow(asked: Changed) -> dict[str, Any]:
        """A changed policy or table over the past, beside what is in force. Nothing is raised."""
        beside.table_of(asked)
        return await _compare(pool, ladder, asked.site_id, asked, asked.since)

    @router.put("/sites/{site_id}/shadow")
    async def put_shadow(site_id: SiteId, wanted: Shadow) -> Shadow:
        """Try a policy or table beside the one in force, from a coming day on. Nothing is raised."""
        async with pool.acquire() as conn, conn.transaction():
            await beside.put(conn, site_id, wanted)
        return wanted

    @router.get("/sites/{site_id}/shadow")
    async def get_shadow(site_id: SiteId) -> dict[str, Any]:
        """What is tried, and what it would have raised so far that the one in force did not."""
        async with pool.acquire() as conn:
            tried = await beside.stands(conn, site_id)
        found = await _compare(pool, ladder, site_id, tried, tried.begins_on)
        return {"tried": tried} | found

    @router.delete("/sites/{site_id}/shadow")
    async def delete_shadow(site_id: SiteId) -> dict[str, str]:
        """Try it no more."""
        async with pool.acquire() as conn, conn.transaction():
            await beside.end(conn, site_id)
        return {"site_id": site_id}

    @router.get("/admissions/{admission_id}/risk/lower")
    async def get_lower(admission_id: UUID) -> dict[str, Any]:
        """What the risk is, and what it would be if the person were seen today."""
        async with pool.acquire() as conn, conn.transaction():
            row = (await store.load(conn, [admission_id])).get(admission_id)
        if row is None:
            raise Rejected("admission_unknown", "No admission has that identifier.", "admission_id")
        story, today = record.present(row.record, ladder), datetime.now(UTC).date()
        risk, seen = what_would_lower(story.behaviour, today.toordinal(), ladder.table)
        return {"day": today, "risk28": risk, "if_seen_today": seen}

    return router


async def _compare(
    pool: asyncpg.Pool, ladder: Ladder, site_id: str, change: Change, since: date | None
) -> dict[str, Any]:
    async with pool.acquire() as conn:
        through = await _through(conn, site_id)
        facts = await evidence.facts(conn, site_id)
        known = await policies.load(conn, [site_id])
    live = replace(ladder, policy=known.on(site_id, through))
    changed = Ladder(change.policy or live.policy, beside.table_of(change) or live.table)
    first = since.toordinal() if since else 0
    found = await asyncio.to_thread(shadow.compare, facts, live, changed, first, through)
    return {"since": since, "through": date.fromordinal(through)} | found


async def board_of(pool: asyncpg.Pool, site_id: str, since: date | None = None) -> dict[str, Any]:
    """The quality board of a site. Raises Rejected where no day is over yet."""
    seen = await _look(pool, site_id, since)
    return await asyncio.to_thread(_summed, site_id, seen)


def _summed(site_id: str, seen: "_Seen") -> dict[str, Any]:
    months = quality.calibration(seen.assessed, seen.visits, seen.through)
    pushed = sum(a.pushed and not a.withdrawn for a in seen.alerts)
    staffed = staffed_days(seen.since, date.fromordinal(seen.through), seen.policy)
    return {
        "site_id": site_id,
        "since": seen.since,
        "through": date.fromordinal(seen.through),
        "rules": quality.by_rule(seen.alerts, seen.visits, seen.through),
        "burden": quality.burden(
            pushed, seen.assessed_days, staffed, seen.policy.budget_per_staffed_day
        ),
        "calibration": months,
        "drift_alarm": quality.has_drifted(months),
    }


class _Seen(msgspec.Struct, frozen=True):
    since: date
    through: int
    policy: Policy
    alerts: list[quality.Alert]
    assessed: list[quality.Assessed]
    assessed_days: int
    visits: dict[UUID, list[int]]


async def _look(pool: asyncpg.Pool, site_id: str, since: date | None) -> _Seen:
    async with pool.acquire() as conn:
        through = await _through(conn, site_id)
        last = date.fromordinal(through)
        first = since or last - USUAL
        return _Seen(
            first,
            through,
            (await policies.load(conn, [site_id])).on(site_id, through),
            await evidence.alerts(conn, site_id, first, last),
            await evidence.assessed(conn, site_id, first, last),
            await evidence.assessed_days(conn, site_id, first, last),
            await evidence.visits(conn, site_id, first, last),
        )


async def _through(conn: asyncpg.Connection, site_id: str) -> int:
    through = await progress.over_through(conn, site_id)
    if through is None:
        raise Rejected("site_unknown", "No day of that site is over yet.", "site_id")
    return through.toordinal()
