"""Attendance ends the same, in whatever order, batches and repeats the same facts come."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from typing import cast
from uuid import UUID

import asyncpg
from hypothesis import strategies as st

from attendance import roster, store
from attendance.commands import COMMANDS
from attendance.facts import Admission
from attendance.measures import COLUMN
from handrail import sites
from handrail.outbox import Connection
from handrail.personal.keys import FileKeys
from handrail.personal.vault import Vault
from handrail.receipts import Result
from operate.home import Home
from operate.parts.postgres import Postgres
from tests.integration.twins import Body, Service, compare, left_in

NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)
PERSON_KEYS = files("handrail.personal").joinpath("migrations/0001.person-keys.sql").read_text()
PEOPLE = [str(UUID(int=n)) for n in (1, 2)]
MONDAY = date(2026, 3, 2)
PLANNED = [f"planned-{n}" for n in range(2)]
WALK_IN = ["walk-in"]


def body(do: str, **fields: object) -> st.SearchStrategy[Body]:
    """A command whose fields are drawn where they are strategies."""
    drawn = {n: v if isinstance(v, st.SearchStrategy) else st.just(v) for n, v in fields.items()}
    return st.fixed_dictionaries({"do": st.just(do), "occurred_at": st.just(NOW)} | drawn)


def scheduled(number: int, people: Sequence[str]) -> Body:
    """The sessions do not overlap: who comes first to one hour is a matter of order."""
    starts_at = datetime.combine(MONDAY, datetime.min.time(), UTC) + timedelta(days=number, hours=9)
    return {
        "do": "schedule_session",
        "occurred_at": starts_at - timedelta(days=3),
        "site_id": "north",
        "session_key": PLANNED[number],
        "session_type": "group",
        "planned_on": starts_at.date(),
        "starts_at": starts_at,
        "planned_minutes": 180,
        "roster": list(people),
    }


people, planned = st.sampled_from(PEOPLE), st.sampled_from(PLANNED)
minutes, of_three = st.integers(0, 180), st.sampled_from(["no_show", "excused", "attended"])
unplanned = {"session_type": "group", "planned_on": MONDAY, "planned_minutes": 180}
walk_in = {"session_key": st.sampled_from(WALK_IN), "session": unplanned}
any_session = st.sampled_from(PLANNED + WALK_IN)
FACTS = st.one_of(
    st.builds(scheduled, st.just(0), st.just(PEOPLE)),
    st.builds(scheduled, st.just(1), st.just([])),
    st.builds(scheduled, st.integers(0, 1), st.lists(people, unique=True, max_size=2)),
    body("record_attended", admission_id=people, session_key=planned, attended_on=MONDAY, minutes=minutes),
    body("record_attended", admission_id=people, **walk_in, attended_on=MONDAY, minutes=minutes),
    body("record_missed", admission_id=people, session_key=planned, kind="no_show"),
    body("record_missed", admission_id=people, **walk_in, kind="late_cancellation", reason="work"),
    body("record_excused", admission_id=people, session_key=planned),
    body("correct_attendance", admission_id=people, session_key=any_session, now=of_three, minutes=minutes),
    body("move_seat", admission_id=people, session_key=planned, to_session_id=planned),
    body("move_seat", admission_id=people, session_key=PLANNED[0], to_session_id=PLANNED[1]),
    body("make_up", admission_id=people, session_key="walk-in", made_up_in=planned),
    body("make_up", admission_id=people, session_key=any_session, made_up_in=any_session),
    body("note_barrier", admission_id=people, barrier="work"),
    body("lift_barrier", admission_id=people, barrier="work"),
    body("record_contact", admission_id=people, channel="phone", reached=st.booleans()),
    body("record_answers", admission_id=people, instrument="gad_7", answers={str(n): 1 for n in range(1, 8)}),
)  # fmt: skip


def lane(fact: Body) -> str:
    """A person's facts keep their order; sessions are put on the schedule in any."""
    return str(fact.get("admission_id") or fact["session_key"])


def vault(conn: Connection) -> Vault:
    """Keys lie beside the data here: they come and go with a history."""
    return Vault("attendance", cast("asyncpg.Pool", conn), FileKeys(lambda: "a-key-of-this-test"))


async def begin(conn: Connection) -> None:
    await conn.execute(PERSON_KEYS)
    await sites.learn(conn, [("north", "UTC", "wall", MONDAY)])
    people = [Admission(UUID(p), "north", "admitted", MONDAY, weekly_minutes=540) for p in PEOPLE]
    await store.save_admissions(conn, people)


async def resolve(conn: Connection, fact: Body) -> Body | None:
    """The fact with this side's identifiers; None while it does not know a session."""
    named = fact.copy()
    for name in ("to_session_id", "made_up_in"):
        if name in fact:
            sql = "select session_id from sessions where session_key = $1"
            named[name] = await conn.fetchval(sql, fact[name])
            if named[name] is None:
                return None
    is_opening = fact["do"] == "schedule_session" or "session" in fact or "session_key" not in fact
    sql = "select true from sessions where session_key = $1"
    return named if is_opening or await conn.fetchval(sql, fact["session_key"]) else None


async def take(conn: Connection, facts: Sequence[Body]) -> list[Result]:
    return await roster.take(conn, COMMANDS.validate_python(list(facts)), NOW, vault(conn))


TABLES = ("seats", "seat_history", "sessions", "barriers", "measures", "receipts", "admissions")


async def left(conn: Connection) -> list[tuple[str, list[str]]]:
    """All rows and events, with sessions called by their keys, as sets."""
    names = {
        str(r["session_id"]): r["session_key"]
        for r in await conn.fetch("select session_id, session_key from sessions")
    }
    # Seals differ; what they hold must not.
    rows = await conn.fetch("select admission_id, sealed from measures")
    fields = [(row["admission_id"], row["sealed"]) for row in rows]
    for (_, sealed), content in zip(fields, await vault(conn).open(COLUMN, fields), strict=True):
        names[sealed.hex()] = (content or b"").decode()
    return await left_in(conn, TABLES, names)


def test_the_same_facts_in_any_order_leave_the_same(template: tuple[Postgres, Home]) -> None:
    service = Service("attendance", begin, take, left, lane, resolve, FACTS)

    wanted = {
        "schedule_session",
        "record_attended",
        "record_missed",
        "correct_attendance",
        "move_seat",
        "make_up",
        "lift_barrier",
        "record_answers",
    }

    assert compare(template, service, wanted) >= wanted
