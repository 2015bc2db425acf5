"""A service's connections to its database, each with limits on what may wait."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from handrail import sight
from handrail.outbox import Connection
from handrail.settings import Settings
from handrail.sight import SEES_ALL, SEES_NOTHING, Sight


class Sighted(asyncpg.Connection):  # type: ignore[misc]  # asyncpg tells no types
    """A connection that knows which rows it was last told to show."""

    told: Sight = sight.NOTHING

    async def show(self, wanted: Sight) -> None:
        """Show the rows of these programmes from now on; asks the server only for a change."""
        if wanted != self.told:
            await self.execute(sight.TELL, wanted)
            self.told = wanted


def api_pool(service: str, settings: Settings) -> asyncpg.Pool:
    """For calls from outside: whoever takes a connection sees what the work at hand may see."""
    return _pool(service, settings, 8, 5, SEES_NOTHING, _as_the_work_at_hand)


def work_pool(service: str, settings: Settings) -> asyncpg.Pool:
    """For what the service does by itself, for everybody: feed, relay and loops."""
    return _pool(service, settings, 8, 30, SEES_ALL, None)


def _pool(
    service: str,
    settings: Settings,
    size: int,
    timeout: float,
    sees: dict[str, str],
    setup: Callable[[Any], Awaitable[None]] | None,
) -> asyncpg.Pool:
    """A pool that connects when it is awaited; `timeout` is in seconds, for one statement."""
    return asyncpg.create_pool(
        settings.dsn(),
        min_size=0,
        max_size=size,
        timeout=5,
        command_timeout=timeout,
        max_inactive_connection_lifetime=60,
        connection_class=Sighted,
        setup=setup,
        reset=_as_it_is,
        server_settings={
            "application_name": f"handrail-{service}",
            "timezone": "UTC",
            "statement_timeout": str(int(timeout * 1000)),
            "lock_timeout": "10000",
            "idle_in_transaction_session_timeout": "10000",
            "jit": "off",
            **sees,
        },
    )


async def _as_the_work_at_hand(conn: Any) -> None:
    """If it fails, asyncpg closes the connection: none goes on with what it was not told."""
    await conn.show(sight.present())


async def _as_it_is(_conn: Connection) -> None:
    """Nothing here outlives its transaction but what is seen, which whoever takes it next says anew."""
