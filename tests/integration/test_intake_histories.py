"""Whatever the batches and the repeats, intake ends with the same rows and says the same."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, TypeVar
from uuid import UUID

from handrail.envelope import Received
from handrail.events import Event
from handrail.events.attendance import AttendanceCorrected, AttendanceDayClosed, SessionAttended
from handrail.outbox import Connection
from handrail.topics import PARTITIONS, partition_of
from intake import admission, first_session
from intake.commands import COMMANDS, AnyCommand
from intake.store import clock
from tests.integration.kit import Kit

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
TODAY = date(2026, 3, 5)
STAFF = [str(UUID(int=n)) for n in range(1, 4)]
SUPPORTS = [str(UUID(int=n)) for n in range(11, 13)]
ROLES = ("primary_clinician", "supervisor")
HISTORIES = 12
T = TypeVar("T")


def day(ahead: int) -> str:
    return (TODAY + timedelta(days=ahead)).isoformat()


def some(random: Random) -> dict[str, Any]:
    """A command that may or may not be possible now."""
    pool: list[dict[str, Any]] = [
        {"do": "waitlist", "program_id": "iop", "urgent": random.random() < 0.3},
        {"do": "assess_eligibility", "needs_24h_supervision": random.random() < 0.3,
         "symptoms_stable": True, "home_safe": True, "home_supportive": True},
        {"do": "complete_intake", "admitted_on": day(-random.randrange(40)), "program_id": "iop",
         "weekly_minutes": random.choice((300, 540, 720)), "sessions_per_week": 3,
         "eligibility_waived_for": random.choice(("urgent", "returning", None))},
        {"do": "decline_referral", "by": "person", "reason": "cost"},
        {"do": "change_plan", "weekly_minutes": random.choice((540, 600)), "sessions_per_week": 3,
         "goals": random.sample(["sleep", "work", "calm"], 2), "review_on": day(14)},
        {"do": "mark_goal", "goal": random.choice(("sleep", "work")), "state": "met"},
        {"do": "recertify", "certified_on": day(-random.randrange(5)), "certifier_id": STAFF[0]},
        {"do": "assign_role", "role": random.choice(ROLES), "staff_id": random.choice(STAFF), "from_on": day(0)},
        {"do": "cover_role", "role": random.choice(ROLES), "staff_id": random.choice(STAFF),
         "from_on": day(1), "until_on": day(random.randrange(1, 9))},
        {"do": "release_role", "role": random.choice(ROLES), "staff_id": random.choice(STAFF), "released_on": day(0)},
        {"do": "name_support", "support_id": random.choice(SUPPORTS), "relation": "friend", "may_contact": True},
        {"do": "change_support_consent", "support_id": random.choice(SUPPORTS), "may_contact": False},
        {"do": "put_on_hold", "reason": "leave"},
        {"do": "resume"},
        {"do": "log_attempt", "channel": random.choice(("phone", "text")), "outcome": "not_reached",
         "attempted_on": day(-random.randrange(9))},
        {"do": "discharge", "reason": "terminated_by_facility", "discharged_on": day(0),
         "supervisor_id": random.choice(STAFF)},
        {"do": "discharge", "reason": "completed", "discharged_on": day(0)},
    ]  # fmt: skip
    return random.choice([*pool[:14], *pool]) if random.random() < 0.9 else pool[2]


def history(random: Random) -> list[AnyCommand]:
    """Two referrals and what is said of them."""
    said: list[dict[str, Any]] = [
        {"do": "receive_referral", "key": name, "site_id": "north", "time_zone": "UTC"}
        for name in ("a", "b")
    ]
    said += [
        some(random) | {"key": f"k{n}", "referral_key": random.choice("ab")} for n in range(60)
    ]
    return COMMANDS.validate_python([one | {"occurred_at": NOW} for one in said])


def pieces(random: Random, whole: Sequence[T]) -> Iterator[Sequence[T]]:
    """The whole in order, cut anywhere."""
    start = 0
    while start < len(whole):
        end = start + random.randint(1, 12)
        yield whole[start:end]
        start = end


def repeated(random: Random, taken: Sequence[AnyCommand]) -> list[AnyCommand]:
    """Some said again, each after it was said."""
    return [again for one in taken for again in ([one, one] if random.random() < 0.3 else [one])]


async def left(conn: Connection, names: dict[str, str]) -> tuple[list[Any], list[Any]]:
    """The rows and the events, with the admissions called by their referral's key."""

    def named(text: str) -> Any:
        for identifier, name in names.items():
            text = text.replace(identifier, name)
        return json.loads(text)

    rows = await conn.fetch("select to_jsonb(a) - 'patient_id' as row from admissions a")
    events = await conn.fetch("select type, data from outbox order by key, sequence")
    told = [(e["type"], named(e["data"].decode())) for e in events]
    for _, data in told:
        data.pop("patient_id", None)
    return (
        sorted((named(r["row"]) for r in rows), key=lambda r: str(r["admission_id"])),
        sorted(told, key=lambda e: str(e[1]["admission_id"])),
    )


