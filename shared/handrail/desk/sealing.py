"""Who messages speak of is known by keyed names only."""

import hashlib
import hmac
from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Seal:
    """Made from one key that lies outside the database."""

    def __init__(self, key: bytes) -> None:
        """`key` is never changed: names made by it are stored."""
        self._names = _derived(key, b"names")
        self._bodies = Fernet(urlsafe_b64encode(_derived(key, b"bodies")))

    def name(self, *parts: str) -> bytes:
        """A name that can be compared and not read."""
        joined = "\x1f".join(part.replace("\x1f", " ") for part in parts)
        return hmac.digest(self._names, joined.encode("utf-8", "replace"), hashlib.sha256)

    def open(self, sealed: bytes) -> bytes:
        """What the release before sealed. Raises cryptography.fernet.InvalidToken under another key."""
        return self._bodies.decrypt(sealed)


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"hl7/" + purpose).derive(key)
