"""A service's own database closed to it, as when its connections are used up; the others go on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from operate.drill.cluster import connected
from operate.drill.faults import database_url
from operate.home import Home

# The superuser, who closes and opens it, is let in all the same.
_CLOSE = "alter database {} connection limit 0"
_OPEN = "alter database {} connection limit -1"
_CUT = "select pg_terminate_backend(pid) from pg_stat_activity where usename = $1"


async def close(home: Home, service: str) -> None:
    """Let the service's database take no connection, and cut those that there are."""
    async with connected(database_url(home, "postgres")) as conn:
        await conn.execute(_CLOSE.format(service))
        await conn.execute(_CUT, service)


@asynccontextmanager
async def closed(home: Home, service: str) -> AsyncIterator[None]:
    """The same, for a while."""
    await close(home, service)
    try:
        yield
    finally:
        async with connected(database_url(home, "postgres")) as conn:
            await conn.execute(_OPEN.format(service))
