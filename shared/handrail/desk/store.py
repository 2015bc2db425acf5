"""The tables of what other systems send; they are named after HL7, which came first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from handrail.outbox import Connection

# More bad messages than this are answered and not kept.
MOST_KEPT = 10_000
MOST_DUE = 50

_SENDER = """
select source, application, facility, site_id, time_zone, is_outside, terms from hl7_senders
where application = $1 and facility = $2
"""
_SENDER_OF_SOURCE = """
select source, application, facility, site_id, time_zone, is_outside, terms from hl7_senders
where source = $1
"""
_SENDER_OF_CLIENT = """
select s.source, s.application, s.facility, s.site_id, s.time_zone, s.is_outside, s.terms
from fhir_clients c join hl7_senders s using (source) where c.client = $1
"""
_SENDERS = """
select s.source, s.application, s.facility, s.site_id, s.time_zone, s.is_outside, s.terms, c.client
from hl7_senders s left join fhir_clients c using (source) order by s.source
"""
_PUT_SENDER = """
insert into hl7_senders (source, application, facility, site_id, time_zone, is_outside, terms)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (source) do update set application = excluded.application,
    facility = excluded.facility, site_id = excluded.site_id, time_zone = excluded.time_zone,
    is_outside = excluded.is_outside, terms = excluded.terms
"""
_FORGET_CLIENT = "delete from fhir_clients where source = $1"
_PUT_CLIENT = "insert into fhir_clients (client, source) values ($1, $2)"
# Locks the row: of two that bring the same message, the second sees what became of the first.
_ENTER = """
insert into hl7_messages as m (protocol, source, control, digest, kind, state)
values ($1, $2, $3, $4, $5, 'kept')
on conflict (source, control) do update set tries = m.tries
returning message_id, source, state, digest, tries, protocol, heard_at, body
"""
_HOLD = """
select message_id, source, state, digest, tries, protocol, heard_at, body from hl7_messages
where message_id = $1 for update
"""
_IS_THERE = "select true from hl7_messages where message_id = $1"
_PUT_CONTENT = "update hl7_messages set body = $2, about = $3 where message_id = $1"
_SEALED_BEFORE = """
select message_id, body from hl7_messages
where body is not null and get_byte(body, 0) <> $1 and message_id > $2
order by message_id limit $3
"""
_SEAL_ANEW = "update hl7_messages set body = $3 where message_id = $1 and body = $2"
_FORGET = """
update hl7_messages set body = null, subject = null, next_try_at = null,
    settled_at = coalesce(settled_at, now()),
    state = case state when 'kept' then 'dropped' else state end
where about = any($1::uuid[]) and body is not null returning message_id
"""
_FORGET_NOBODYS = """
update hl7_messages set body = null, subject = null, next_try_at = null,
    settled_at = coalesce(settled_at, now()),
    state = case state when 'kept' then 'dropped' else state end
where about is null and body is not null and heard_at < now() - $1 * interval '1 day'
returning message_id
"""
_SETTLE = """
update hl7_messages set state = $2, body = case when $2 = 'applied' then null else body end,
    subject = coalesce($3, subject), error = null, code = null, place = null, tries = tries + 1,
    settled_at = now(), next_try_at = null
where message_id = $1
"""
_KEEP = """
update hl7_messages set error = $2, code = $3, place = $4, subject = coalesce($5, subject),
    tries = tries + 1, next_try_at = now() + $6 * interval '1 second'
where message_id = $1
"""
_NO_ROOM = """
delete from hl7_messages where message_id = $1
    and (select count(*) from (
        select from hl7_messages where state = 'kept' limit $2 + 1
    ) as kept) > $2
"""
_DROP = """
update hl7_messages set state = 'dropped', body = null, settled_at = now(), next_try_at = null
where message_id = $1 and state = 'kept' returning 1
"""
_KEPT = """
select message_id, protocol, source, kind, state, error, code, place, tries, heard_at, next_try_at
from hl7_messages where state = 'kept' order by heard_at, message_id limit $1
"""
_COUNTS = """
select count(*) filter (where next_try_at is null) as to_review,
    count(*) filter (where next_try_at is not null) as waiting,
    min(heard_at) as oldest_at
