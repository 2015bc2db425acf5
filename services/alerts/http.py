"""The alerts service's HTTP API: the list, the work, the risk of one person, and exports."""

import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from alerts import desk, exports, policies, progress, record, store, work
from alerts.commands import COMMANDS, AnyCommand, NewPolicy
from alerts.risk.table import assess, reason_in_words
from alerts.rules import Ladder
from handrail import edges
from handrail.edges import Committed
from handrail.events.base import SiteId
from handrail.receipts import Rejected, Result


def routes(  # noqa: C901  # one short function a route
    pool: asyncpg.Pool, committed: Committed, ladder: Ladder
) -> APIRouter:
    """Commands and queries; each command route opens exactly one transaction."""
    router = APIRouter(prefix="/v1", tags=["alerts"])

    @router.post("/commands", openapi_extra=edges.body_of(COMMANDS))
    async def post_commands(request: Request) -> list[Result]:
        """Carry out up to 200 commands in order; one result each."""
        taken = COMMANDS.validate_json(await request.body())
        return await edges.in_one_transaction(
            pool, committed, lambda conn: work.take(conn, taken, datetime.now(UTC), ladder)
        )

    @router.post("/command")
    async def post_command(command: AnyCommand) -> Result:
        """Carry out one command; 409 or 404 with a problem document when it is refused."""
        results = await edges.in_one_transaction(
            pool, committed, lambda conn: work.take(conn, [command], datetime.now(UTC), ladder)
        )
        return edges.accepted(results[0])

    @router.get("/concerns")
    async def get_concerns(
        site_id: SiteId | None = None,
        admission_id: UUID | None = None,
        is_open: Annotated[bool | None, Query(alias="open")] = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 200,
    ) -> list[dict[str, Any]]:
        """Concerns with their alerts, most urgent first."""
        async with pool.acquire() as conn:
            rows = await desk.concerns(
                conn, site_id=site_id, admission_id=admission_id, is_open=is_open, limit=limit
            )
        return [_shown(row) for row in rows]

    @router.get("/concerns/{concern_id}")
    async def get_concern(concern_id: UUID) -> dict[str, Any]:
        """One concern, with its alerts and the attempts made."""
        async with pool.acquire() as conn:
            rows = await desk.concerns(conn, concern_id=concern_id)
            if not rows:
                raise Rejected("concern_unknown", "No concern has that identifier.", "concern_id")
            tried = await desk.attempts(conn, concern_id)
        attempts = [asdict(attempt) for attempt in tried]
        return {**_shown(rows[0]), "outreach": attempts}

    @router.get("/admissions/{admission_id}/risk")
    async def get_risk(admission_id: UUID, day: date | None = None) -> dict[str, Any]:
        """The present risk of one admission, with its reasons as points that sum to the score."""
        async with pool.acquire() as conn, conn.transaction():
            row = (await store.load(conn, [admission_id])).get(admission_id)
        if row is None:
            raise Rejected("admission_unknown", "No admission has that identifier.", "admission_id")
        story = record.present(row.record, ladder)
        at = day or datetime.now(UTC).date()
        assessment = assess(story.behaviour, at.toordinal(), ladder.table)
        return {
            "day": at,
            "table_version": ladder.table.version,
            "risk28": assessment.risk28,
            "risk14": assessment.risk14,
            "score": assessment.score,
            "reasons": [
                {"code": r.code, "points": r.points, "words": reason_in_words(r)}
                for r in assessment.reasons
            ],
        }

    @router.get("/suppressions")
    async def get_suppressions(
        site_id: SiteId | None = None,
        admission_id: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 200,
    ) -> list[dict[str, Any]]:
        """When absence was expected, and why: no alert but safety rises in between."""
        async with pool.acquire() as conn:
            return await desk.suppressions(conn, site_id, admission_id, limit)

    @router.get("/sites/{site_id}/policies")
    async def get_policies(site_id: SiteId) -> list[dict[str, Any]]:
        """The default policy and the site's own, by the day each begins."""
        return await policies.listed(pool, site_id)

    @router.put("/sites/{site_id}/policies")
    async def put_policy(site_id: SiteId, wanted: NewPolicy) -> NewPolicy:
        """Set the policy of a site from a day on; the same again changes nothing."""
        await edges.in_one_transaction(
            pool,
            committed,
            lambda conn: policies.set_policy(conn, site_id, wanted.begins_on, wanted.policy),
        )
        return wanted

    @router.get("/sites/{site_id}/progress")
    async def get_progress(site_id: SiteId) -> dict[str, date | None]:
        """The last day that is over for the whole site."""
        async with pool.acquire() as conn:
            return {"closed_through": await progress.over_through(conn, site_id)}

    @router.get("/exports/assessments")
    async def get_assessments(site_id: SiteId) -> StreamingResponse:
        """CSV: admission_id, day, risk28, level; by admission and day."""
        return _csv(exports.assessments(pool, site_id))

    @router.get("/exports/alerts")
    async def get_alerts(site_id: SiteId) -> StreamingResponse:
        """CSV of alerts as emitted: admission_id, day, level, kind, reasons."""
        return _csv(exports.alerts(pool, site_id))

    return router


def _csv(lines: AsyncIterator[str]) -> StreamingResponse:
    return StreamingResponse(lines, media_type="text/csv")


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "alerts": json.loads(row["alerts"])}
