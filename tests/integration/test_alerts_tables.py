"""Random histories through the real tables: they hold what the unit tests say they hold."""

from datetime import date
from random import Random
from uuid import uuid4

import asyncpg
import pytest

from alerts import batch, evidence, quality, store
from alerts.outcomes import visits_of
from handrail.events import intake
from handrail.outbox import Connection
from tests.integration.ward import Ward
from tests.unit.histories import PERSON, START, Play, make, orders


async def told(conn: Connection) -> tuple[list[object], list[object]]:
    """Concerns and alerts as the tables have them."""
    concerns = await conn.fetch(
        "select concern_id, level, kind, reasons, opened_on, ending, closed_on from concerns"
        " order by concern_id"
    )
    alerts = await conn.fetch(
        "select alert_id, level, kind, reasons, day, held, withdrawn_at is not null as gone"
        " from alerts order by alert_id"
    )
    return [tuple(row) for row in concerns], [tuple(row) for row in alerts]


def held_by(play: Play) -> tuple[list[object], list[object]]:
    """Concerns and alerts as the unit tests have them."""
    concerns = [
        (r.concern_id, r.level, r.kind, r.reasons, r.opened_on, r.ending, r.closed_on)
        for r in sorted(play.concerns.values(), key=lambda r: r.concern_id)
    ]
    alerts = [
        (a.alert_id, a.level, a.kind, a.reasons, a.day, a.held, a.alert_id in play.withdrawn)
        for a in sorted(play.alerts.values(), key=lambda a: a.alert_id)
    ]
    return list(concerns), list(alerts)


# Among them those that once ended differently in another order of arrival.
@pytest.mark.parametrize("seed", [*range(12), 3374, 10786, 56081])
async def test_the_tables_hold_after_each_batch_what_the_rules_told(
    pool: asyncpg.Pool, seed: int
) -> None:
    play = Play()
    async with pool.acquire() as conn:
        for one in orders(make(seed), Random(seed)):
            if isinstance(one, int):
                play.end(one)
            else:
                play.hear(one)
            async with conn.transaction():
                await batch.write(conn, play.made)
            assert await told(conn) == held_by(play)
    assert play.concerns
    assert play.alerts


@pytest.mark.parametrize("seed", range(6))
async def test_the_quality_board_reads_of_some_weeks_what_all_facts_say(
    pool: asyncpg.Pool, seed: int
) -> None:
    play, history = Play(), make(seed)
    async with pool.acquire() as conn, conn.transaction():
        for one in orders(history, Random(seed)):
            if isinstance(one, int):
                play.end(one)
                await batch.write(conn, play.made)
            else:
                play.hear(one)
        await store.add_facts(conn, [(PERSON, fact) for fact in play.known])
        weeks = (conn, "north", date.fromordinal(START), date.fromordinal(START + 40))
        daily = await conn.fetch("select admission_id, day, risk28 from assessments")
        assessed = await evidence.assessed(*weeks)
        visits, days = await evidence.visits(*weeks), await evidence.assessed_days(*weeks)

    assert visits == {PERSON: visits_of(play.known)}
    assert days == len(daily)
    assert {(a.day, a.risk) for a in assessed} == {
        (a.day, a.risk) for a in quality.weekly(quality.Assessed(*row) for row in daily)
    }


async def test_an_open_concern_goes_along_to_another_programme(ward: Ward) -> None:
    moved, stays = [await ward.admitted() for _ in range(2)]
    for person in (moved, stays):
        await ward.flagged(person)
    place = {"from_program_id": "iop", "program_id": "php", "track": "evening"}
    transfers = [intake.Transferred(**ward.about(who), **place) for who in (moved, uuid4())]
    await ward.hears(*transfers)

    rows = await ward.open_concerns()
    assert {r["admission_id"]: (r["program_id"], r["track"]) for r in rows} == {
        moved: ("php", "evening"),
        stays: ("iop", "none"),
    }