from hl7_messages where state = 'kept'
"""
_DUE = """
select message_id from hl7_messages where next_try_at <= now() order by next_try_at limit $1
"""
_REST = "update hl7_messages set next_try_at = null where message_id = $1"
_HURRY = """
update hl7_messages set next_try_at = now()
where subject = any($1::bytea[]) and next_try_at is not null
returning 1
"""
# Locks the row, also of what nothing was heard of yet.
_NEWEST = """
insert into hl7_newest as n (name, sent_at) values ($1, '1900-01-01')
on conflict (name) do update set sent_at = n.sent_at
returning sent_at
"""
_LAST_HEARD = "select sent_at from hl7_newest where name = $1"
_HEARD = "update hl7_newest set sent_at = $2 where name = $1"
_FIND = "select subject from hl7_names where name = $1"
_NAME = """
insert into hl7_names (name, subject) values ($1, $2)
on conflict (name) do update set subject = excluded.subject
"""
# Whoever names it first decides; the other waits, and learns.
_NAME_ONCE = """
insert into hl7_names as n (name, subject) values ($1, $2)
on conflict (name) do update set subject = n.subject
returning subject
"""
_RENAME = "update hl7_names set subject = $2 where subject = $1"
_RENAME_ABOUT = "update hl7_messages set about = $2 where about = $1 and body is not null"


@dataclass(frozen=True, slots=True)
class Kept:
    """The row of a message."""

    message_id: UUID
    source: str
    state: str
    digest: bytes
    tries: int
    protocol: str
    heard_at: datetime
    # Sealed; None once it was applied or dropped.
    body: bytes | None = None

    @property
    def is_empty(self) -> bool:
        """Whether its content is still to be kept: it has just come."""
        return self.state == "kept" and self.body is None


@dataclass(frozen=True, slots=True)
class Sender:
    """A system that may send, and how its words are to be taken."""

    source: str
    application: str
    facility: str
    site_id: str
    time_zone: str
    is_outside: bool
    # JSON, of the service's own shape.
    terms: str


async def sender(conn: Connection, application: str, facility: str) -> Sender | None:
    """Who sends under these two names (MSH-3, MSH-4)."""
    row = await conn.fetchrow(_SENDER, application, facility)
    return Sender(*row) if row else None


async def sender_of_source(conn: Connection, source: str) -> Sender | None:
    """The sender with this code of ours."""
    row = await conn.fetchrow(_SENDER_OF_SOURCE, source)
    return Sender(*row) if row else None


async def sender_of_client(conn: Connection, client: str) -> Sender | None:
    """Who sends with tokens of this client."""
    row = await conn.fetchrow(_SENDER_OF_CLIENT, client)
    return Sender(*row) if row else None


async def senders(conn: Connection) -> list[dict[str, Any]]:
    """All of them."""
    return [dict(row) for row in await conn.fetch(_SENDERS)]


async def put_sender(conn: Connection, wanted: Sender, client: str | None = None) -> None:
    """Enter or change one.

    Raises asyncpg.UniqueViolationError where both names, or the client, are another's.
    """
    await conn.execute(_PUT_SENDER, *(getattr(wanted, name) for name in Sender.__slots__))
    await conn.execute(_FORGET_CLIENT, wanted.source)
    if client:
        await conn.execute(_PUT_CLIENT, client, wanted.source)


async def enter(  # as many as the row has parts
    conn: Connection, name: tuple[str, str, bytes], *, digest: bytes, kind: str
) -> Kept:
    """The row of this message, locked; it may have been there before.

    `name` is the dialect, the source and the keyed name of the message.
    """
    return Kept(*await conn.fetchrow(_ENTER, *name, digest, kind))


async def is_there(conn: Connection, message_id: UUID) -> bool:
    """Whether there was room for it."""
    return bool(await conn.fetchval(_IS_THERE, message_id))


async def put_content(
    conn: Connection, message_id: UUID, sealed: bytes, about: UUID | None
) -> None:
    """What it said, sealed, and whom it is about, where that is known."""
    await conn.execute(_PUT_CONTENT, message_id, sealed, about)


async def sealed_before(pool: asyncpg.Pool, version: int, after: UUID) -> list[tuple[UUID, bytes]]:
    """Some contents whose seal does not begin with this byte: the release before sealed them."""
    rows = await pool.fetch(_SEALED_BEFORE, version, after, MOST_DUE)
    return [(row["message_id"], row["body"]) for row in rows]


async def seal_anew(pool: asyncpg.Pool, message_id: UUID, was: bytes, now: bytes) -> None:
    """Another seal over the same content."""
    await pool.execute(_SEAL_ANEW, message_id, was, now)


async def forget(conn: Connection, subjects: Sequence[UUID]) -> list[UUID]:
    """Empty what is kept about these persons; that it came, stays. Gives the messages."""
    return [row["message_id"] for row in await conn.fetch(_FORGET, subjects)]


async def forget_nobodys(pool: asyncpg.Pool, days: int) -> list[UUID]:
    """Empty what has been kept so long about nobody who is known. Gives the messages."""
    return [row["message_id"] for row in await pool.fetch(_FORGET_NOBODYS, days)]


async def hold(conn: Connection, message_id: UUID) -> Kept | None:
    """The row of a message, locked; None where there is none."""
    row = await conn.fetchrow(_HOLD, message_id)
    return Kept(*row) if row else None


async def settle(conn: Connection, message_id: UUID, state: str, subject: bytes | None) -> None:
    """It was applied, or is older than what was applied."""
    await conn.execute(_SETTLE, message_id, state, subject)


async def keep(  # as many as the row has parts
    conn: Connection,
    message_id: UUID,
    why: tuple[int, str, str],
    *,
    subject: bytes | None,
    again_in: float | None,
) -> None:
    """It could not be applied: `why` is the error, our code and the place."""
    await conn.execute(_KEEP, message_id, *why, subject, again_in)
    await conn.execute(_NO_ROOM, message_id, MOST_KEPT)


async def drop(conn: Connection, message_id: UUID) -> bool:
    """Give a kept message up for good."""
    return bool(await conn.fetchval(_DROP, message_id))


async def kept(conn: Connection, limit: int) -> list[dict[str, Any]]:
    """What is kept for review, oldest first, without its content."""
    return [dict(row) for row in await conn.fetch(_KEPT, limit)]


async def status(pool: asyncpg.Pool) -> dict[str, Any]:
    """How many are kept, for the service's status."""
    return dict(await pool.fetchrow(_COUNTS))


