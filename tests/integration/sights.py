"""What the tests of the second lock ask of each service's database in the same way."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias, TypeVar

import asyncpg
from pydantic import SecretStr

from handrail import pools, sight
from handrail.settings import Settings
from operate.home import Home
from operate.parts.postgres import Postgres
from tests.integration.kit import address_of

T = TypeVar("T")
Programs: TypeAlias = tuple[str, ...] | None
HERE, ELSEWHERE, NOBODYS = "iop", "iop-evening", "iop-of-nobody"
_LOCKS = """
select distinct c.relname, c.relrowsecurity and c.relforcerowsecurity as is_locked
from pg_class c join pg_attribute a on a.attrelid = c.oid
where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and a.attname = any($1::text[])
"""


async def api_pool_of(
    pool: asyncpg.Pool, template: tuple[Postgres, Home], service: str
) -> asyncpg.Pool:
    """The service's own way for callers into the database that `pool` is of."""
    address = await address_of(pool, template, service)
    return await pools.api_pool(service, Settings(database_url=SecretStr(address)))


async def is_shown(
    seen: Callable[[str], Awaitable[set[T]]],
    table: str,
    expected: Iterable[tuple[Programs, set[T]]],
) -> None:
    """Each of these programmes is shown whose rows these are, and who says nothing none."""
    for programs, who in expected:
        with sight.seeing(programs):
            assert await seen(table) == who, (table, programs)
    # Nothing was said, on a connection that a moment ago saw all.
    assert await seen(table) == set(), table


async def locked_and_open(pool: asyncpg.Pool, *columns: str) -> tuple[set[str], set[str]]:
    """The tables with one of these columns: those that are locked, and those that are not."""
    rows = await pool.fetch(_LOCKS, columns)
    locked = {row["relname"] for row in rows if row["is_locked"]}
    return locked, {row["relname"] for row in rows} - locked
