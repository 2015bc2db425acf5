"""Attendance over a real PostgreSQL: what was known then, a week's dose, rosters not reported."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from attendance import history, roster, store, watchdog
from attendance.commands import COMMANDS
from attendance.dose import dose, week_of
from attendance.facts import Admission, Session
from handrail import sites
from handrail.outbox import Connection
from handrail.sight import SEES_ALL
from handrail.writes import write
from operate import databases
from operate.home import Home
from operate.parts.postgres import Postgres
from tests.integration.kit import WAITS, pool_of_its_own

NOW = datetime.now(UTC)
PERSON = UUID(int=1)


@pytest.fixture
async def conn(template: tuple[Postgres, Home]) -> AsyncIterator[Connection]:
    """Attendance's database with one site and one person."""
    server, home = template
    url = databases.url_of(server.admin_url(), "attendance", home)
    databases.migrate(url, "attendance")
    connection = await asyncpg.connect(url, server_settings=SEES_ALL)
    transaction = connection.transaction()
    await transaction.start()
    await sites.learn(connection, [("north", "UTC", "wall", NOW.date() - timedelta(days=9))])
    admitted_on = NOW.date() - timedelta(days=9)
    person = Admission(PERSON, "north", "admitted", admitted_on, weekly_minutes=540)
    await store.save_admissions(connection, [person])
    yield connection
    await transaction.rollback()
    await connection.close()


async def say(conn: Connection, do: str, at: datetime, **fields: object) -> UUID:
    """Have a command carried out."""
    body = {"do": do, "key": uuid4().hex, "occurred_at": at, **fields}
    [result] = await roster.take(conn, COMMANDS.validate_python([body]), at)
    assert result.status == "applied", result.code
    assert result.subject
    return result.subject


async def test_a_correction_changes_the_dose_and_keeps_what_was_known(
    conn: Connection,
) -> None:
    day = NOW.date()
    group = {"session_type": "group", "planned_on": day, "planned_minutes": 180}
    about = {"admission_id": PERSON, "session_key": "g"}
    await say(conn, "record_missed", NOW, **about, session=group, kind="no_show")
    later = NOW + timedelta(minutes=1)

    await say(conn, "correct_attendance", later, **about, now="attended", minutes=120)

    [knew] = await history.as_of(conn, PERSON, NOW)
    [knows] = await history.as_of(conn, PERSON, later)
    assert [knew["status"], knows["status"]] == ["no_show", "attended"]
    assert await history.as_of(conn, PERSON, NOW - timedelta(minutes=1)) == []
    visits = await history.visits(conn, PERSON, *week_of(day))
    plan = (await store.admissions(conn, [PERSON]))[PERSON].weekly_minutes
    assert (dose(day, plan, visits)["minutes"], plan) == (120, 540)


async def test_a_roster_is_asked_for_once_and_silence_ends_with_the_first_report(
    conn: Connection,
) -> None:
    starts_at = NOW - timedelta(hours=5)
    session = await say(
        conn,
        "schedule_session",
        NOW,
        site_id="north",
        session_key="s",
        session_type="group",
        planned_on=starts_at.date(),
        starts_at=starts_at,
        planned_minutes=180,
        roster=[PERSON],
    )

    assert [await watchdog.ask(conn), await watchdog.ask(conn)] == [1, 0]

    [overdue] = await watchdog.overdue(conn, "north")
    assert (overdue["session_id"], overdue["seats_waiting"]) == (session, 1)
    [silent] = await watchdog.silent_feeds(conn, timedelta(0))
    assert silent["site_id"] == "north"
    told = await conn.fetchval("select count(*) from outbox where type like '%roster_overdue%'")
    assert told == 1
    entries = [{"admission_id": PERSON, "status": "attended", "minutes": 170}]
    await say(conn, "take_roster", NOW, session_id=session, entries=entries)
    assert await watchdog.overdue(conn, "north") == []
    assert await watchdog.silent_feeds(conn, timedelta(0)) == []