async def due(pool: asyncpg.Pool) -> Sequence[UUID]:
    """What is to be tried again now."""
    return [row["message_id"] for row in await pool.fetch(_DUE, MOST_DUE)]


async def rest(pool: asyncpg.Pool, message_id: UUID) -> None:
    """Try it no more by itself."""
    await pool.execute(_REST, message_id)


async def hurry(conn: Connection, subjects: Sequence[bytes]) -> bool:
    """Try again at once what waits for something about the same. True where there is any."""
    return bool(subjects and await conn.fetch(_HURRY, subjects))


async def newest(conn: Connection, name: bytes) -> datetime:
    """When the newest message applied to this was sent, long ago where there is none; locked."""
    found: datetime = await conn.fetchval(_NEWEST, name)
    return found


async def heard(conn: Connection, name: bytes, sent_at: datetime) -> None:
    """A message of that time was applied to this."""
    await conn.execute(_HEARD, name, sent_at)


async def last_heard(conn: Connection, name: bytes) -> datetime | None:
    """The same, not locked; None where nothing was."""
    found: datetime | None = await conn.fetchval(_LAST_HEARD, name)
    return found


async def find(conn: Connection, name: bytes) -> UUID | None:
    """Whom a sender's identifier means."""
    found: UUID | None = await conn.fetchval(_FIND, name)
    return found


async def name(conn: Connection, named: bytes, subject: UUID) -> None:
    """A sender's identifier means this from now on."""
    await conn.execute(_NAME, named, subject)


async def name_once(conn: Connection, named: bytes, subject: UUID) -> UUID:
    """Whom a sender's identifier means; this one, where nobody was named before."""
    found: UUID = await conn.fetchval(_NAME_ONCE, named, subject)
    return found


async def rename(conn: Connection, was: UUID, now: UUID) -> None:
    """All that meant the one means the other."""
    await conn.execute(_RENAME, was, now)
    await conn.execute(_RENAME_ABOUT, was, now)
