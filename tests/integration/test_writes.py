"""Several writes as one statement, over a real database."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from handrail import writes
from handrail.outbox import Connection
from handrail.writes import Write
from tests.integration.kit import Kit

TABLES = """
create temporary table places (place int primary key, name text);
create temporary table chairs (place int, chair int, name text, primary key (place, chair))
"""
PLACES = "\ninsert into places select * from unnest($1::int[], $2::text[])\n"
CHAIRS = """
insert into chairs as c select * from unnest($1::int[], $2::int[], $3::text[])
on conflict (place, chair) do update set name = excluded.name
"""
LAST = """
with gone as (delete from chairs where place = $2 returning chair)
insert into places select chair, $1 from gone
"""


@pytest.fixture
async def conn(kit: Kit) -> AsyncIterator[Connection]:
    async with kit.pool.acquire() as conn, conn.transaction():
        await conn.execute(TABLES)
        yield conn


async def rows(conn: Connection, table: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await conn.fetch(f"select * from {table} order by 1, 2")]  # noqa: S608


async def test_each_has_its_own_arguments_and_the_last_its_own_queries(conn: Connection) -> None:
    await conn.execute("insert into chairs values (9, 5, 'old'), (1, 1, 'old')")

    await writes.write(
        conn,
        writes.of_rows(PLACES, [(1, "a"), (2, "b")]),
        None,
        writes.of_rows(CHAIRS, [(1, 1, "new"), (2, 12, "c")]),
        Write(LAST, ("moved", 9)),
    )

    assert await rows(conn, "places") == [(1, "a"), (2, "b"), (5, "moved")]
    assert await rows(conn, "chairs") == [(1, 1, "new"), (2, 12, "c")]


async def test_one_alone_and_none_at_all(conn: Connection) -> None:
    await writes.write(conn, None, writes.of_rows(PLACES, []))
    assert await rows(conn, "places") == []
    await writes.write(conn, writes.of_rows(PLACES, [(1, "a")]), None)
    assert await rows(conn, "places") == [(1, "a")]


async def test_more_than_nine_arguments_keep_their_numbers(conn: Connection) -> None:
    each = [writes.of_rows(CHAIRS, [(n, n, f"n{n}")]) for n in range(6)]
    await writes.write(conn, *each, writes.of_rows(PLACES, [(7, "a")]))
    assert await rows(conn, "chairs") == [(n, n, f"n{n}") for n in range(6)]
    assert await rows(conn, "places") == [(7, "a")]


async def test_what_one_may_not_do_undoes_all(conn: Connection) -> None:
    await conn.execute("insert into places values (1, 'there')")
    twice = writes.of_rows(PLACES, [(1, "again")])
    with pytest.raises(asyncpg.UniqueViolationError):
        async with conn.transaction():
            await writes.write(conn, writes.of_rows(CHAIRS, [(1, 1, "a")]), twice)
    assert await rows(conn, "chairs") == []