async def test_commands_leave_the_same_whatever_their_batches_and_repeats(kit: Kit) -> None:
    applied = 0
    for seed in range(HISTORIES):
        random = Random(seed)
        said = history(random)
        outcomes = []
        for play in ([[one] for one in said], [repeated(random, p) for p in pieces(random, said)]):
            async with kit.pool.acquire() as conn:
                undo = conn.transaction()
                await undo.start()
                results = [r for taken in play for r in await admission.take(conn, taken, NOW)]
                names = {str(r.subject): r.key for r in results if r.key in ("a", "b")}
                outcomes.append(await left(conn, names))
                applied += sum(r.status == "applied" for r in results)
                await undo.rollback()
        assert outcomes[0] == outcomes[1], f"history {seed}"
    assert applied > HISTORIES * 20


PERSON = UUID(int=8 * 7)
START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def heard(random: Random) -> list[Event]:
    """What attendance tells of one person's sessions, right and wrong, and its days."""
    told: list[Event] = []
    state: dict[UUID, str] = {}
    for days in range(6):
        end = START + timedelta(days=days)
        about = {"site_id": "north", "recorded_at": end, "recorded_day": end.date()}
        for _ in range(random.choice((0, 0, 1, 2))):
            session = UUID(int=random.randint(1, 5))
            on = end.date() - timedelta(days=random.randrange(min(days, 2) + 1))
            at = datetime.combine(on, datetime.min.time(), UTC) + timedelta(
                hours=random.randrange(24)
            )
            seat = about | {"admission_id": PERSON, "session_id": session, "session_type": "group", "occurred_at": at}  # fmt: skip
            if session not in state:
                state[session] = "attended"
                told.append(SessionAttended(**seat, attended_on=on, minutes=90))
                continue
            now = random.choice(("attended", "no_show"))
            told.append(AttendanceCorrected(**seat, was=state[session], now=now, attended_on=on))
            state[session] = now
        closed = about | {"occurred_at": end, "day": end.date()}
        told.append(AttendanceDayClosed(**closed, partition=partition_of(PERSON)))
    return told


def first_of(told: Sequence[Event]) -> UUID | None:
    """The first session by all that was told: independent of how the service finds it."""
    last: dict[UUID, datetime | None] = {}
    for event in told:
        if isinstance(event, SessionAttended):
            last[event.session_id] = event.occurred_at
        elif isinstance(event, AttendanceCorrected):
            last[event.session_id] = event.occurred_at if event.now == "attended" else None
    seen = [(at, session) for session, at in last.items() if at]
    return min(seen)[1] if seen else None


async def test_the_clock_stands_the_same_whatever_the_batches(kit: Kit) -> None:
    assert partition_of(PERSON) < PARTITIONS
    kinds = set()
    for seed in range(HISTORIES * 2):
        random = Random(seed)
        told = heard(random)
        outcomes = []
        for play in ([[one] for one in told], pieces(random, told), [told]):
            async with kit.pool.acquire() as conn:
                undo = conn.transaction()
                await undo.start()
                await refer(conn)
                for events in play:
                    await first_session.take(conn, [received(event) for event in events])
                (found,) = await clock.load(conn, [PERSON], {})
                said = await conn.fetch("select type, data from outbox where key = $1 order by sequence", PERSON)  # fmt: skip
                outcomes.append((found.first, found.went_cold_at, [tuple(row) for row in said]))
                await undo.rollback()
        assert outcomes[0] == outcomes[1] == outcomes[2], f"history {seed}"
        first = outcomes[0][0]
        assert (first.session_id if first else None) == first_of(told), f"history {seed}"
        kinds |= {row[0] for row in outcomes[0][2]}
    assert kinds == {
        "intake.first_session_kept.v1",
        "intake.first_session_undone.v1",
        "intake.referral_went_cold.v1",
    }


def received(event: Event) -> Received:
    return Received(event, "e", "attendance", PERSON, 1, 1, None, partition_of(PERSON), 0)


async def refer(conn: Connection) -> None:
    await conn.execute("insert into sites values ('north', 'UTC', 'replay', '2026-03-01', false)")
    await conn.execute(
        "insert into admissions (admission_id, patient_id, site_id, status, referral_source, referred_at) "
        "values ($1, $1, 'north', 'referred', 'self', $2)",
        PERSON,
        START,
    )
