"""A command that is sent again while its first sending is under way is a repeat, not a refusal."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import asyncpg
import pytest

from aftercare import hand_off
from aftercare import store as aftercare
from aftercare.commands import COMMANDS as OF_AFTERCARE
from alerts import work
from alerts.commands import COMMANDS as OF_ALERTS
from handrail import edges, sites
from handrail.outbox import Connection
from handrail.receipts import Result
from operate.bench import filling
from operate.home import Home
from operate.parts.postgres import Postgres
from tests.bench import desk
from tests.integration.kit import WAITS, migrated_pool
from tests.integration.ward import Ward

Take: TypeAlias = Callable[[Connection], Awaitable[list[Result]]]
NOW = datetime.now(UTC)
PATIENCE_SECONDS = 20


async def sent_twice(pool: asyncpg.Pool, take: Take) -> tuple[Result, Result]:
    """What becomes of both: the second one waits for the first, which is committed then."""
    async with pool.acquire() as conn, asyncio.timeout(PATIENCE_SECONDS):
        under_way = conn.transaction()
        await under_way.start()
        [first] = await take(conn)
        again = asyncio.create_task(edges.in_one_transaction(pool, lambda: None, take))
        while not again.done() and not await pool.fetchval(WAITS):
            pass
        await under_way.commit()
        [second] = await again
    return first, second


async def people_of(pool: asyncpg.Pool, service: str) -> list[str]:
    """Some people are in care."""
    await pool.execute(filling.SITE, "north")
    await pool.execute(filling.BY_SERVICE[service], 200, "north")
    return [str(row["admission_id"]) for row in await pool.fetch(filling.IN_CARE)][:8]


@pytest.mark.parametrize("service", ["attendance", "intake"])
async def test_what_a_desk_says(template: tuple[Postgres, Home], service: str) -> None:
    pool = await migrated_pool(template, service)
    people = await people_of(pool, service)
    said = desk.of_intake(people) if service == "intake" else desk.of_attendance(people)

    became = {}
    for body in said:
        keyed: desk.Body = {"key": uuid4().hex} | body
        become = await sent_twice(pool, partial(desk.take, service=service, body=keyed))
        became[body["do"]] = [result.status for result in become]

    assert became == {do: ["applied", "duplicate"] for do in became}
    await pool.close()


async def test_a_seat_that_is_recorded(template: tuple[Postgres, Home]) -> None:
    pool = await migrated_pool(template, "attendance")
    person, *_ = await people_of(pool, "attendance")
    held = {
        "site_id": "north",
        "session_key": "now",
        "session_type": "group",
        "planned_minutes": 60,
    }
    async with pool.acquire() as conn:
        planned = {"do": "schedule_session", "planned_on": NOW.date(), "roster": [person]}
        await desk.take(conn, "attendance", held | planned)
    seat = {"do": "record_missed", "kind": "no_show", "session_key": "now", "admission_id": person}

    take = partial(desk.take, service="attendance", body=seat | {"key": "k"})
    became = await sent_twice(pool, take)

    assert [result.status for result in became] == ["applied", "duplicate"]
    await pool.close()


async def test_a_hand_off_and_its_first_visit(template: tuple[Postgres, Home]) -> None:
    pool, person, today = await migrated_pool(template, "aftercare"), UUID(int=11), NOW.date()
    async with pool.acquire() as conn:
        await sites.learn(conn, [("north", "UTC", "wall", date(2026, 3, 2))])
        await aftercare.learn_admissions(conn, {person: ("north", None)})

    async def take(conn: Connection, body: dict[str, Any]) -> list[Result]:
        return await hand_off.take(conn, OF_AFTERCARE.validate_python([body]), NOW)

    async def statuses(key: str, **fields: object) -> Sequence[Result]:
        body = {"key": key, "occurred_at": NOW, **fields}
        return await sent_twice(pool, partial(take, body=body))

    begun = await statuses(
        "a",
        do="start_step_down",
        admission_id=person,
        receiver="elm",
        destination="outpatient",
        first_visit_on=today,
    )
    kept = await statuses(
        "b", do="keep_first_visit", step_down_id=begun[0].subject, visited_on=today
    )

    assert [result.status for result in (*begun, *kept)] == ["applied", "duplicate"] * 2
    assert begun[0].subject == begun[1].subject
    await pool.close()


async def test_a_concern_that_is_resolved(ward: Ward) -> None:
    person = await ward.admitted()
    await ward.flagged(person)
    [concern] = await ward.open_concerns()
    which = {"concern_id": concern["concern_id"], "occurred_at": datetime.now(UTC)}

    async def take(conn: Connection, body: dict[str, Any]) -> list[Result]:
        taken = OF_ALERTS.validate_python([body])
        return await work.take(conn, taken, datetime.now(UTC), ward.ladder)

    attempt = {"do": "record_outreach", "channel": "phone", "outcome": "reached_declined"}
    end = {"do": "resolve", "ending": "declined_documented"}
    tried = await sent_twice(ward.pool, partial(take, body=which | attempt | {"key": "a"}))
    ended = await sent_twice(ward.pool, partial(take, body=which | end | {"key": "b"}))

    assert [result.status for result in (*tried, *ended)] == ["applied", "duplicate"] * 2
