"""What the HTTP edges of all services do the same way: one transaction, one answer."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import Any, TypeAlias, TypeVar

import asyncpg
from pydantic import TypeAdapter

from handrail import failpoints, sites, telemetry
from handrail.events import DayClosed
from handrail.outbox import Connection
from handrail.receipts import Rejected, Result
from handrail.sites import BeforeClose

Committed: TypeAlias = Callable[[], None]
T = TypeVar("T")

# A command that another transaction took at the same moment is seen as a repeat the second time.
_RACES = (asyncpg.UniqueViolationError, asyncpg.TransactionRollbackError)


async def in_one_transaction(
    pool: asyncpg.Pool,
    committed: Committed,
    act: Callable[[Connection], Awaitable[T]],
    links: Sequence[str | None] = (),
) -> T:
    """Run `act` in one transaction and ring the relay after the commit.

    `links` are the traceparents of what else it is done for, besides the current span.
    """
    for last in (False, False, True):
        try:
            with telemetry.database_span("command", links):
                async with pool.acquire() as conn, conn.transaction():
                    done = await act(conn)
                    failpoints.hit("command.before_commit")
        except _RACES:
            if last:
                raise
            continue
        break
    failpoints.hit("command.after_commit")
    committed()
    return done


async def previewed(pool: asyncpg.Pool, act: Callable[[Connection], Awaitable[T]]) -> T:
    """What `act` would give; nothing of it stays."""
    async with pool.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        try:
            return await act(conn)
        finally:
            await transaction.rollback()


def accepted(result: Result) -> Result:
    """The result of one command. Raises Rejected when it was refused."""
    if result.status == "rejected":
        raise Rejected(result.code or "rejected", result.detail or "", result.field)
    return result


async def close_replay_day(
    pool: asyncpg.Pool,
    committed: Committed,
    site_id: str,
    day: date,
    closed: type[DayClosed],
    before: BeforeClose | None = None,
) -> dict[str, bool]:
    """Close a day of a site on replay time. Raises Rejected for another site."""

    async def act(conn: Connection) -> bool:
        found = (await sites.hold(conn, [site_id])).get(site_id)
        if found is None:
            raise Rejected("site_unknown", "No site has that identifier.", "site_id")
        if found.clock != "replay":
            raise Rejected("site_on_wall_clock", "Its days close by themselves.", "site_id")
        return await sites.close_day(conn, site_id, day, closed, before)

    return {"closed": await in_one_transaction(pool, committed, act)}


def body_of(adapter: TypeAdapter[Any]) -> dict[str, Any]:
    """The OpenAPI entry for a body that the route reads itself."""
    schema = adapter.json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
