"""The second lock: what PostgreSQL shows where the application forgets to ask whose a row is."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import asyncpg
import pytest

from alerts import fhir
from alerts.page import person, store
from alerts.page.access import Member
from alerts.page.store import Filter
from handrail import sight
from handrail.events import intake
from handrail.fhir.asked import Asked
from operate.home import Home
from operate.parts.postgres import Postgres
from tests.integration.kit import address_of
from tests.integration.sights import (
    ELSEWHERE,
    HERE,
    NOBODYS,
    Programs,
    api_pool_of,
    is_shown,
    locked_and_open,
)
from tests.integration.ward import LADDER, Ward

LOCKED = (
    "people",
    "concerns",
    "alerts",
    "outreach",
    "outreach_undone",
    "firings",
    "admissions",
    "facts",
    "suppressions",
    "teams",
)
# Whoever this is, no check of the application holds them up.
ANYBODY = Member(b"", "nora", "counsellor", None, "")
# What takes a day or a mistake to come about.
LATER = """
with c as (select concern_id, admission_id, site_id from concerns),
undone as (
    insert into outreach_undone
    select gen_random_uuid(), concern_id, admission_id, 'phone', 'no_answer', 'person',
        current_date, now() from c
), fired as (
    insert into firings
    select concern_id, 0, admission_id, site_id, 'safety', current_date, true from c
    on conflict do nothing
)
insert into suppressions select admission_id, current_date, 'hospital', site_id from c
"""
# A house of twenty programmes, with two attempts for each of 4,000 people.
MANY = """
insert into people select gen_random_uuid(), 'house-' || n % 20, 'none' from generate_series(1, 4000) n;
insert into concerns (
    concern_id, admission_id, site_id, spell, level, kind, reasons, opened_on, owner_role
) select gen_random_uuid(), admission_id, 'north', 1, 2, 'silence', '{}', current_date, 'counsellor'
from people where program_id like 'house-%';
insert into outreach (
    outreach_id, concern_id, admission_id, channel, outcome, day, occurred_at
) select gen_random_uuid(), concern_id, admission_id, 'phone', 'no_answer', current_date, now()
from concerns, generate_series(1, 2);
analyze;
"""
READ = """
select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = 'concerns'
"""


@dataclass(frozen=True)
class Two:
    """Somebody in each of two programmes, with a concern, and the ways into their database."""

    here: UUID
    elsewhere: UUID
    address: str
    api: asyncpg.Pool

    async def seen(self, table: str) -> set[UUID]:
        """Whose rows there are, as if nobody had thought of programmes."""
        rows = await self.api.fetch(f"select distinct admission_id from {table}")  # noqa: S608  # a name of ours
        return {row["admission_id"] for row in rows}


@pytest.fixture
async def two(
    ward: Ward, pool: asyncpg.Pool, alerts_template: tuple[Postgres, Home]
) -> AsyncIterator[Two]:
    address = await address_of(pool, alerts_template, "alerts")
    here, elsewhere = await ward.admitted(), await ward.admitted()
    await transferred(ward, elsewhere, HERE, ELSEWHERE)
    for one in (here, elsewhere):
        await ward.flagged(one)
        await ward.holds(one, "case_manager", uuid4())
    for row in await ward.open_concerns():
        tried = {"channel": "phone", "outcome": "no_answer"}
        await ward.says("record_outreach", concern_id=row["concern_id"], **tried)
    await pool.execute(LATER)
    api = await api_pool_of(pool, alerts_template, "alerts")
    yield Two(here, elsewhere, address, api)
    await asyncio.wait_for(api.close(), 10)


async def transferred(ward: Ward, who: UUID, start: str, end: str) -> None:
    event = intake.Transferred(**ward.about(who), from_program_id=start, program_id=end)
    await ward.hears(event)


@pytest.mark.usefixtures("pool")
async def test_a_query_that_asks_for_no_programme_is_given_those_that_were_said(two: Two) -> None:
    both = {two.here, two.elsewhere}
    expected: list[tuple[Programs, set[UUID]]] = [
        (None, both),
        ((HERE,), {two.here}),
        ((ELSEWHERE, NOBODYS), {two.elsewhere}),
        ((HERE, ELSEWHERE), both),
        ((NOBODYS,), set()),
        ((), set()),
        (("*",), set()),
        (('iop",{}\\',), set()),
    ]

    for table in LOCKED:
        await is_shown(two.seen, table, expected)


async def test_the_pages_and_fhir_find_nobody_elsewhere_without_their_own_checks(two: Two) -> None:
    def found(rows: list[object]) -> int:
        return len(rows)

    for programs, count in ((None, 2), ((HERE,), 1), ((NOBODYS,), 0), ((), 0)):
        with sight.seeing(programs):
            async with two.api.acquire() as conn:
                assert (await store.open_concerns(conn, ANYBODY, Filter()))[1] == count
                assert len(await store.choices(conn, ANYBODY)) == count
                assert (await person.find(conn, ANYBODY, two.elsewhere, LADDER) is None) == (
                    count < 2
                )
                for kind in fhir.KINDS[:3]:
                    assert found(list(await kind.find(conn, Asked()))) >= count
                    assert bool(await kind.find(conn, Asked())) == bool(count)


async def test_another_programmes_rows_are_not_changed_and_ones_own_not_given_away(
    two: Two, pool: asyncpg.Pool
) -> None:
    refused = pytest.raises(asyncpg.InsufficientPrivilegeError)
    with sight.seeing((HERE,)):
        changed = await two.api.execute("update concerns set level = 3")
        gone = await two.api.execute("delete from outreach")
        with refused:
            await two.api.execute("update concerns set program_id = $1", ELSEWHERE)
        with refused:
            await two.api.execute("insert into people values ($1, $2, 'none')", uuid4(), ELSEWHERE)

    assert (changed, gone) == ("UPDATE 1", "DELETE 1")
    left = await pool.fetch("select admission_id from concerns where level < 3")
    assert [row["admission_id"] for row in left] == [two.elsewhere]
    tried = await pool.fetch("select admission_id from outreach")
    assert [row["admission_id"] for row in tried] == [two.elsewhere]


async def test_many_at_once_each_see_their_own_alone(two: Two) -> None:
    whose = {(HERE,): {two.here}, (ELSEWHERE,): {two.elsewhere}, (): set()}

    async def look(programs: tuple[str, ...]) -> None:
        with sight.seeing(programs):
            assert await two.seen("concerns") == whose[programs]

    await asyncio.gather(*(look(programs) for _ in range(60) for programs in whose))


async def test_who_says_nothing_sees_nothing_but_code_from_before_while_it_is_replaced(
    two: Two, pool: asyncpg.Pool
) -> None:
    silent = await asyncpg.connect(two.address)

    async def seen() -> list[int]:
        return [
            await silent.fetchval(f"select count(*) from {table}")  # noqa: S608  # a name of ours
            for table in LOCKED
        ]

    before = await seen()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await silent.execute("insert into people values ($1, $2, 'none')", uuid4(), HERE)
    await pool.execute("insert into silence_allowed values (now() + interval '1 minute')")
    meanwhile, spoken = await seen(), await two.seen("concerns")
    await pool.execute("update silence_allowed set until = now()")
    after = await seen()
    await silent.close()

    assert not any(before)
    assert all(meanwhile)
    assert spoken == set()
    assert not any(after)


async def test_what_a_person_brings_along_is_seen_by_the_new_programme(
    two: Two, ward: Ward
) -> None:
    which = {"concern_id": (await _concern_of(two))["concern_id"]}
    await ward.says("record_outreach", **which, channel="phone", outcome="reached_declined")
    answer = await ward.says("resolve", **which, ending="declined_documented")
    assert answer.status == "applied"
    await transferred(ward, two.elsewhere, ELSEWHERE, HERE)

    for table in ("people", "concerns", "alerts", "outreach", "facts"):
        with sight.seeing((HERE,)):
            assert await two.seen(table) == {two.here, two.elsewhere}, table
    for table in ("people", "admissions", "facts", "teams"):
        with sight.seeing((ELSEWHERE,)):
            assert await two.seen(table) == set(), table


async def test_the_rest_of_a_transaction_may_see_all_and_the_next_one_does_not(two: Two) -> None:
    with sight.seeing((HERE,)):
        async with two.api.acquire() as conn:
            async with conn.transaction():
                await sight.see_all_until_commit(conn)
                inside = await conn.fetchval("select count(*) from concerns")
            after = await conn.fetchval("select count(*) from concerns")

    assert (inside, after) == (2, 1)


async def test_a_page_of_one_programmes_attempts_is_found_without_reading_all_others(
    two: Two, pool: asyncpg.Pool
) -> None:
    await pool.execute(MANY)
    communications = next(kind for kind in fhir.KINDS if kind.name == "Communication")
    programs = ("house-7",)

    with sight.seeing(programs):
        async with two.api.acquire() as conn, conn.transaction():
            found = await communications.find(conn, Asked(programs=programs, limit=50))
            read = await conn.fetchval(READ)

    assert len(found) == 50
    # Of 4,000 concerns this programme's 200, and little more.
    assert read < 1000


async def test_each_table_with_a_person_in_it_is_locked_or_known_not_to_be(
    pool: asyncpg.Pool,
) -> None:
    locked, open_ = await locked_and_open(pool, "admission_id", "concern_id", "program_id")

    assert locked == set(LOCKED)
    # COPY writes the first; the other two name a concern and nothing more.
    assert open_ == {"assessments", "notices", "moved_concerns"}


async def _concern_of(two: Two) -> asyncpg.Record:
    with sight.seeing(None):
        row = await two.api.fetchrow(
            "select concern_id from concerns where admission_id = $1", two.elsewhere
        )
    assert row is not None
    return row
