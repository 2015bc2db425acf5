"""Broken messages by MLLP: each is answered, none is half applied, and nothing falls over.

`HANDRAIL_FUZZ=10000` for many; a seed names a run again (`HANDRAIL_FUZZ_SEED`).
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import hl7
import pytest

from handrail.hl7 import store
from handrail.hl7.desk import Desk, Part
from handrail.hl7.listener import Listener
from handrail.hl7.sealing import Seal
from handrail.hl7.settings import Hl7Settings
from handrail.hl7.store import Sender
from intake import adt
from intake.adt import visits
from intake.adt.terms import Place, Terms
from operate.home import Home
from operate.parts.postgres import Postgres
from tests import hl7_writer
from tests.integration.kit import pool_of_its_own
from tests.parts import until

COUNT = int(os.environ.get("HANDRAIL_FUZZ", "400"))
SEED = int(os.environ.get("HANDRAIL_FUZZ_SEED", "20261125"))
SENDER = ("EHR", "NORTH")
ENDS_A_BLOCK = b"\x1c\r"
Mutation = Callable[[random.Random, bytes], bytes]


@pytest.fixture
async def pool(template: tuple[Postgres, Home]) -> AsyncIterator[asyncpg.Pool]:
    made = await pool_of_its_own(template, "intake")
    yield made
    await asyncio.wait_for(made.close(), 10)


@pytest.fixture
async def port(pool: asyncpg.Pool) -> AsyncIterator[int]:
    """A listener before a desk of intake's, with one sender."""
    place = Place(program_id="iop-day", weekly_minutes=540, sessions_per_week=3)
    terms = Terms(place=place).model_dump_json()
    async with pool.acquire() as conn:
        sender = Sender("ehr", *SENDER, "north", "America/New_York", is_outside=False, terms=terms)
        await store.put_sender(conn, sender)
    part = Part("ADT", frozenset(visits.BY_EVENT), visits.subject, adt.apply, adt.moment)
    desk = Desk(pool, Seal(b"a key of this test"), part)
    listener = Listener(Hl7Settings(), desk.answer)
    task = asyncio.create_task(listener.run())

    async def listens() -> int:
        return listener.port

    yield await until(listens, "the listener")
    task.cancel()
    await asyncio.wait([task])


def flip(of: random.Random, raw: bytes) -> bytes:
    place = of.randrange(len(raw))
    return raw[:place] + bytes([of.randrange(256)]) + raw[place + 1 :]


def cut(of: random.Random, raw: bytes) -> bytes:
    return raw[: of.randrange(len(raw))]


def leave_out(of: random.Random, raw: bytes) -> bytes:
    first = of.randrange(len(raw))
    return raw[:first] + raw[first + of.randrange(1, 40) :]


def put_in(of: random.Random, raw: bytes) -> bytes:
    place = of.randrange(len(raw))
    return raw[:place] + of.choice(JUNK) + raw[place:]


def other_field(of: random.Random, raw: bytes) -> bytes:
    segments = [segment.split(b"|") for segment in raw.split(b"\r")]
    fields = of.choice(segments)
    fields[of.randrange(len(fields))] = of.choice(JUNK)
    return b"\r".join(b"|".join(fields) for fields in segments)


def shuffle(of: random.Random, raw: bytes) -> bytes:
    segments = raw.split(b"\r")
    of.shuffle(segments)
    return b"\r".join(segments)


def twice(of: random.Random, raw: bytes) -> bytes:
    segments = raw.split(b"\r")
    segments.insert(of.randrange(len(segments)), of.choice(segments))
    return b"\r".join(segments)


def other_marks(of: random.Random, raw: bytes) -> bytes:
    marks = of.sample(list(b"|^~\\&#$%!*"), 5)
    return raw.translate(bytes.maketrans(b"|^~\\&", bytes(marks)))


def other_ends(_of: random.Random, raw: bytes) -> bytes:
    return raw.replace(b"\r", b"\r\n")


