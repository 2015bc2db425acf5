"""Rows of messages of other systems go after a while, and a message is applied once all the same."""

from datetime import UTC, datetime

from handrail.desk import pruning, store
from handrail.desk.contents import Contents
from handrail.desk.desk import Desk
from handrail.desk.sealing import Seal
from handrail.desk.store import Sender
from handrail.hl7.dialect import Hl7, Part
from handrail.personal.vault import Vault
from intake import adt
from intake.adt import visits
from operate.home import Home
from operate.parts.postgres import Postgres
from tests import hl7_writer
from tests.integration.kit import pool_of_its_own

NAMES = ("EHR", "NORTH")
LATER = "update hl7_messages set settled_at = settled_at - interval '91 days'"
COUNTS = "select (select count(*) from outbox), (select count(*) from admissions)"
STATES = "select state from hl7_messages order by state"


def message(event: str, **about: str) -> bytes:
    at = datetime(2026, 11, 2, 9, 0, int(event[1:]), tzinfo=UTC)
    made = hl7_writer.adt(event, NAMES, person="p1", at=at, **about)  # type: ignore[arg-type]  # texts
    return str(made.to_er7()).encode()


async def test_a_settled_message_is_forgotten_and_its_repeat_changes_nothing(
    template: tuple[Postgres, Home], vault: Vault
) -> None:
    pool = await pool_of_its_own(template, "intake")
    sender = Sender("ehr", *NAMES, "north", "America/New_York", is_outside=False, terms="{}")
    async with pool.acquire() as conn:
        await store.put_sender(conn, sender)
    part = Part("ADT", frozenset(visits.BY_EVENT), visits.subject, adt.apply, adt.moment)
    seal = Seal(b"a key of this test")
    contents = Contents(vault, seal)
    spoken = Hl7(Desk(pool, seal, contents), part)
    said = [message("A04", visit="v1"), message("A11", visit="v1")]
    for raw in said:
        assert b"MSA|AA" in await spoken.answer(raw)
    assert b"MSA|AE" in await spoken.answer(message("A03", visit="nobody's"))
    after = await pool.fetchrow(COUNTS)
    assert await pruning.forget(pool, 90, contents) == 0

    await pool.execute(LATER)
    assert await pruning.forget(pool, 90, contents) == 2
    assert [row["state"] for row in await pool.fetch(STATES)] == ["kept"]
    for raw in said:
        assert b"MSA|AA" in await spoken.answer(raw)
    assert await pool.fetchrow(COUNTS) == after
    await pool.close()
