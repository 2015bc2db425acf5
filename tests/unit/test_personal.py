"""What is sealed opens with its own key at its own place, and says nothing when it does not."""

from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.personal import cipher
from handrail.personal.cipher import CannotBeOpened, Place
from handrail.personal.keys import FileKeys, name_of

CONTENT = b"Rosalind Ferrymark, 555-0142"
HERE = Place("intake", "contacts.sealed", UUID(int=1))
OLD, NEW = "the-key-of-last-year", "the-key-of-this-year"


@given(st.binary(max_size=300))
def test_what_is_sealed_can_be_opened_again(content: bytes) -> None:
    key = cipher.new_key()

    assert cipher.opened(key, cipher.close(key, content, HERE.bound()), HERE.bound()) == content


def test_the_same_content_is_never_sealed_to_the_same_bytes() -> None:
    key = cipher.new_key()

    sealed = {cipher.close(key, CONTENT, HERE.bound()) for _ in range(50)}

    assert len(sealed) == 50
    assert not any(CONTENT in one or CONTENT[:8] in one for one in sealed)


@pytest.mark.parametrize(
    "place",
    [
        Place("intake", "contacts.sealed", UUID(int=2)),
        Place("intake", "hl7_messages.body", UUID(int=1)),
        Place("attendance", "contacts.sealed", UUID(int=1)),
    ],
    ids=["another person", "another column", "another service"],
)
def test_it_is_refused_at_another_place(place: Place) -> None:
    key = cipher.new_key()
    sealed = cipher.close(key, CONTENT, HERE.bound())

    with pytest.raises(CannotBeOpened) as refused:
        cipher.opened(key, sealed, place.bound())

    assert "Ferrymark" not in repr(refused.getrepr(chain=True))


def test_it_is_refused_with_another_persons_key() -> None:
    sealed = cipher.close(cipher.new_key(), CONTENT, HERE.bound())

    with pytest.raises(CannotBeOpened):
        cipher.opened(cipher.new_key(), sealed, HERE.bound())


def test_a_change_of_any_byte_is_found() -> None:
    key = cipher.new_key()
    sealed = cipher.close(key, CONTENT, HERE.bound())

    for place in range(len(sealed)):
        changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        with pytest.raises(CannotBeOpened):
            cipher.opened(key, changed, HERE.bound())
    for length in range(len(sealed)):
        with pytest.raises(CannotBeOpened):
            cipher.opened(key, sealed[:length], HERE.bound())


async def test_a_key_put_in_front_wraps_without_a_restart_and_the_old_one_still_unwraps(
    tmp_path: Path,
) -> None:
    file, key = tmp_path / "personal.keys", cipher.new_key()
    file.write_text(OLD)
    keys = FileKeys(file.read_text)
    name, wrapped = await keys.wrap(key, b"one person")

    file.write_text(f"{NEW}\n{OLD}\n")

    assert name == name_of(OLD)
    assert await keys.unwrap(name, wrapped, b"one person") == key
    again = await keys.wrap(key, b"one person")
    assert again[0] == await keys.name() == name_of(NEW)
    assert await keys.unwrap(*again, b"one person") == key


async def test_another_persons_wrapped_key_is_refused_and_so_is_one_of_an_unknown_wrapping_key() -> (
    None
):
    keys = FileKeys(lambda: OLD)
    name, wrapped = await keys.wrap(cipher.new_key(), b"one person")

    with pytest.raises(CannotBeOpened):
        await keys.unwrap(name, wrapped, b"another person")
    with pytest.raises(CannotBeOpened, match="not among those given"):
        await FileKeys(lambda: NEW).unwrap(name, wrapped, b"one person")


@pytest.mark.parametrize("text", ["", "short", f"{NEW} short"])
def test_a_wrapping_key_that_is_too_short_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="16 characters"):
        FileKeys(lambda: text)
