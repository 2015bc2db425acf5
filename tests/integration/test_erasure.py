"""Erasing a person over real databases: the keys, what is told, what waits, and what stays."""

from uuid import UUID, uuid4

import pytest

from handrail.desk import store as names
from handrail.personal.vault import Vault
from handrail.receipts import Rejected
from intake.contacts import COLUMN, PERSON, Contact, of_admission
from intake.erasure import Eraser
from intake.store import people
from tests.ear import Ear, listening
from tests.integration.outside import KEY, Outside, missed, today

MARK = Contact(name="Rosalind Ferrymark", phone="555-0142", note="not after nine")


@pytest.fixture
def eraser(vault: Vault) -> Eraser:
    return Eraser(vault, KEY)


async def ended(outside: Outside, **about: object) -> UUID:
    person = await outside.admitted(**about)
    await outside.says("discharge", admission_id=person, reason="completed", discharged_on=today())
    return person


async def noted(outside: Outside, vault: Vault, person: UUID) -> bytes:
    """A contact of the person. Gives it as it lies in the table, and in each backup."""
    content = MARK.model_dump_json(exclude_none=True).encode()
    [sealed] = await vault.seal(COLUMN, [(person, content)])
    sql = "insert into contacts (admission_id, support_id, sealed) values ($1, $2, $3)"
    await outside.pool.execute(sql, person, PERSON, sealed)
    return sealed


async def erase(outside: Outside, eraser: Eraser, person: UUID) -> dict[str, int]:
    async with outside.pool.acquire() as conn, conn.transaction():
        told: dict[str, int] = await eraser.erase(conn, person, "asked_for", "officer")
    return told


async def count(outside: Outside, what: str) -> int:
    return int(await outside.pool.fetchval(f"select count(*) from {what}"))  # noqa: S608


async def test_all_stays_of_a_person_are_erased_once_and_counts_and_the_ledger_stay(
    outside: Outside, vault: Vault, eraser: Eraser
) -> None:
    first, second, other = await ended(outside), await ended(outside), await ended(outside)
    async with outside.pool.acquire() as conn:
        rows = await conn.fetch("select admission_id, patient_id from admissions")
        patient = {row["admission_id"]: row["patient_id"] for row in rows}
        await people.rekey(conn, patient[second], patient[first])
        for subject in (patient[first], second, patient[other]):
            await names.name(conn, uuid4().bytes * 2, subject)
    sealed = [await noted(outside, vault, person) for person in (first, second, other)]
    before = await count(outside, "admissions")

    assert await erase(outside, eraser, second) == {"admissions": 2, "erased": 2}
    assert await erase(outside, eraser, first) == {"admissions": 2, "erased": 0}

    opened = await vault.open(COLUMN, list(zip((first, second, other), sealed, strict=True)))
    assert [content is None for content in opened] == [True, True, False]
    async with outside.pool.acquire() as conn:
        assert await of_admission(conn, first, vault) == []
        [kept] = await of_admission(conn, other, vault)
    assert kept == {"support_id": None, **MARK.model_dump()}
    assert await count(outside, "contacts") == await count(outside, "hl7_names") == 1
    assert await count(outside, "admissions") == before
    assert await count(outside, "outbox where type = 'intake.person_erased.v1'") == 2
    assert await count(outside, "ledger where entry like '%person_erased%'") == 2
    assert (await outside.verified())["trouble"] is None


async def test_who_is_in_care_is_not_erased(outside: Outside, vault: Vault, eraser: Eraser) -> None:
    person = await outside.admitted()
    sealed = await noted(outside, vault, person)

    with pytest.raises(Rejected, match="still_in_care"):
        await erase(outside, eraser, person)

    assert (await vault.open(COLUMN, [(person, sealed)]))[0]
    assert await count(outside, "ledger where entry like '%person_erased%'") == 0


async def test_what_waits_to_be_told_of_an_erased_person_is_kept_back(
    outside: Outside, eraser: Eraser
) -> None:
    with listening(Ear()) as ear:
        await outside.subscribes(ear.address)
        person = await outside.admitted()
        await outside.grants(person)
        ear.status = 503
        await outside.hears(missed(person), missed(person))
        await outside.delivers()
        await outside.says(
            "discharge", admission_id=person, reason="completed", discharged_on=today()
        )
        await erase(outside, eraser, person)
        ear.status = 200
        await outside.hears(missed(person))
        await outside.passes(0.5)
        await outside.delivers()

    assert await outside.states() == ["erased"] * 3
    assert len(ear.heard) == 1
    assert (await outside.verified())["trouble"] is None


async def test_after_a_restore_of_the_data_or_of_the_keys_the_two_agree(
    outside: Outside, vault: Vault, eraser: Eraser
) -> None:
    first, second = await ended(outside), await ended(outside)
    for person in (first, second):
        await noted(outside, vault, person)
    keys = await vault.pool.fetch("select holder, wrapped, wrapped_by from person_keys")
    rows = await outside.pool.fetch("select admission_id, support_id, sealed from contacts")
    for person in (first, second):
        await erase(outside, eraser, person)
    # The data of the first go back, also its open stay; and the keys of the second.
    sql = "update admissions set erased_at = null, status = 'admitted' where admission_id = $1"
    await outside.pool.execute(sql, first)
    sql = "insert into contacts (admission_id, support_id, sealed) values ($1, $2, $3)"
    await outside.pool.executemany(sql, [tuple(row) for row in rows])
    await vault.pool.execute("delete from person_keys where holder = $1", second)
    sql = "insert into person_keys (holder, wrapped, wrapped_by) values ($1, $2, $3)"
    await vault.pool.executemany(sql, [tuple(key) for key in keys if key["holder"] == second])

    for _ in range(2):
        await eraser.agree(outside.pool, lambda: None)

    assert set(await vault.erased()) == {first, second}
    assert await count(outside, f"contacts where admission_id = '{first}'") == 0
    assert await count(outside, "admissions where erased_at is not null") == 2
    assert await count(outside, "ledger where entry like '%restored_backup%'") == 1