JUNK = (
    *(b"", b'""', b"|||", b"^^^^", b"~~~", b"\\", b"\\X00\\", b"\\XZZ\\", b"\\E\\F\\", b"&&&"),
    *(b"\x00", b"\xff\xfe", b"\x0b", "ключ".encode(), b"'; drop table x;--", b"%s%n", b"9" * 400),
    *(b"19000101", b"99991231235959", b"20261332", b"20261125+9999", b"-1", b"A" * 5000),
    *(b"\r", b"\n", b"MSH|", b"\rPID|", b"8859/1", b"NaN", "\u202eabc".encode(), b"\x7f\x1b[2J"),
)
MUTATIONS: tuple[Mutation, ...] = (
    *(flip, cut, leave_out, put_in, put_in, other_field, other_field, other_field),
    *(shuffle, twice, other_marks, other_ends),
)


def one(of: random.Random, at: datetime) -> bytes:
    """A good message about one of few persons, or what became of it."""
    event = of.choice(tuple(hl7_writer.STRUCTURES))
    person, other = (str(of.randrange(max(25, COUNT // 40))) for _ in range(2))
    raw = TEMPLATES[event]
    for word, value in (
        *((b"CONTROL", uuid4().hex[:20]), (b"PERSON", f"p{person}"), (b"OTHER", f"p{other}")),
        *((b"VISIT", f"v{person}"), (b"20260101000000+0000", hl7_writer.stamp(at))),
    ):
        raw = raw.replace(word, value.encode())
    for _ in range(of.choice((0, 1, 1, 1, 2, 4))):
        raw = of.choice(MUTATIONS)(of, raw) or b"\r"
    return raw.replace(ENDS_A_BLOCK, b"")


def _template(event: str) -> bytes:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    more = {"mrg_1": "OTHER^^^NORTH^MR"} if event == "A40" else {"pv1_3": "DAY^1", "pv1_36": "07"}
    about = {"visit": "VISIT", "control": "CONTROL", "at": at}
    made = hl7_writer.adt(event, SENDER, person="PERSON", **about, **more)  # type: ignore[arg-type]  # times and texts
    return str(made.to_er7()).encode()


TEMPLATES = {event: _template(event) for event in hl7_writer.STRUCTURES}

# All that a message may change, and what ties it together.
STATE = """
select (select count(*) from admissions), (select count(*) from receipts),
    (select count(*) from outbox), (select count(*) from hl7_names),
    (select coalesce(max(sent_at), 'epoch') from hl7_newest),
    (select md5(string_agg(concat_ws(',', admission_id, status, patient_id, program_id), ';'
        order by admission_id)) from admissions)
"""
# A referral without its visit's name, or an event without its command, would be half a message.
HALVES = """
select (select count(*) from admissions a where not exists (
        select from hl7_names n where n.subject = a.admission_id)),
    (select count(*) from outbox) - (select count(*) from receipts) - (
        select count(*) from outbox where type = 'intake.admissions_merged.v1') / 2,
    (select count(*) from hl7_messages where state = 'applied' and body is not null)
"""


async def test_each_broken_message_is_answered_and_none_is_half_applied(
    pool: asyncpg.Pool, port: int
) -> None:
    of, answers = random.Random(SEED), Counter[str]()
    began = datetime.now(UTC) - timedelta(days=2)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    before = await pool.fetchrow(STATE)
    for number in range(COUNT):
        raw = one(of, began + timedelta(seconds=number))
        writer.write(b"\x0b" + raw + ENDS_A_BLOCK)
        block = await asyncio.wait_for(reader.readuntil(ENDS_A_BLOCK), 20)
        answer = hl7.parse(block[1:-2].decode("ascii"))
        code = str(answer.extract_field("MSA", 1, 1))
        answers[code] += 1
        assert code in {"AA", "AE", "AR"}
        assert "mistake" not in str(answer), (number, raw)
        after = await pool.fetchrow(STATE)
        if code != "AA":
            assert after == before, (number, raw)
            assert answer.extract_field("ERR", 1, 3)
        before = after
    writer.close()

    assert tuple(await pool.fetchrow(HALVES)) == (0, 0, 0)
    assert all(answers[code] > COUNT / 20 for code in ("AA", "AE", "AR")), answers
    told = await pool.fetchval("select count(*) from outbox")
    assert told > COUNT / 50
    print({"messages": COUNT, "seed": SEED, "events": told, **answers})
