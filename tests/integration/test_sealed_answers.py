"""Answers to forms are sealed; what the code before wrote in the clear is sealed later; erasing."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from attendance import consumers, measures, personal, roster, store
from attendance.commands import COMMANDS
from attendance.facts import Admission
from handrail import sites
from handrail.envelope import Received
from handrail.events.intake import PersonErased
from handrail.personal.vault import Vault
from handrail.receipts import Result
from operate import databases
from operate.home import Home
from operate.parts.postgres import Postgres
from tests.integration.kit import pool_of_its_own, vault_of_its_own

NOW, DAY = datetime(2026, 11, 2, 18, tzinfo=UTC), date(2026, 11, 2)
ANSWERS = {str(number): 1 for number in range(1, 8)}
MARK = '{"1": 1'


@pytest.fixture
async def pool(template: tuple[Postgres, Home]) -> AsyncIterator[asyncpg.Pool]:
    databases.migrate(
        databases.url_of(template[0].admin_url(), "attendance", template[1]), "attendance"
    )
    made = await pool_of_its_own(template, "attendance")
    async with made.acquire() as conn:
        await sites.learn(conn, [("north", "UTC", "wall", DAY - timedelta(days=9))])
    yield made
    await asyncio.wait_for(made.close(), 10)


@pytest.fixture
async def vault(template: tuple[Postgres, Home]) -> AsyncIterator[Vault]:
    made = await vault_of_its_own(template, "attendance")
    yield made
    await asyncio.wait_for(made.pool.close(), 10)


async def admitted(pool: asyncpg.Pool) -> UUID:
    person = uuid4()
    async with pool.acquire() as conn:
        await store.save_admissions(conn, [Admission(person, "north", "admitted", DAY)])
    return person


async def answers(pool: asyncpg.Pool, vault: Vault | None, person: UUID) -> Result:
    said = {"do": "record_answers", "instrument": "gad_7", "answers": ANSWERS}
    about = {"admission_id": person, "key": uuid4().hex, "occurred_at": NOW}
    async with pool.acquire() as conn, conn.transaction():
        [result] = await roster.take(conn, COMMANDS.validate_python([said | about]), NOW, vault)
    return result


async def write_plain(pool: asyncpg.Pool, person: UUID, at: datetime = NOW) -> None:
    """As the code before does."""
    sql = """insert into measures (admission_id, instrument, answered_at, answered_on, answers, scores)
        values ($1, 'gad_7', $2, $3, '{"1": 1}', '[]')
        on conflict (admission_id, instrument, answered_at) do update set answers = excluded.answers"""
    await pool.execute(sql, person, at, DAY)


async def shown(pool: asyncpg.Pool, vault: Vault, person: UUID) -> list[object]:
    async with pool.acquire() as conn:
        return [row["answers"] for row in await measures.of_admission(conn, person, vault)]


async def table(pool: asyncpg.Pool) -> str:
    return str(await pool.fetchval("select string_agg(t::text, ' ') from measures t"))


async def erased(pool: asyncpg.Pool, vault: Vault, person: UUID) -> None:
    when = {"occurred_at": NOW, "recorded_at": NOW, "recorded_day": DAY}
    event = PersonErased(site_id="north", admission_id=person, reason="asked_for", **when)
    told = Received(event, uuid4().hex, "intake", person, 1, 1, None, 0, 0)
    async with pool.acquire() as conn, conn.transaction():
        await consumers.on_intake_events(conn, [told], vault)


async def test_answers_are_sealed_and_shown(pool: asyncpg.Pool, vault: Vault) -> None:
    person = await admitted(pool)

    assert (await answers(pool, vault, person)).status == "applied"

    assert MARK not in await table(pool)
    assert await shown(pool, vault, person) == [ANSWERS]


async def test_without_a_vault_answers_are_refused(pool: asyncpg.Pool) -> None:
    result = await answers(pool, None, await admitted(pool))

    assert (result.status, result.code) == ("rejected", "answers_not_taken")
    assert await pool.fetchval("select count(*) from measures") == 0


async def test_what_the_code_before_wrote_is_sealed_in_batches_while_it_goes_on(
    pool: asyncpg.Pool, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(personal, "BATCH", 3)
    people = [await admitted(pool) for _ in range(7)]
    for person in people:
        await write_plain(pool, person)
    assert await shown(pool, vault, people[0]) == [{"1": 1}]

    assert [await personal.seal_some(pool, vault) for _ in range(4)] == [3, 3, 1, 0]
    # It writes the same form again: its answers count, and are sealed in turn.
    await write_plain(pool, people[0])
    assert await personal.seal_some(pool, vault) == 1

    assert MARK not in await table(pool)
    assert [await shown(pool, vault, person) for person in people] == [[{"1": 1}]] * 7


async def test_who_is_erased_has_forms_and_scores_and_no_answers(
    pool: asyncpg.Pool, vault: Vault
) -> None:
    person, other = await admitted(pool), await admitted(pool)
    await answers(pool, vault, person)
    await answers(pool, vault, other)
    before = await pool.fetchval("select sealed from measures where admission_id = $1", person)

    await erased(pool, vault, person)
    await erased(pool, vault, person)

    assert await shown(pool, vault, person) == [None]
    assert await shown(pool, vault, other) == [ANSWERS]
    # An old copy of the row opens no more.
    assert await vault.open(measures.COLUMN, [(person, before)]) == [None]
    assert (await answers(pool, vault, person)).code == "person_erased"
    assert await pool.fetchval("select count(*) from measures where scores <> '[]'") == 2


async def test_a_restore_of_the_data_or_of_the_keys_brings_nobody_back(
    pool: asyncpg.Pool, vault: Vault
) -> None:
    first, second, other = [await admitted(pool) for _ in range(3)]
    for person in (first, second, other):
        await answers(pool, vault, person)
    keys = await vault.pool.fetch("select holder, wrapped, wrapped_by from person_keys")
    await erased(pool, vault, first)
    # The data goes back to before it, and the code before writes besides.
    await pool.execute("update admissions set erased_at = null where admission_id = $1", first)
    await write_plain(pool, first, NOW + timedelta(hours=1))
    # The keys of the second come back, after it was erased.
    await erased(pool, vault, second)
    await vault.pool.execute("delete from person_keys where holder = $1", second)
    await vault.pool.executemany(
        "insert into person_keys (holder, wrapped, wrapped_by) values ($1, $2, $3)",
        [tuple(row) for row in keys if row["holder"] == second],
    )

    await personal.seal_some(pool, vault)

    assert await shown(pool, vault, first) == [None, None]
    assert await shown(pool, vault, other) == [ANSWERS]
    assert set(await vault.erased()) == {first, second}
    assert MARK not in await table(pool)
