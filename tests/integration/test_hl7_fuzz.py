"""Broken messages by MLLP: each is answered, none is half applied, and nothing falls over.

`HANDRAIL_FUZZ=10000` for many; a seed names a run again (`HANDRAIL_FUZZ_SEED`).
"""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import hl7
import pytest

from attendance import store as attendance
from attendance.facts import Admission
from attendance.sources import siu
from attendance.sources.terms import Kind
from attendance.sources.terms import Terms as SiuTerms
from handrail import sites
from handrail.desk import store
from handrail.desk.contents import Contents
from handrail.desk.desk import Desk
from handrail.desk.letter import Letter
from handrail.desk.sealing import Seal
from handrail.desk.store import Sender
from handrail.hl7.dialect import Hl7, Part
from handrail.hl7.listener import Listener
from handrail.hl7.settings import Hl7Settings
from handrail.personal.vault import Vault
from intake import adt
from intake.adt import visits
from intake.adt.terms import Place, Terms
from operate.home import Home
from operate.parts.postgres import Postgres
from tests import hl7_writer
from tests.integration.broken import COUNT, HALF_STAYS, MUTATIONS, SEED, STAYS
from tests.integration.kit import pool_of_its_own
from tests.parts import until

SENDER = ("EHR", "NORTH")
ENDS_A_BLOCK = b"\x1c\r"
THEN = datetime(2026, 1, 1, tzinfo=UTC)
PEOPLE = max(25, COUNT // 40)
Make = Callable[[random.Random, datetime], bytes]


@contextlib.asynccontextmanager
async def listening(pool: asyncpg.Pool, vault: Vault, part: Part, terms: str) -> AsyncIterator[int]:
    """A listener before a desk, with one sender; its port."""
    sender = Sender("ehr", *SENDER, "north", "America/New_York", is_outside=False, terms=terms)
    async with pool.acquire() as conn:
        await store.put_sender(conn, sender)
    seal = Seal(b"a key of this test")
    spoken = Hl7(Desk(pool, seal, Contents(vault, seal)), part)
    listener = Listener(Hl7Settings(), spoken.answer)
    task = asyncio.create_task(listener.run())

    async def listens() -> int:
        return listener.port

    yield await until(listens, "the listener")
    task.cancel()
    await asyncio.wait([task])


def filled(of: random.Random, raw: bytes, values: dict[bytes, str]) -> bytes:
    """A template with these values, broken not at all, once or more often."""
    for word, value in values.items():
        raw = raw.replace(word, value.encode())
    for _ in range(of.choice((0, 1, 1, 1, 2, 4))):
        raw = of.choice(MUTATIONS)(of, raw) or b"\r"
    return raw.replace(ENDS_A_BLOCK, b"")


def an_adt(of: random.Random, at: datetime) -> bytes:
    """A message about one of few persons, or what became of it."""
    person, other = (str(of.randrange(PEOPLE)) for _ in range(2))
    values = {
        b"CONTROL": uuid4().hex[:20],
        b"PERSON": f"p{person}",
        b"OTHER": f"p{other}",
        b"VISIT": f"v{person}",
        hl7_writer.stamp(THEN).encode(): hl7_writer.stamp(at),
    }
    return filled(of, ADT[of.choice(tuple(ADT))], values)


def an_siu(of: random.Random, at: datetime) -> bytes:
    """A message about one of few appointments, before or after it, or what became of it."""
    number = of.randrange(PEOPLE * 2)
    starts_at = at + timedelta(hours=of.choice((-30, -4, 3, 60)), minutes=number)
    values = {
        b"PERSON": f"p{number % PEOPLE}",
        b"VISIT": "",
        b"NUMBER": f"a{number}",
        b"20260102000000+0000": hl7_writer.stamp(starts_at),
        hl7_writer.stamp(THEN).encode(): hl7_writer.stamp(at),
        b"CONTROL": uuid4().hex[:20],
    }
    return filled(of, of.choice(SIU), values)


def _adt_template(event: str) -> bytes:
    more = {"mrg_1": "OTHER^^^NORTH^MR"} if event == "A40" else {"pv1_3": "DAY^1", "pv1_36": "07"}
    about = {"visit": "VISIT", "control": "CONTROL", "at": THEN}
    made = hl7_writer.adt(event, SENDER, person="PERSON", **about, **more)  # type: ignore[arg-type]  # times and texts
    return str(made.to_er7()).encode()


def _siu_templates() -> Iterator[bytes]:
    booked = hl7_writer.Booking("PERSON", "VISIT", "NUMBER", THEN + timedelta(days=1))
    said = [("S12", {}), ("S13", {}), ("S14", {"sch_25": "Complete"}), ("S15", {"sch_6": "STAFF"})]
    for event, more in [*said, ("S15", {}), ("S26", {}), ("S26", {})]:
        made = hl7_writer.siu(event, SENDER, booked, at=THEN, **more)
        control = str(made.msh.msh_10.value)
        yield str(made.to_er7()).replace(control, "CONTROL").encode()


ADT = {event: _adt_template(event) for event in hl7_writer.STRUCTURES}
SIU = tuple(_siu_templates())

# What SIU may change, and what ties it together: a session without its appointment's name would
# be half a message.
SIU_STATE = """
select (select count(*) from sessions), (select count(*) from receipts),
    (select count(*) from outbox), (select count(*) from hl7_names),
    (select coalesce(max(sent_at), 'epoch') from hl7_newest),
    (select md5(string_agg(concat_ws(',', session_id, status, moved_to, version), ';'
        order by session_id)) from seats)
"""
SIU_HALVES = """
select (select count(*) from sessions s where not exists (
        select from seats c where c.session_id = s.session_id)),
    (select count(*) from sessions s where not exists (
        select from hl7_names n where n.subject = s.session_id)
        and not exists (select from seats c where c.session_id = s.session_id
            and (c.moved_to is not null
                or c.status in ('excused', 'late_cancellation', 'cancelled_by_program')))),
    (select count(*) from hl7_messages where state = 'applied' and body is not null)
"""


async def each_is_answered(
    pool: asyncpg.Pool, port: int, make: Make, state: str
) -> tuple[Counter[str], int]:
    """Send them one by one. What is not answered AA has changed nothing."""
    of, answers = random.Random(SEED), Counter[str]()
    began = datetime.now(UTC) - timedelta(days=2)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    before = await pool.fetchrow(state)
    for number in range(COUNT):
        raw = make(of, began + timedelta(seconds=number))
        writer.write(b"\x0b" + raw + ENDS_A_BLOCK)
        block = await asyncio.wait_for(reader.readuntil(ENDS_A_BLOCK), 20)
        answer = hl7.parse(block[1:-2].decode("ascii"))
        code = str(answer.extract_field("MSA", 1, 1))
        answers[code] += 1
        assert code in {"AA", "AE", "AR"}
        assert "mistake" not in str(answer), (number, raw)
        after = await pool.fetchrow(state)
        if code != "AA":
            assert after == before, (number, raw)
            assert answer.extract_field("ERR", 1, 3)
        before = after
    writer.close()
    assert all(answers[code] > COUNT / 20 for code in ("AA", "AE", "AR")), answers
    events = int(await pool.fetchval("select count(*) from outbox"))
    assert events > COUNT / 50
    print({"messages": COUNT, "seed": SEED, "events": events, **answers})
    return answers, events


async def test_each_broken_adt_is_answered_and_none_is_half_applied(
    template: tuple[Postgres, Home], vault: Vault
) -> None:
    place = Place(program_id="iop-day", weekly_minutes=540, sessions_per_week=3)
    part = Part("ADT", frozenset(visits.BY_EVENT), visits.subject, adt.apply, adt.moment)
    pool = await pool_of_its_own(template, "intake")
    async with listening(pool, vault, part, Terms(place=place).model_dump_json()) as port:
        await each_is_answered(pool, port, an_adt, STAYS)

    assert tuple(await pool.fetchrow(HALF_STAYS)) == (0, 0, 0)
    await asyncio.wait_for(pool.close(), 10)


@pytest.fixture
async def seated(attendance_template: tuple[Postgres, Home]) -> AsyncIterator[asyncpg.Pool]:
    """A database of attendance's with some people in care."""
    pool = await pool_of_its_own(attendance_template, "attendance")
    async with pool.acquire() as conn:
        await sites.learn(conn, [("north", "America/New_York", "wall", date(2026, 1, 1))])
        people = [Admission(UUID(int=n), "north", "admitted", THEN.date()) for n in range(PEOPLE)]
        await attendance.save_admissions(conn, people)
    yield pool
    await asyncio.wait_for(pool.close(), 10)


async def test_each_broken_siu_is_answered_and_none_is_half_applied(
    seated: asyncpg.Pool, vault: Vault
) -> None:
    async def meant(letter: Letter) -> UUID | None:
        """Whom intake would say that a number means."""
        number = letter.message.value("PID", 3).removeprefix("p")
        is_known = number.isascii() and number.isdecimal() and int(number) < PEOPLE
        return UUID(int=int(number)) if is_known else None

    part = Part("SIU", frozenset(siu.BY_EVENT), siu.subject, siu.apply, siu.moment, meant)
    terms = SiuTerms(kind=Kind(session_type="group"), by_programme=frozenset({"STAFF"}))
    async with listening(seated, vault, part, terms.model_dump_json()) as port:
        await each_is_answered(seated, port, an_siu, SIU_STATE)

    assert tuple(await seated.fetchrow(SIU_HALVES)) == (0, 0, 0)
