"""What a kept message says: sealed with a key of its own, which goes with it or with its person."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from handrail.desk import store
from handrail.desk.contents import COLUMN, Contents
from handrail.desk.desk import Desk
from handrail.desk.sealing import Seal
from handrail.desk.store import Sender
from handrail.hl7.dialect import Hl7, Part
from handrail.personal.vault import Vault
from handrail.receipts import Rejected
from intake import adt
from intake.adt import visits
from intake.adt.terms import Place, Terms
from intake.erasure import Eraser
from tests import hl7_writer
from tests.integration.kit import Kit
from tests.integration.outside import KEY

EHR, MARK = ("EHR", "NORTH"), b"Canary^Quill"
SEAL = Seal(b"a key of this test")


@dataclass
class Register:
    """A register that speaks to intake's desk."""

    pool: asyncpg.Pool
    vault: Vault
    desk: Desk
    spoken: Hl7

    async def says(self, event: str, visit: str, **more: Any) -> str:
        message = hl7_writer.adt(event, EHR, person="p1", visit=visit, **more)
        answer = await self.spoken.answer(message.to_er7().encode())
        return hl7_writer.code(hl7_writer.read(answer))

    async def kept(self) -> tuple[UUID, bytes | None]:
        """The last message that came."""
        sql = "select message_id, body from hl7_messages order by heard_at desc limit 1"
        return tuple(await self.pool.fetchrow(sql))

    async def column(self) -> str:
        return str(await self.pool.fetchval("select string_agg(m::text, ' ') from hl7_messages m"))


@pytest.fixture
async def register(kit: Kit, vault: Vault) -> Register:
    place = Place(program_id="iop-day", weekly_minutes=540, sessions_per_week=3)
    terms = Terms(place=place).model_dump_json()
    async with kit.pool.acquire() as conn:
        sender = Sender("ehr", *EHR, "north", "UTC", is_outside=False, terms=terms)
        await store.put_sender(conn, sender)
    desk = Desk(kit.pool, SEAL, Contents(vault, SEAL))
    events = frozenset(visits.BY_EVENT)
    part = Part("ADT", events, visits.subject, adt.apply, adt.moment, whom=visits.whom)
    return Register(kit.pool, vault, desk, Hl7(desk, part))


async def test_what_is_kept_is_sealed_until_it_is_applied_and_an_old_copy_opens_no_more(
    register: Register,
) -> None:
    assert await register.says("A03", "v1", pv1_36="01") == "AE"
    message, sealed = await register.kept()
    assert sealed
    assert MARK.hex() not in await register.column()
    assert MARK in (await register.desk.content(message))[0]

    earlier = datetime.now(UTC) - timedelta(minutes=10)
    assert await register.says("A01", "v1", at=earlier) == "AA"
    assert (await register.desk.redrive(message))["state"] == "applied"

    assert await register.vault.counts() == {"keys": {}, "erased": 0}
    assert await register.vault.open(COLUMN, [(message, sealed)]) == [None]


async def test_what_is_dropped_takes_its_key_along(register: Register) -> None:
    await register.spoken.answer(b"MSH|^~\\&|EHR|NORTH\rPID|1||||Canary^Quill")
    message, sealed = await register.kept()
    assert MARK in (await register.desk.content(message))[0]

    await register.desk.drop(message)

    assert await register.vault.open(COLUMN, [(message, sealed)]) == [None]
    with pytest.raises(Rejected, match="message_unknown"):
        await register.desk.content(message)


async def test_what_the_release_before_sealed_still_opens_and_is_sealed_anew(
    register: Register,
) -> None:
    await register.says("A03", "v1", pv1_36="01")
    message, _ = await register.kept()
    sql = "update hl7_messages set body = $2 where message_id = $1"
    await register.pool.execute(sql, message, SEAL._bodies.encrypt(MARK))
    assert (await register.desk.content(message))[0] == MARK

    await register.desk.contents.tidy(register.pool)

    _, anew = await register.kept()
    assert await register.vault.open(COLUMN, [(message, anew)]) == [MARK]


async def test_what_is_kept_of_a_person_is_erased_with_them_and_what_is_nobodys_after_a_month(
    register: Register,
) -> None:
    assert await register.says("A04", "v1") == "AA"
    assert await register.says("A11", "v1") == "AA"
    assert await register.says("A03", "v2", pv1_36="01") == "AE"
    theirs = await register.kept()
    nobodys = hl7_writer.adt("A03", EHR, person="p9", visit="v9", pv1_36="01")
    await register.spoken.answer(nobodys.to_er7().encode())
    other = await register.kept()
    [admission] = await register.pool.fetch("select admission_id from admissions")

    async with register.pool.acquire() as conn, conn.transaction():
        await Eraser(register.vault, KEY).erase(conn, admission[0], "asked_for", "officer")

    fields: Any = [theirs, other]
    opened = await register.vault.open(COLUMN, fields)
    assert [bool(content) for content in opened] == [False, True]
    assert [row["state"] for row in await _states(register)] == ["applied"] * 2 + [
        "dropped",
        "kept",
    ]

    sql = "update hl7_messages set heard_at = now() - interval '31 days' where message_id = $1"
    await register.pool.execute(sql, other[0])
    await register.desk.contents.tidy(register.pool)
    assert await register.vault.open(COLUMN, fields) == [None, None]


async def _states(register: Register) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await register.pool.fetch(
        "select state from hl7_messages order by heard_at"
    )
    return rows
