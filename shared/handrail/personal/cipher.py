"""AES-256-GCM, with each text bound to its place: another person's, column's or service's is refused."""

import os
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES, _TAG_BYTES = 12, 16
# The first byte of everything sealed.
VERSION = b"\x01"


class CannotBeOpened(Exception):
    """It was changed, or sealed under another key or for another place. Says nothing of the content."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed field stands: the service, `table.column`, and whose it is."""

    service: str
    column: str
    holder: UUID

    def bound(self) -> bytes:
        """The words that are proved with the content, and not kept with it."""
        return f"{self.service}\x1f{self.column}\x1f{self.holder.hex}".encode()


def new_key() -> bytes:
    """32 random bytes."""
    return AESGCM.generate_key(KEY_BYTES * 8)


def close(key: bytes, content: bytes, bound: bytes) -> bytes:
    """`content` sealed: a version, 12 random bytes, the ciphertext and its tag."""
    nonce = os.urandom(_NONCE_BYTES)
    return VERSION + nonce + AESGCM(key).encrypt(nonce, content, VERSION + bound)


def opened(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    """The content. Raises CannotBeOpened."""
    if sealed[:1] != VERSION or len(sealed) < 1 + _NONCE_BYTES + _TAG_BYTES:
        raise CannotBeOpened("it is not sealed as this release seals")
    nonce, rest = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, rest, VERSION + bound)
    except InvalidTag:
        raise CannotBeOpened("it was changed, or is of another key or place") from None
