"""The calendar ends the same, in whatever batches, repeats and order of sites the same facts come."""

import re
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from hypothesis import strategies as st

from attendance import store
from attendance.facts import Admission
from handrail import sites
from handrail.outbox import Connection
from operate.home import Home
from operate.parts.postgres import Postgres
from tests.integration.test_attendance_orders import MONDAY, NOW, take
from tests.integration.twins import Body, Service, compare, left_in

# Who is at which site. A site's facts keep their order, as a session's roster is one fact of many.
PEOPLE = {site: [str(UUID(int=n)) for n in (first, first + 1)] for site, first in (("east", 31), ("west", 41))}  # fmt: skip
TODAY = NOW.date()
DAYS, SERIES = 4, ("evening", "late")
RULES = ("FREQ=DAILY;COUNT=4", "FREQ=DAILY;INTERVAL=2;COUNT=3", "FREQ=DAILY;COUNT=2")
HOURS = {"evening": "173000", "late": "200000"}


def series_of(site: str, series: str, minutes: int, rule: str) -> Body:
    return {
        "do": "set_series",
        "site_id": site,
        "series_key": series,
        "session_type": "group",
        "track": series,
        "planned_minutes": minutes,
        "recurrence": f"DTSTART:20260309T{HOURS[series]}\nRRULE:{rule}",
    }


def some(random: Random, site: str) -> Body:
    """What may or may not be possible now at a site."""
    person = random.choice(PEOPLE[site])
    series = random.choice(SERIES)
    own = {"site_id": site, "series_key": series}
    at = {"at": _session(random, site)}
    there = {"there": _session(random, site)}
    minutes = random.choice((60, 90, 120))
    seat = at | {"admission_id": person}
    day = TODAY + timedelta(days=random.randrange(DAYS))
    pool: list[Body] = [
        series_of(site, series, random.choice((90, 120)), random.choice(RULES)),
        own | {"do": "join_series", "admission_id": person, "from_on": TODAY},
        own | {"do": "leave_series", "admission_id": person, "left_on": day},
        at | {"do": "move_session", "to_planned_on": day,
              "to_starts_at": datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=14)},
        at | {"do": "cancel_session"},
        at | {"do": "take_roster", "entries": [
            {"admission_id": one, "status": random.choice(("attended", "no_show", "excused")), "minutes": minutes}
            for one in PEOPLE[site]]},
        seat | {"do": "cancel_seat", "reason": "work"},
        seat | {"do": "record_attended", "attended_on": TODAY, "minutes": minutes},
        seat | {"do": "record_missed", "kind": "no_show"},
        seat | {"do": "record_excused"},
        seat | {"do": "correct_attendance", "now": random.choice(("attended", "no_show")), "minutes": minutes},
        {"do": "set_policy", "site_id": site, "late_cancellation_hours": random.choice((0, 24, 96))},
        seat | {"do": "record_missed", "kind": "late_cancellation"},
        seat | there | {"do": "move_seat"},
        seat | there | {"do": "make_up"},
        {"do": "move_seat", "admission_id": person, "at": _key(site, SERIES[0], 1), "there": _key(site, SERIES[1], 1)},
        {"do": "move_seat", "admission_id": person, "at": _key(site, SERIES[0], 2), "there": _key(site, SERIES[1], 2)},
        # Today's two sessions: the one is missed, and made up for in the other.
        {"do": "record_missed", "kind": "no_show", "admission_id": person, "at": _key(site, SERIES[0], 0)},
        {"do": "record_attended", "attended_on": TODAY, "minutes": 60, "admission_id": person, "at": _key(site, SERIES[1], 0)},
        {"do": "make_up", "admission_id": person, "at": _key(site, SERIES[0], 0), "there": _key(site, SERIES[1], 0)},
    ]  # fmt: skip
    return random.choice([*pool, *pool[-7:]])


def _session(random: Random, site: str) -> str:
    """The key that a series gives to one of its sessions; today's, as it can be reported, often."""
    return _key(site, random.choice(SERIES), random.choice((0, 0, 0, *range(DAYS))))


def _key(site: str, series: str, days: int) -> str:
    day = TODAY + timedelta(days=days)
    return f"{site}/{series}/{day:%Y%m%d}T{HOURS[series]}"


def fact(random: Random) -> Body:
    site = random.choice(sorted(PEOPLE))
    return some(random, site) | {"of": site, "occurred_at": NOW}


# A seed each: what hypothesis draws itself leans to the first of a list.
FACTS = st.integers(0, 2**40).map(lambda seed: fact(Random(seed)))

# A session that was moved has a key of its own, one that was dropped a longer one; one may stand.
STANDS = """
select session_id from sessions
where regexp_replace(session_key, '(/moved/|#).*', '') = $1
order by is_cancelled, session_key like '%#%', session_key like '%/moved/%' limit 1
"""


async def begin(conn: Connection) -> None:
    await sites.learn(conn, [(site, "UTC", "wall", MONDAY) for site in PEOPLE])
    people = [
        Admission(UUID(p), site, "admitted", MONDAY, weekly_minutes=540)
        for site, here in PEOPLE.items()
        for p in here
    ]
    await store.save_admissions(conn, people)
    known = [series_of(site, series, 120, RULES[0]) for site in PEOPLE for series in SERIES]
    known += [
        {"do": "join_series", "site_id": site, "series_key": SERIES[0], "admission_id": one, "from_on": TODAY}
        for site, here in PEOPLE.items()
        for one in here
    ]  # fmt: skip
    about = {"occurred_at": NOW}
    await take(conn, [one | about | {"key": f"first-{n}"} for n, one in enumerate(known)])


async def resolve(conn: Connection, said: Body) -> Body | None:
    """The fact with this side's identifiers; None while it does not know a session."""
    named = {name: value for name, value in said.items() if name not in ("of", "at", "there")}
    to = "to_session_id" if said["do"] == "move_seat" else "made_up_in"
    for name, field in (("at", "session_id"), ("there", to)):
        if name in said:
            named[field] = await conn.fetchval(STANDS, said[name])
            if named[field] is None:
                return None
    return named


TABLES = (
    *("sessions", "seats", "seat_history", "series", "series_members"),
    *("receipts", "policies"),
)
# A key that is moved for the third time is cut within its second random part.
MOVED = re.compile(r"/moved/[0-9a-f]{1,32}")


async def left(conn: Connection) -> list[tuple[str, list[str]]]:
    """All rows and events, with sessions called by their keys and hours, as sets."""
    rows = await conn.fetch("select session_id, session_key, starts_at from sessions")
    names = {
        str(r["session_id"]): f"{re.split('/moved/|#', r['session_key'])[0]} at {r['starts_at']}"
        for r in rows
    }
    return await left_in(conn, TABLES, names, lambda row: MOVED.sub("/moved", row))


def lane(said: Body) -> str:
    return str(said["of"])


def test_the_same_calendar_in_any_batches_leaves_the_same(template: tuple[Postgres, Home]) -> None:
    service = Service("attendance", begin, take, left, lane, resolve, FACTS)

    wanted = {
        "set_series",
        "join_series",
        "leave_series",
        "move_session",
        "cancel_session",
        "take_roster",
        "cancel_seat",
        "record_attended",
        "record_missed",
        "record_excused",
        "correct_attendance",
        "move_seat",
        "make_up",
        "set_policy",
    }

    assert compare(template, service, wanted) == wanted
