"""The vault over a real database of keys: made once, wrapped anew, and destroyed for good."""

import asyncio
from uuid import uuid4

import pytest

from handrail.personal.cipher import CannotBeOpened
from handrail.personal.keys import FileKeys
from handrail.personal.vault import Vault
from handrail.receipts import Rejected
from operate.home import Home
from operate.parts.postgres import Postgres
from tests.integration.kit import vault_of_its_own

COLUMN = "contacts.sealed"


async def test_each_person_has_one_key_also_when_two_ask_at_once(vault: Vault) -> None:
    person, other = uuid4(), uuid4()

    sealed = await asyncio.gather(
        *(vault.seal(COLUMN, [(person, b"a"), (other, b"b"), (person, b"c")]) for _ in range(8))
    )

    for one in sealed:
        fields = [(person, one[0]), (other, one[1]), (person, one[2]), (person, None)]
        assert await vault.open(COLUMN, fields) == [b"a", b"b", b"c", None]
    assert sum((await vault.counts())["keys"].values()) == 2
    with pytest.raises(CannotBeOpened):
        await vault.open(COLUMN, [(other, sealed[0][0])])


async def test_what_is_erased_opens_no_more_and_gets_no_new_key(vault: Vault) -> None:
    person, other, nobody = uuid4(), uuid4(), uuid4()
    [sealed, kept] = await vault.seal(COLUMN, [(person, b"a"), (other, b"b")])

    await vault.erase([person, nobody])
    await vault.erase([person])

    assert await vault.open(COLUMN, [(person, sealed), (other, kept)]) == [None, b"b"]
    assert set(await vault.erased()) == {person, nobody}
    for one in (person, nobody):
        with pytest.raises(Rejected, match="person_erased"):
            await vault.seal(COLUMN, [(one, b"again")])
    left = await vault.pool.fetch("select wrapped from person_keys where holder = $1", person)
    assert [row["wrapped"] for row in left] == [None]
    await vault.drop([person])
    assert person in await vault.erased()


async def test_all_keys_are_wrapped_anew_and_then_the_old_wrapping_key_is_not_needed(
    template: tuple[Postgres, Home],
) -> None:
    words = ["the-key-of-last-year"]
    keys = FileKeys(lambda: " ".join(words))
    vault = await vault_of_its_own(template, "intake", keys)
    people = [uuid4() for _ in range(20)]
    sealed = await vault.seal(COLUMN, [(person, b"a") for person in people])
    gone = people.pop()
    sealed.pop()
    await vault.erase([gone])

    words.insert(0, "the-key-of-this-year")
    assert await vault.rewrap() == 19
    assert await vault.rewrap() == 0

    words.pop()
    after = Vault("intake", vault.pool, FileKeys(lambda: " ".join(words)))
    assert await after.open(COLUMN, list(zip(people, sealed, strict=True))) == [b"a"] * 19
    assert await after.counts() == {"keys": {await keys.name(): 19}, "erased": 1}
    await vault.pool.close()
