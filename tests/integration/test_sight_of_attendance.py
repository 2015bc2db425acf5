"""The second lock of attendance: what PostgreSQL shows where nobody thinks of programmes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from attendance import fhir, roster, store, watchdog
from attendance.commands import COMMANDS
from attendance.facts import Admission
from attendance.programs import PROGRAMS
from handrail import sight, sites
from handrail.access.table import Caller
from handrail.fhir.asked import Asked
from operate.home import Home
from operate.parts.postgres import Postgres
from tests.integration.kit import pool_of_its_own
from tests.integration.sights import (
    ELSEWHERE,
    HERE,
    NOBODYS,
    Programs,
    api_pool_of,
    is_shown,
    locked_and_open,
)

# By table: the column that says whose a row is.
LOCKED = {
    "admissions": "admission_id",
    "seats": "admission_id",
    "seat_history": "admission_id",
    "measures": "admission_id",
    "barriers": "admission_id",
    "series_members": "admission_id",
    "merged_places": "survivor_id",
}
# A calendar names nobody.
OPEN = {"sessions", "series"}
SIGHTS: tuple[tuple[str, ...], ...] = (
    (HERE,),
    (ELSEWHERE, NOBODYS),
    (HERE, ELSEWHERE),
    (NOBODYS,),
    (),
)
NOW = datetime.now(UTC)
STARTS_AT = NOW - timedelta(hours=5)
# What takes a form with its keys, a calendar or a mistake to come about.
LATER = """
insert into measures
select admission_id, 'phq_9', now(), current_date, '{}', '[]' from admissions;
insert into series values (
    'north', 'evening', null, null, 'group', 'other', 'in_person', 90, '', null, current_date
);
insert into series_members select 'north', 'evening', admission_id, current_date from admissions;
insert into merged_places select gen_random_uuid(), admission_id, 'north' from admissions;
"""
# A house of twenty programmes, with two seats for each of 4,000 people.
MANY = """
insert into admissions (admission_id, site_id, status, program_id)
select gen_random_uuid(), 'north', 'admitted', 'house-' || n % 20 from generate_series(1, 4000) n;
insert into sessions (
    session_id, site_id, source, session_key, session_type, modality, mode, held_on, planned_minutes
) select gen_random_uuid(), 'north', 'many', n::text, 'group', 'other', 'in_person', current_date, 60
from generate_series(1, 400) n;
insert into seats (session_id, admission_id, status, mode)
select session_id, admission_id, 'scheduled', 'in_person' from (
    select admission_id, row_number() over () as n from admissions where program_id like 'house-%'
) a join (
    select session_id, row_number() over () as n from sessions where source = 'many'
) s on s.n % 200 = a.n % 200;
analyze;
"""
READ = """
select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = 'admissions'
"""


@dataclass(frozen=True)
class Three:
    """One person in each of two programmes, one in none yet, and the ways into their database.

    Each had a session alone; `together` is one with all, whose roster nobody took.
    """

    here: UUID
    elsewhere: UUID
    expected: UUID
    alone: dict[UUID, UUID]
    together: UUID
    pool: asyncpg.Pool
    api: asyncpg.Pool

    async def seen(self, table: str) -> set[UUID]:
        """Whose rows there are, as if nobody had thought of programmes."""
        rows = await self.api.fetch(f"select {LOCKED[table]} as who from {table}")  # noqa: S608  # names of ours
        return {row["who"] for row in rows}

    async def guard_allows(self, programs: tuple[str, ...], kind: str, which: UUID) -> bool:
        """Whether the guard lets somebody of these programmes pass to a thing."""
        async with self.pool.acquire() as conn:
            return Caller("nora", "counsellor", frozenset(programs)).sees(
                await PROGRAMS[kind](conn, which)
            )


@pytest.fixture
async def three(attendance_template: tuple[Postgres, Home]) -> AsyncIterator[Three]:
    pool = await pool_of_its_own(attendance_template, "attendance")
    api = await api_pool_of(pool, attendance_template, "attendance")
    here, elsewhere, expected = people = [uuid4() for _ in range(3)]
    first = NOW.date() - timedelta(days=9)
    known = [
        Admission(who, "north", "admitted", first, program_id=program_id)
        for who, program_id in zip(people, (HERE, ELSEWHERE, None), strict=True)
    ]
    async with pool.acquire() as conn, conn.transaction():
        await sites.learn(conn, [("north", "UTC", "wall", first)])
        await store.save_admissions(conn, known)
        alone = {who: await visit_of(conn, who) for who in people}
        together = await scheduled(conn, STARTS_AT, people)
        await watchdog.ask(conn)
        await conn.execute(LATER)
    yield Three(here, elsewhere, expected, alone, together, pool, api)
    await asyncio.wait_for(api.close(), 10)
    await asyncio.wait_for(pool.close(), 10)


async def says(conn: asyncpg.Connection, do: str, **fields: Any) -> UUID:
    said = [{"do": do, "key": uuid4().hex, "occurred_at": NOW} | fields]
    [result] = await roster.take(conn, COMMANDS.validate_python(said), NOW)
    assert result.status == "applied", result
    assert result.subject
    return result.subject


async def scheduled(conn: asyncpg.Connection, at: datetime, people: list[UUID]) -> UUID:
    about = {"site_id": "north", "session_type": "group", "session_key": uuid4().hex}
    time = {"planned_on": at.date(), "starts_at": at, "planned_minutes": 60}
    return await says(conn, "schedule_session", **about, **time, roster=people)


async def visit_of(conn: asyncpg.Connection, who: UUID) -> UUID:
    """A session of one person's: they were there, as was found later, and they have no bus."""
    session_id = await scheduled(conn, STARTS_AT - timedelta(days=1), [who])
    which = {"session_id": session_id, "admission_id": who}
    await says(conn, "record_missed", **which, kind="no_show")
    await says(conn, "correct_attendance", **which, now="attended", minutes=60)
    await says(conn, "note_barrier", admission_id=who, barrier="transport")
    return session_id


