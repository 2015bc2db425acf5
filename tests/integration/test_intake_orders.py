"""Intake ends the same, in whatever order, batches and repeats the same facts come."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from handrail.outbox import Connection
from handrail.receipts import Result
from intake import admission
from intake.commands import COMMANDS
from operate.home import Home
from operate.parts.postgres import Postgres
from tests.integration.test_intake_histories import NOW, left, some
from tests.integration.twins import Body, Service, compare

NAMES = ("a", "b")
REFERRED = [
    {"do": "receive_referral", "key": name, "site_id": "north", "time_zone": "UTC"}
    for name in NAMES
]
FACTS = st.builds(
    lambda random, name: some(random) | {"occurred_at": NOW, "referral_key": name},
    st.randoms(use_true_random=False),
    st.sampled_from(NAMES),
)


async def begin(conn: Connection) -> None:
    await take(conn, [one | {"occurred_at": NOW} for one in REFERRED])


async def take(conn: Connection, facts: Sequence[Body]) -> list[Result]:
    return await admission.take(conn, COMMANDS.validate_python(list(facts)), NOW)


async def resolve(_conn: Connection, fact: Body) -> Body:
    return fact


async def all_left(conn: Connection) -> Any:
    """The rows and the events, with the admissions called by their referral's key."""
    rows = await conn.fetch("select key, subject from receipts where key = any($1)", list(NAMES))
    return await left(conn, {str(row["subject"]): row["key"] for row in rows})


def test_the_same_facts_in_any_order_leave_the_same(template: tuple[Postgres, Home]) -> None:
    service = Service(
        "intake", begin, take, all_left, lambda fact: str(fact["referral_key"]), resolve, FACTS
    )

    wanted = {"complete_intake", "change_plan", "assign_role", "put_on_hold", "discharge"}

    assert compare(template, service, wanted) >= wanted
