"""Aftercare ends the same, in whatever order, batches and repeats the same facts come."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID

from hypothesis import strategies as st

from aftercare import hand_off, store
from aftercare.commands import COMMANDS
from handrail import sites
from handrail.outbox import Connection
from handrail.receipts import Result
from operate.home import Home
from operate.parts.postgres import Postgres
from tests.integration.twins import Body, Service, compare, left_in

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
TODAY = NOW.date()
# On replay time, where days end between the commands, in steps.
FIRST = date(2026, 3, 2)
BEGUN = datetime.combine(FIRST, datetime.min.time(), UTC)
SOUTH = {"south-a": UUID(int=21)}
NORTH = {"north-a": UUID(int=11), "north-b": UUID(int=11)}
ENDS_A_DAY, STARTS = 0.1, 0.2
# A hand-off is called by its receiver, as each side gives it an identifier of its own.
PLACES = NORTH | SOUTH


def day(random: Random, first: int, last: int) -> date:
    return TODAY + timedelta(days=random.randint(first, last))


def some(random: Random) -> Body:
    """What may or may not be possible now with a hand-off."""
    channel, recently = random.choice(("phone", "text")), day(random, -17, 1)
    call = {"follow_up_day": random.choice((7, 14, 30))}
    place = {"kind": random.choice(("therapy", "therapy", "alumni")), "place": "elm"}
    pool: list[Body] = [
        {"do": "attempt_hand_off", "channel": channel, "outcome": random.choice(("warm", "not_reached")),
         "attempted_on": recently},
        {"do": "accept_step_down"},
        {"do": "plan_first_visit", "first_visit_on": day(random, -10, 9)},
        {"do": "keep_first_visit", "visited_on": recently},
        # Seldom possible, so often said.
        *[{"do": "miss_first_visit"} for _ in range(3)],
        {"do": "decline_step_down", "by": "person", "reason": "cost", "declined_on": recently},
        {"do": "complete_follow_up"} | call,
        {"do": "attempt_follow_up", "channel": channel, "outcome": "not_reached", "attempted_on": recently} | call,
        {"do": "end_follow_up", "reason": "moved"},
        {"do": "enroll", "enrolled_on": recently} | place,
        {"do": "end_enrollment", "ended_on": recently} | place,
        {"do": "opt_in_alumni", "opted_in_on": recently},
        {"do": "opt_out_alumni", "opted_out_on": recently},
        {"do": "set_plan_item", "item": random.choice(("walk", "call")), "kind": "coping",
         "state": random.choice(("open", "dropped"))},
        {"do": "ask_return", "asked_on": recently, "asked_by": "staff"},
        {"do": "withdraw_return", "withdrawn_on": recently},
        {"do": "return_to_care", "returned_on": recently},
        {"do": "enroll", "enrolled_on": recently} | place,
        {"do": "end_enrollment", "ended_on": TODAY} | place,
    ]  # fmt: skip
    return random.choice(pool)


def fact(random: Random) -> Body:
    """Something about a hand-off, or the end of a day where history is played."""
    if random.random() < ENDS_A_DAY:
        end = FIRST + timedelta(days=random.randrange(18))
        return {"do": "close_day", "site_id": "south", "day": end, "occurred_at": NOW}
    named = random.choice(sorted(PLACES))
    said = some(random)
    if random.random() < STARTS:
        said = {
            "do": "start_step_down",
            "admission_id": str(PLACES[named]),
            "receiver": named,
            "destination": random.choice(("outpatient", "step_up", "community")),
            "first_visit_on": day(random, -18, 5),
        }
    return said | {"of": named, "occurred_at": BEGUN}


# A seed each: what hypothesis draws itself leans to the first of a list.
FACTS = st.integers(0, 2**40).map(lambda seed: fact(Random(seed)))


def lane(said: Body) -> str:
    """A hand-off's facts keep their order; on replay time a whole site's do, with its days."""
    named = str(said.get("of", "south"))
    return "south" if named in SOUTH else named


async def begin(conn: Connection) -> None:
    here = [("north", "UTC", "wall", FIRST), ("south", "UTC", "replay", FIRST)]
    await sites.learn(conn, here)
    where = {person: name.split("-")[0] for name, person in PLACES.items()}
    await store.learn_admissions(conn, {i: (site, None) for i, site in where.items()})


async def resolve(conn: Connection, said: Body) -> Body | None:
    """The fact with this side's hand-off; None where it is not there, or another fact began it."""
    if said.get("of") in SOUTH and "recorded_at" not in said:
        through = await conn.fetchval("select closed_through from sites where site_id = 'south'")
        # Said for the first time: on the day that is open, whoever hears it later.
        said["recorded_at"] = datetime.combine(through + timedelta(days=1), NOW.time(), UTC)
    named = {name: value for name, value in said.items() if name != "of"}
    if "of" not in said:
        return named
    sql = "select step_down_id from hand_offs where receiver = $1"
    found = await conn.fetchval(sql, said["of"])
    if said["do"] == "start_step_down":
        sql = "select subject from receipts where key = $1"
        return named if found == await conn.fetchval(sql, said["key"]) else None
    return named | {"step_down_id": found} if found else None


async def take(conn: Connection, facts: Sequence[Body]) -> list[Result]:
    return await hand_off.take(conn, COMMANDS.validate_python(list(facts)), NOW)


TABLES = ("hand_offs", "follow_ups", "receipts", "sites", "admissions")


async def left(conn: Connection) -> list[tuple[str, list[str]]]:
    """All rows and events, with the hand-offs called by their places."""
    found = await conn.fetch("select step_down_id, receiver from hand_offs")
    names = {str(row["step_down_id"]): row["receiver"] for row in found}
    return await left_in(conn, TABLES, names)


def test_the_same_facts_in_any_order_leave_the_same(template: tuple[Postgres, Home]) -> None:
    service = Service("aftercare", begin, take, left, lane, resolve, FACTS)

    wanted = {
        "start_step_down",
        "attempt_hand_off",
        "accept_step_down",
        "plan_first_visit",
        "keep_first_visit",
        "miss_first_visit",
        "decline_step_down",
        "complete_follow_up",
        "attempt_follow_up",
        "end_follow_up",
        "enroll",
        "end_enrollment",
        "opt_in_alumni",
        "opt_out_alumni",
        "set_plan_item",
        "ask_return",
        "withdraw_return",
        "return_to_care",
        "close_day",
    }

    assert compare(template, service, wanted) == wanted
