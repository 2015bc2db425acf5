"""Attendance's HTTP API."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Query, Request, Response

from attendance import ahead, bookings, dose, history, measures, moves, roster, store, watchdog
from attendance.commands import COMMANDS, RESULTS, AnyCommand
from attendance.series import CalendarCommand
from handrail import edges, telemetry
from handrail.edges import Committed
from handrail.events.attendance import AttendanceDayClosed
from handrail.events.base import SiteId
from handrail.outbox import Connection
from handrail.personal.vault import Vault
from handrail.receipts import Day, Instant, Rejected, Result
from handrail.together import Together


def routes(  # noqa: C901  # one short function a route
    pool: asyncpg.Pool, committed: Committed, vault: Vault | None
) -> APIRouter:
    """Commands and queries; each command route opens exactly one transaction."""
    router = APIRouter(prefix="/v1", tags=["attendance"])

    async def carry_out(taken: Sequence[AnyCommand], causes: Sequence[str | None]) -> list[Result]:
        async def act(conn: Connection) -> list[Result]:
            # The transaction's own span lies below the first call's.
            spans = [telemetry.current_traceparent(), *causes[1:]]
            return await roster.take(conn, taken, datetime.now(UTC), vault, spans)

        return await edges.in_one_transaction(pool, committed, act, causes[1:])

    together = Together(carry_out)

    @router.post("/commands", openapi_extra=edges.body_of(COMMANDS), response_model=list[Result])
    async def post_commands(request: Request) -> Response:
        """Carry out up to 2,000 commands in order; one result each, with the caller's key."""
        taken = COMMANDS.validate_json(await request.body())
        results = await edges.in_one_transaction(
            pool, committed, lambda conn: roster.take(conn, taken, datetime.now(UTC), vault)
        )
        return Response(RESULTS.dump_json(results), media_type="application/json")

    @router.post("/commands/preview", openapi_extra=edges.body_of(COMMANDS))
    async def post_preview(request: Request) -> list[Result]:
        """What these commands would do; nothing is changed."""
        taken = COMMANDS.validate_json(await request.body())
        return await edges.previewed(
            pool, lambda conn: roster.take(conn, taken, datetime.now(UTC), vault)
        )

    @router.post("/command")
    async def post_command(command: AnyCommand) -> Result:
        """Carry out one command; 409 or 404 with a problem document when it is refused."""
        if isinstance(command, CalendarCommand) or command.do == "close_day":
            [result] = await carry_out([command], [telemetry.current_traceparent()])
        else:
            result = await together.take(command)
        return edges.accepted(result)

    @router.get("/admissions/{admission_id}/attendance")
    async def get_attendance(
        admission_id: UUID, as_of: Instant | None = None
    ) -> list[dict[str, Any]]:
        """Every seat of an admission by day; with `as_of`, what was recorded at that moment."""
        async with pool.acquire() as conn:
            known = await store.admissions(conn, [admission_id])
            if not known:
                raise Rejected(
                    "admission_unknown", "No admission has that identifier.", "admission_id"
                )
            if as_of:
                return await history.as_of(conn, admission_id, as_of)
            return await store.attendance_of(conn, admission_id)

    @router.get("/admissions/{admission_id}/dose")
    async def get_dose(admission_id: UUID, day: Day) -> dict[str, Any]:
        """Minutes of this day's week so far against the plan, live."""
        async with pool.acquire() as conn:
            person = (await store.admissions(conn, [admission_id])).get(admission_id)
            if person is None:
                raise Rejected(
                    "admission_unknown", "No admission has that identifier.", "admission_id"
                )
            visits = await history.visits(conn, admission_id, *dose.week_of(day))
        return {**dose.dose(day, person.weekly_minutes, visits)}

    @router.get("/admissions/{admission_id}/measures")
    async def get_measures(admission_id: UUID) -> list[dict[str, Any]]:
        """Every form of an admission with its answers and scales, oldest first."""
        async with pool.acquire() as conn:
            return await measures.of_admission(conn, admission_id, vault)

    @router.get("/sites/{site_id}/measures/overdue")
    async def get_overdue_measures(
        site_id: SiteId, day: Day, limit: Annotated[int, Query(ge=1, le=1000)] = 200
    ) -> list[dict[str, Any]]:
        """Forms that were due before this day and are not answered, the longest due first."""
        async with pool.acquire() as conn:
            return await measures.overdue(conn, site_id, day, limit)

    @router.get("/sites/{site_id}/rosters-overdue")
    async def get_overdue_rosters(site_id: SiteId) -> list[dict[str, Any]]:
        """Sessions that are over and not reported; the roster was asked for."""
        async with pool.acquire() as conn:
            return await watchdog.overdue(conn, site_id)

    @router.get("/silent-feeds")
    async def get_silent_feeds(
        hours: Annotated[int, Query(ge=0, le=720)] = 24,
    ) -> list[dict[str, Any]]:
        """Sites asked for a roster so long ago that have reported nothing since."""
        return await watchdog.now_silent(pool, timedelta(hours=hours))

    @router.get("/sites/{site_id}/policy")
    async def get_policy(site_id: SiteId) -> dict[str, int]:
        """How much notice the site asks for."""
        async with pool.acquire() as conn:
            hours = await bookings.policies(conn, [site_id])
        return {"late_cancellation_hours": hours.get(site_id, moves.NOTICE_HOURS)}

    @router.post("/sites/{site_id}/days/{day}/close")
    async def post_day_close(site_id: SiteId, day: Day) -> dict[str, bool]:
        """Close a day of a site on replay time."""
        return await edges.close_replay_day(
            pool, committed, site_id, day, AttendanceDayClosed, ahead.on_day_end
        )

    return router
