"""The second lock of aftercare: what PostgreSQL shows where nobody thinks of programmes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest

from aftercare import hand_off, store
from aftercare.commands import COMMANDS
from aftercare.programs import PROGRAMS
from handrail import sight, sites
from operate.home import Home
from operate.parts.postgres import Postgres
from tests.integration.kit import migrated_pool
from tests.integration.sights import (
    ELSEWHERE,
    HERE,
    NOBODYS,
    Programs,
    api_pool_of,
    is_shown,
    locked_and_open,
)

LOCKED = ("admissions", "hand_offs", "follow_ups")
# Whose rows there are, as if nobody had thought of programmes.
SEEN = {
    # A duplicate's bare row says who the person is now.
    "admissions": "select admission_id from admissions where merged_into is null",
    "hand_offs": "select admission_id from hand_offs",
    "follow_ups": """
        select h.admission_id from (select step_down_id from follow_ups) f
        join hand_offs h using (step_down_id)
    """,
}
NOW = datetime(2026, 11, 2, 18, tzinfo=UTC)


@dataclass(frozen=True)
class Three:
    """One person in each of two programmes, one in none yet, and the ways into their database.

    Whoever is here was recorded twice: their duplicate was elsewhere.
    """

    here: UUID
    duplicate: UUID
    elsewhere: UUID
    expected: UUID
    pool: asyncpg.Pool
    api: asyncpg.Pool

    async def seen(self, table: str) -> set[UUID]:
        return {row["admission_id"] for row in await self.api.fetch(SEEN[table])}

    async def hand_off_of(self, who: UUID) -> UUID:
        found: UUID = await self.pool.fetchval(
            "select step_down_id from hand_offs where admission_id = $1", who
        )
        return found


@pytest.fixture
async def three(template: tuple[Postgres, Home]) -> AsyncIterator[Three]:
    pool = await migrated_pool(template, "aftercare")
    api = await api_pool_of(pool, template, "aftercare")
    here, duplicate, elsewhere, expected = (uuid4() for _ in range(4))
    where = {here: HERE, duplicate: ELSEWHERE, elsewhere: ELSEWHERE, expected: None}
    async with pool.acquire() as conn, conn.transaction():
        await sites.learn(conn, [("north", "UTC", "wall", date(2026, 11, 1))])
        await store.learn_admissions(conn, {who: ("north", place) for who, place in where.items()})
        await stepped_down(conn, *where)
        await store.merge(conn, {duplicate: here})
    yield Three(here, duplicate, elsewhere, expected, pool, api)
    await asyncio.wait_for(api.close(), 10)
    await asyncio.wait_for(pool.close(), 10)


async def stepped_down(conn: asyncpg.Connection, *people: UUID) -> None:
    said = [
        {
            "do": "start_step_down",
            "key": uuid4().hex,
            "occurred_at": NOW,
            "admission_id": who,
            "destination": "outpatient",
            "receiver": "riverside",
            "first_visit_on": date(2026, 11, 5),
        }
        for who in people
    ]
    results = await hand_off.take(conn, COMMANDS.validate_python(said), NOW)
    assert {one.status for one in results} == {"applied"}


async def test_a_query_that_asks_for_no_programme_is_given_those_that_were_said(
    three: Three,
) -> None:
    here, elsewhere = {three.here, three.duplicate}, {three.elsewhere}
    expected: list[tuple[Programs, set[UUID]]] = [
        (None, here | elsewhere | {three.expected}),
        ((HERE,), here),
        ((ELSEWHERE, NOBODYS), elsewhere),
        ((HERE, ELSEWHERE), here | elsewhere),
        ((NOBODYS,), set()),
        ((), set()),
    ]

    for table in LOCKED:
        bare = {three.duplicate} if table == "admissions" else set()
        await is_shown(three.seen, table, ((programs, who - bare) for programs, who in expected))


async def test_a_hand_off_is_shown_where_the_guard_says_that_its_person_is(three: Three) -> None:
    ids = {
        who: await three.hand_off_of(who) for who in (three.here, three.duplicate, three.elsewhere)
    }
    for programs in ((HERE,), (ELSEWHERE,)):
        for who, step_down_id in ids.items():
            async with three.pool.acquire() as conn:
                found = await PROGRAMS["step_down_id"](conn, step_down_id)
            with sight.seeing(programs):
                async with three.api.acquire() as conn:
                    shown = await store.one(conn, step_down_id)
            assert (shown is not None) == (tuple(found) == programs), (programs, who)
            if shown:
                assert shown["admission_id"] == (
                    three.elsewhere if who == three.elsewhere else three.here
                )
                assert len(shown["follow_ups"]) > 1


async def test_another_programmes_rows_are_not_changed_and_ones_own_not_given_away(
    three: Three,
) -> None:
    refused = pytest.raises(asyncpg.InsufficientPrivilegeError)
    with sight.seeing((ELSEWHERE,)):
        changed = await three.api.execute("update hand_offs set status = 'seen'")
        with refused:
            await three.api.execute("update admissions set program_id = $1", HERE)
        with refused:
            await three.api.execute("update hand_offs set admission_id = $1", three.here)
        with refused:
            await three.api.execute("insert into admissions values ($1, 'north')", uuid4())

    assert changed == "UPDATE 1"
    rows = await three.pool.fetch("select admission_id from hand_offs where status = 'seen'")
    assert [row["admission_id"] for row in rows] == [three.elsewhere]


async def test_a_merge_taken_back_and_a_transfer_are_seen_at_once(three: Three) -> None:
    async with three.pool.acquire() as conn:
        await store.merge(conn, {three.duplicate: None})
        await store.learn_admissions(conn, {three.expected: ("north", HERE)})

    for table in LOCKED:
        with sight.seeing((HERE,)):
            assert await three.seen(table) == {three.here, three.expected}, table
        with sight.seeing((ELSEWHERE,)):
            assert await three.seen(table) == {three.duplicate, three.elsewhere}, table


async def test_each_table_with_a_person_in_it_is_locked(three: Three) -> None:
    names = ("admission_id", "step_down_id", "patient_id", "program_id")

    assert await locked_and_open(three.pool, *names) == (set(LOCKED), set())
