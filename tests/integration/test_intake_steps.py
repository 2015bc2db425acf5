"""Steps of intake that are missing a week after the admission, over the real tables."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from handrail import sites
from intake import steps, store
from intake.facts import Admission
from tests.integration.kit import Kit

TODAY = date(2026, 3, 12)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PERSON = Admission(
    UUID(int=1), UUID(int=2), "north", "admitted", "self", NOON, TODAY - timedelta(days=8)
)


async def overdue(kit: Kit) -> list[tuple[str, str, str]]:
    rows = await kit.pool.fetch(
        "select key::text, convert_from(data, 'utf8') as body from outbox"
        " where type = 'intake.intake_step_overdue.v1' order by id"
    )
    told = [(row["key"], json.loads(row["body"])) for row in rows]
    return [(key[-1], body["step"], body["due_on"]) for key, body in told]


@pytest.mark.parametrize("clock", ["wall", "replay"])
async def test_the_end_of_a_day_says_once_what_is_overdue(kit: Kit, clock: str) -> None:
    policy_only = replace(PERSON, admission_id=UUID(int=3), is_eligible=True)
    in_time = replace(PERSON, admission_id=UUID(int=4), admitted_on=TODAY - timedelta(days=7))
    async with kit.pool.acquire() as conn, conn.transaction():
        await sites.learn(conn, [("north", "UTC", clock, TODAY)])
        await store.save(conn, [PERSON, policy_only, in_time])
        site = (await sites.known(conn))["north"]
        for _ in range(2):
            await steps.on_day_end(conn, site, TODAY, site.end_of(TODAY))

    due = str(TODAY - timedelta(days=1))
    expected = [
        ("1", "attendance_policy", due),
        ("1", "eligibility", due),
        ("3", "attendance_policy", due),
    ]
    assert await overdue(kit) == (expected if clock == "wall" else [])
