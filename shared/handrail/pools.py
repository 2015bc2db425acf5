"""A service's connections to its database, each with limits on what may wait."""

import asyncpg

from handrail.outbox import Connection
from handrail.settings import Settings


def pool_of(service: str, settings: Settings, *, size: int, timeout: float) -> asyncpg.Pool:
    """A pool that connects when it is awaited; `timeout` is in seconds, for one statement."""
    return asyncpg.create_pool(
        settings.dsn(),
        min_size=0,
        max_size=size,
        timeout=5,
        command_timeout=timeout,
        max_inactive_connection_lifetime=60,
        reset=_as_it_is,
        server_settings={
            "application_name": f"handrail-{service}",
            "timezone": "UTC",
            "statement_timeout": str(int(timeout * 1000)),
            "lock_timeout": "10000",
            "idle_in_transaction_session_timeout": "10000",
            "jit": "off",
        },
    )


async def _as_it_is(_conn: Connection) -> None:
    """Nothing here outlives its transaction, so a connection goes back without a question."""
