"""Sign-ins and sessions: what the browser holds is random, what the database holds is its hash."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from alerts.page.access import ROLES, Member, NotSignedIn
from alerts.page.oidc import Begun, Identity
from handrail.outbox import Connection

SIGN_IN_MINUTES = 10

_BEGIN = """
insert into sign_ins (hidden_state, hidden_cookie, nonce, verifier, goes_to)
values ($1, $2, $3, $4, $5)
"""
_SWEEP = """
with old as (delete from sign_ins where begun_at < now() - $1::interval)
delete from sign_in_sessions where ends_at < now()
"""
_TAKE = """
delete from sign_ins where hidden_state = $1 and hidden_cookie = $2
returning nonce, verifier, goes_to, begun_at > now() - $3::interval as fresh
"""
_OPEN = """
insert into sign_in_sessions (hidden_id, subject, role, programs, forms, ends_at)
values ($1, $2, $3, $4, $5, now() + $6::interval)
"""
# A touch is written once a minute at most.
_TOUCH = """
with found as (
    select hidden_id, subject, role, programs, forms, seen_at from sign_in_sessions
    where hidden_id = $1 and ends_at > now() and seen_at > now() - $2::interval
), touched as (
    update sign_in_sessions s set seen_at = now() from found f
    where s.hidden_id = f.hidden_id and $3 and f.seen_at < now() - least($2 / 4, interval '1 minute')
)
select hidden_id, subject, role, programs, forms from found
"""
_GOING_ON = """
select hidden_id from sign_in_sessions
where hidden_id = any($1::bytea[]) and ends_at > now() and seen_at > now() - $2::interval
"""
_CLOSE = "delete from sign_in_sessions where hidden_id = $1"


@dataclass(frozen=True, slots=True)
class Taken:
    """A sign-in that came back from the provider."""

    nonce: str
    verifier: str
    goes_to: str


def hidden(secret: str) -> bytes:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode()).digest()


async def begin(conn: Connection, begun: Begun, cookie: str, goes_to: str) -> None:
    """Keep a sign-in until the provider sends the browser back; drop what is over."""
    await conn.execute(_SWEEP, timedelta(minutes=SIGN_IN_MINUTES))
    await conn.execute(
        _BEGIN, hidden(begun.state), hidden(cookie), begun.nonce, begun.verifier, goes_to
    )


async def take(conn: Connection, state: str, cookie: str) -> Taken | None:
    """The sign-in with this state, begun in this browser; it can be taken once."""
    minutes = timedelta(minutes=SIGN_IN_MINUTES)
    row = await conn.fetchrow(_TAKE, hidden(state), hidden(cookie), minutes)
    return Taken(row["nonce"], row["verifier"], row["goes_to"]) if row and row["fresh"] else None


async def start(conn: Connection, identity: Identity, hours: float) -> str:
    """Start a session; gives the secret for the browser."""
    secret = secrets.token_urlsafe(32)
    programs = None if identity.programs is None else list(identity.programs)
    await conn.execute(
        _OPEN,
        hidden(secret),
        identity.subject,
        identity.role,
        programs,
        secrets.token_urlsafe(24),
        timedelta(hours=hours),
    )
    return secret


async def member(
    conn: Connection, secret: str | None, idle: timedelta, *, touch: bool = True
) -> Member:
    """Who holds this secret. Raises NotSignedIn. `touch` counts as a sign of life."""
    row = await conn.fetchrow(_TOUCH, hidden(secret), idle, touch) if secret else None
    if row is None or row["role"] not in ROLES:
        raise NotSignedIn
    programs = None if row["programs"] is None else tuple(row["programs"])
    return Member(row["hidden_id"], row["subject"], row["role"], programs, row["forms"])


async def going_on(conn: Connection, hidden_ids: list[bytes], idle: timedelta) -> set[bytes]:
    """Which of these sessions are not over."""
    return {row["hidden_id"] for row in await conn.fetch(_GOING_ON, hidden_ids, idle)}


async def end(conn: Connection, hidden_id: bytes) -> None:
    """Sign out."""
    await conn.execute(_CLOSE, hidden_id)