@pytest.mark.parametrize("left", ["cancel_seat", "move_seat", "neither"])
async def test_who_calls_off_or_is_moved_is_free_for_another_session_in_the_same_batch(
    conn: Connection, left: str
) -> None:
    noon = (NOW + timedelta(days=5)).replace(hour=12, minute=0)
    first, second, third = [
        await say(
            conn,
            "schedule_session",
            NOW,
            site_id="north",
            session_key=str(at),
            session_type="group",
            planned_on=at.date(),
            starts_at=at,
            planned_minutes=180,
            roster=people,
        )
        for at, people in (
            (noon, [PERSON]),
            (noon + timedelta(days=1), []),
            (noon + timedelta(days=2), [PERSON]),
        )
    ]
    overlapping = {
        "do": "schedule_session",
        "site_id": "north",
        "session_key": "overlapping",
        "session_type": "group",
        "planned_on": noon.date(),
        "starts_at": noon + timedelta(hours=1),
        "planned_minutes": 60,
        "roster": [PERSON],
    }
    leaves = {
        "cancel_seat": {"session_id": first},
        "move_seat": {"session_id": first, "to_session_id": second},
        "neither": {"session_id": third},
    }[left]
    do = "cancel_seat" if left == "neither" else left
    bodies = [{"do": do, "admission_id": PERSON} | leaves, overlapping]
    batch = [body | {"key": uuid4().hex, "occurred_at": NOW} for body in bodies]

    results = await roster.take(conn, COMMANDS.validate_python(batch), NOW)

    expected = [None, "double_booked" if left == "neither" else None]
    assert [result.code for result in results] == expected


async def test_what_commands_of_several_calls_tell_has_the_trace_of_its_own_call(
    conn: Connection,
) -> None:
    traces = [f"00-{n:032x}-{n:016x}-01" for n in (1, 2, 3)]
    bodies = [
        {
            "do": "record_contact",
            "key": uuid4().hex,
            "occurred_at": NOW,
            "admission_id": PERSON if n != 1 else UUID(int=99),
            "channel": "phone",
            "reached": True,
        }
        for n in range(3)
    ]
    results = await roster.take(conn, COMMANDS.validate_python(bodies), NOW, causes=traces)

    assert [result.code for result in results] == [None, "admission_unknown", None]
    staged = await conn.fetch("select traceparent from outbox order by id")
    assert [row["traceparent"] for row in staged] == [traces[0], traces[2]]


async def test_who_waits_for_a_session_sees_what_became_of_it(
    attendance_template: tuple[Postgres, Home],
) -> None:
    """Sessions are locked in the order of their identifiers, also those that are called by name."""
    pool = await pool_of_its_own(attendance_template, "attendance")
    ids = sorted(uuid4() for _ in range(3))
    made = [
        Session(
            one, "north", "api", f"s{n}", "group", "cbt", "in_person", *(NOW.date(),) * 2, NOW, 60
        )
        for n, one in enumerate(ids)
    ]
    async with pool.acquire() as first, asyncio.timeout(20):
        await write(first, store.opened(made))
        under_way = first.transaction()
        await under_way.start()
        await store.sessions(first, [ids[1]], [])
        await store.cancel_sessions(first, [ids[1]])

        async def look() -> dict[UUID, Session]:
            async with pool.acquire() as second, second.transaction():
                return await store.sessions(second, [ids[1], ids[0]], [("api", "s2")])

        looking = asyncio.create_task(look())
        while not await pool.fetchval(WAITS):
            pass
        # The first one is held already, the last one not yet.
        held = "select session_id from sessions order by session_id for update skip locked"
        assert [row[0] for row in await pool.fetch(held)] == [ids[2]]
        await under_way.commit()
        found = await looking
    await pool.close()

    assert list(found) == ids
    assert [one.is_cancelled for one in found.values()] == [False, True, False]
