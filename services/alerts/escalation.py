"""Deadlines of people: by the database clock, whatever the backlog, until someone has taken it on."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import asyncpg

from alerts import desk
from alerts.policy import Policy
from handrail import outbox, sites
from handrail.events.alerts import AlertEscalated
from handrail.outbox import Connection
from handrail.transient import TRANSIENT

SWEEP_SECONDS = 1.0


def sweeper(
    pool: asyncpg.Pool, policy: Policy, committed: Callable[[], None]
) -> Callable[[], Awaitable[None]]:
    """A loop that escalates what is overdue, for ever."""

    async def sweep_for_ever() -> None:
        while True:
            with contextlib.suppress(*TRANSIENT):
                async with pool.acquire() as conn, conn.transaction():
                    escalated = await sweep(conn, policy, datetime.now(UTC))
                if escalated:
                    committed()
            await asyncio.sleep(SWEEP_SECONDS)

    return sweep_for_ever


async def sweep(conn: Connection, policy: Policy, now: datetime) -> int:
    """Tell the next role of each overdue concern. Returns how many."""
    overdue = await desk.due(conn)
    known = await sites.known(conn) if overdue else {}
    for one in overdue:
        site = known[one["site_id"]]
        event = AlertEscalated(
            site_id=site.site_id,
            admission_id=one["admission_id"],
            occurred_at=now,
            recorded_at=now,
            recorded_day=site.recorded_day(now),
            concern_id=one["concern_id"],
            level=one["level"],
            tells=policy.escalate_to[one["level"]],
        )
        await outbox.stage(conn, [event])
        await desk.escalated(conn, one["concern_id"])
    return len(overdue)
