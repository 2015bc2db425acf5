"""The stream's source: nothing that changes while a page opens is left out."""

import asyncio

import asyncpg
import pytest

from alerts.page import store
from alerts.page.live import Changes
from tests.integration.ward import Ward


async def always() -> bool:
    return True


async def test_what_changes_between_the_list_and_the_first_look_is_shown(
    pool: asyncpg.Pool, ward: Ward
) -> None:
    async with pool.acquire() as conn:
        since = await store.position(conn)
    changes = Changes(pool, lambda: False)
    one, other = await ward.admitted(), await ward.admitted()
    stream = changes.since(since, 30, always)
    await ward.missed(one)
    _, listed = await anext(stream)

    await ward.missed(other)
    looking = asyncio.create_task(changes.run())
    _, rows = await anext(stream)

    looking.cancel()
    assert [row["admission_id"] for row in listed + rows] == [one, other]
    await stream.aclose()


async def test_more_changes_than_one_look_takes_are_all_shown(
    pool: asyncpg.Pool, ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MANY", 2)
    people = [await ward.admitted() for _ in range(5)]
    async with pool.acquire() as conn:
        since = await store.position(conn)
    for person in people:
        await ward.missed(person)

    found, before = [], 0
    async with pool.acquire() as conn:
        while since != before:
            before = since
            since, rows = await store.changed_since(conn, since)
            found += [row["admission_id"] for row in rows]

    assert set(found) == set(people)
