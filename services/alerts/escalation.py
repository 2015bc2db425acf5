"""Deadlines of people: by the database clock, whatever the backlog, until someone has taken it on."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import asyncpg

from alerts import desk, duty, merging, notices
from alerts.desk import Open
from alerts.notices import News
from alerts.rules import Ladder
from alerts.staffed import next_staffed
from handrail import failpoints, metrics, outbox
from handrail.events.alerts import AlertEscalated
from handrail.outbox import Connection
from handrail.transient import TRANSIENT

SWEEP_SECONDS = 1.0


def sweeper(
    pool: asyncpg.Pool, committed: Callable[[], None], ladder: Ladder
) -> Callable[[], Awaitable[None]]:
    """A loop that escalates what is overdue, and moves flags of merged persons, for ever."""

    async def sweep_for_ever() -> None:
        while True:
            with contextlib.suppress(*TRANSIENT):
                async with pool.acquire() as conn, conn.transaction():
                    escalated = await sweep(conn)
                    if escalated:
                        failpoints.hit("escalation.before_commit")
                metrics.ESCALATED.inc(escalated)
                metrics.LAST_SUCCESS.labels("escalation").set_to_current_time()
                async with pool.acquire() as conn, conn.transaction():
                    moved = await merging.sweep(conn, ladder)
                if escalated or moved:
                    committed()
            await asyncio.sleep(SWEEP_SECONDS)

    return sweep_for_ever


async def status(pool: asyncpg.Pool) -> dict[str, float]:
    """How long the longest waiting escalation is late, for the service's status."""
    return {"late_seconds": round(await desk.late_seconds(pool), 3)}


async def sweep(conn: Connection) -> int:
    """Tell the next role of each concern nobody took on, or nobody acted on, in time."""
    escalated = 0
    for one in await desk.late(conn):
        why = duty.why_late(one.duty, one.at)
        tells = one.policy.escalate_to[one.duty.level]
        if why and tells:
            await outbox.stage(conn, [_event(one, why, tells)])
            await notices.tell(conn, [_news(one, tells)])
            escalated += 1
        await desk.set_duty(conn, one.concern_id, duty.escalate(one.duty))
    return escalated


def _event(one: Open, why: str, tells: tuple[str, ...]) -> AlertEscalated:
    return AlertEscalated(
        site_id=one.site.site_id,
        admission_id=one.admission_id,
        occurred_at=one.at,
        recorded_at=one.at,
        recorded_day=one.site.recorded_day(one.at),
        concern_id=one.concern_id,
        level=one.duty.level,
        tells=tells,
        why=why,
    )


def _news(one: Open, tells: tuple[str, ...]) -> News:
    level = one.duty.level
    at = next_staffed(one.at, *one.where) if level else one.at
    return News(
        one.concern_id,
        one.admission_id,
        one.site.site_id,
        tells,
        "escalated",
        level,
        one.duty.due_at,
        at,
        one.where[1],
    )
