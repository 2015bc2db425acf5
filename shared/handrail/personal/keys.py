"""What wraps the key of each person: a service elsewhere, or a file that holds the wrapping keys."""

import hashlib
from collections.abc import Callable
from typing import Protocol

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from handrail.personal import cipher
from handrail.personal.cipher import CannotBeOpened

LEAST_CHARACTERS = 16


class Keys(Protocol):
    """A key management service: wrapping keys never leave it. `bound` is proved with each key."""

    async def name(self) -> str:
        """The name of the key that wraps now; it is no secret."""
        ...

    async def wrap(self, key: bytes, bound: bytes) -> tuple[str, bytes]:
        """The wrapped key, and the name of what wrapped it."""
        ...

    async def unwrap(self, name: str, wrapped: bytes, bound: bytes) -> bytes:
        """The key again. Raises CannotBeOpened."""
        ...


class FileKeys:
    """Wrapping keys as words of a text, the newest first: it wraps, the others only unwrap.

    The text is read again where a key is wrapped and where a name is not known, so that a key that
    was put in front counts without a restart.
    """

    def __init__(self, text: Callable[[], str]) -> None:
        """`text` reads the setting or the file. Raises ValueError for a key that is too short."""
        self._text = text
        self._read()

    async def name(self) -> str:
        """The newest key's name."""
        self._read()
        return self._newest

    async def wrap(self, key: bytes, bound: bytes) -> tuple[str, bytes]:
        """Wrap with the newest."""
        name = await self.name()
        return name, cipher.close(self._known[name], key, bound)

    async def unwrap(self, name: str, wrapped: bytes, bound: bytes) -> bytes:
        """Unwrap with the key of that name."""
        if name not in self._known:
            self._read()
        if name not in self._known:
            raise CannotBeOpened("the key that wraps this person's key is not among those given")
        return cipher.opened(self._known[name], wrapped, bound)

    def _read(self) -> None:
        words = self._text().split()
        if not words or min(map(len, words)) < LEAST_CHARACTERS:
            raise ValueError("keys of 16 characters at least, with spaces or lines between")
        self._newest = name_of(words[0])
        self._known = {name_of(word): _derived(word, b"wrap") for word in words}


def name_of(word: str) -> str:
    """The name of a wrapping key: it can be compared, and does not lead back to the key."""
    return hashlib.sha256(_derived(word, b"name")).hexdigest()[:16]


def _derived(word: str, purpose: bytes) -> bytes:
    hkdf = HKDF(SHA256(), cipher.KEY_BYTES, salt=None, info=b"handrail/personal/" + purpose)
    return hkdf.derive(word.encode())