async def test_a_query_that_asks_for_no_programme_is_given_those_that_were_said(
    three: Three,
) -> None:
    everybody = {three.here, three.elsewhere, three.expected}
    expected: list[tuple[Programs, set[UUID]]] = [
        (None, everybody),
        *zip(
            SIGHTS,
            ({three.here}, {three.elsewhere}, {three.here, three.elsewhere}, set(), set()),
            strict=True,
        ),
    ]

    for table in LOCKED:
        await is_shown(three.seen, table, expected)


async def test_what_the_guard_lets_pass_is_shown_whole_and_nothing_else_of_it(
    three: Three,
) -> None:
    whose = {one: {who} for who, one in three.alone.items()}
    whose[three.together] = set(three.alone)
    for programs in SIGHTS:
        for who in three.alone:
            allowed = await three.guard_allows(programs, "admission_id", who)
            with sight.seeing(programs):
                async with three.api.acquire() as conn:
                    known = await store.admissions(conn, [who])
                    seats = await store.attendance_of(conn, who)
            assert (len(known), len(seats)) == ((1, 2) if allowed else (0, 0)), (programs, who)
        for session_id, people in whose.items():
            allowed = await three.guard_allows(programs, "session_id", session_id)
            with sight.seeing(programs):
                async with three.api.acquire() as conn:
                    found = await store.session_with_roster(conn, session_id)
            assert found
            shown = {seat["admission_id"] for seat in found["roster"]}
            assert (shown == people) == allowed, (programs, session_id)


async def test_fhir_finds_nobody_elsewhere_without_its_own_check(three: Three) -> None:
    # Seats, and visits among them.
    for programs, counts in ((None, [6, 3]), ((HERE,), [2, 1]), ((NOBODYS,), [0, 0]), ((), [0, 0])):
        with sight.seeing(programs):
            async with three.api.acquire() as conn:
                found = [len(await kind.find(conn, Asked())) for kind in fhir.KINDS]
        assert found == counts, programs


async def test_another_programmes_rows_are_not_changed_and_ones_own_not_given_away(
    three: Three,
) -> None:
    refused = pytest.raises(asyncpg.InsufficientPrivilegeError)
    with sight.seeing((HERE,)):
        changed = await three.api.execute("update seats set minutes = 7 where minutes = 60")
        gone = await three.api.execute("delete from barriers")
        with refused:
            await three.api.execute("update admissions set program_id = $1", ELSEWHERE)
        with refused:
            await three.api.execute("update measures set admission_id = $1", three.elsewhere)

    assert (changed, gone) == ("UPDATE 1", "DELETE 1")
    rows = await three.pool.fetch("select admission_id from seats where minutes = 7")
    assert [row["admission_id"] for row in rows] == [three.here]
    left = await three.pool.fetch("select admission_id from barriers")
    assert {row["admission_id"] for row in left} == {three.elsewhere, three.expected}


async def test_who_is_transferred_is_seen_by_the_new_programme_with_all_that_was(
    three: Three,
) -> None:
    async with three.pool.acquire() as conn:
        [one] = (await store.admissions(conn, [three.elsewhere])).values()
        await store.save_admissions(conn, [replace(one, program_id=HERE)])

    for table in LOCKED:
        with sight.seeing((HERE,)):
            assert await three.seen(table) == {three.here, three.elsewhere}, table
        with sight.seeing((ELSEWHERE,)):
            assert await three.seen(table) == set(), table


async def test_a_silent_site_is_told_to_whoever_asks_and_names_nobody(three: Three) -> None:
    whole = await watchdog.now_silent(three.pool, timedelta(0))
    assert [(row["site_id"], row["sessions_not_reported"]) for row in whole] == [("north", 1)]

    for programs in ((NOBODYS,), ()):
        with sight.seeing(programs):
            assert await watchdog.now_silent(three.api, timedelta(0)) == whole
            # What is said for this question is said for no other.
            assert await three.seen("seats") == set()


async def test_whose_seats_may_be_seen_is_found_without_reading_all_admissions(
    three: Three,
) -> None:
    await three.pool.execute(MANY)
    with sight.seeing(("house-7",)):
        async with three.api.acquire() as conn, conn.transaction():
            found = await conn.fetch("select admission_id from seats order by recorded_at")
            read = await conn.fetchval(READ)

    assert len(found) == 400
    # Of 4,000 people this programme's 200, and little more.
    assert read < 1000


async def test_each_table_with_a_person_in_it_is_locked_or_known_not_to_be(three: Three) -> None:
    of_people = ("admission_id", "survivor_id", "duplicate_id", "patient_id")
    locked, open_ = await locked_and_open(three.pool, *of_people, "session_id", "program_id")

    assert locked == set(LOCKED)
    assert open_ == OPEN
