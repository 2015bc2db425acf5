"""The key under which a browser keeps what was typed and not sent: one a person and roster."""

import hashlib
import hmac
import secrets
from base64 import b64encode

from alerts.page.access import Member
from handrail.outbox import Connection

_MAKE = "insert into seals (name, secret) values ('rosters', $1) on conflict do nothing"
_FIND = "select secret from seals where name = 'rosters'"


async def seal(conn: Connection, member: Member, about: str) -> str:
    """256 bits in base64; the browser is given them only while `member` is signed in."""
    secret = await conn.fetchval(_FIND)
    if secret is None:
        await conn.execute(_MAKE, secrets.token_bytes(32))
        secret = await conn.fetchval(_FIND)
    words = f"{member.subject}\n{about}".encode()
    return b64encode(hmac.digest(secret, words, hashlib.sha256)).decode()
