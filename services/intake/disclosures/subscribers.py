"""Who outside wants to be told, for what, and how they are doing."""

import secrets
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import asyncpg
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from handrail import webhooks
from handrail.events.base import Code, SiteId
from handrail.events.care import DataClass, RecipientClass
from handrail.outbound import Network, can_be_named
from handrail.outbox import Connection
from handrail.receipts import Rejected
from intake.disclosures import ledger, messages
from intake.disclosures.backport.kept import MARK
from intake.disclosures.ledger import Entry
from intake.disclosures.topics import Topics, is_topic
from intake.rules.disclosure import TABLE

OLD_SECRET_HOURS = 24

_ADD = """
insert into subscribers (
    subscriber_id, site_id, recipient_class, recipient, purpose, data_classes, url,
    heartbeat_seconds, secret, subject_key, topic
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
on conflict (subscriber_id) do nothing returning secret
"""
_SAME = """
select 1 from subscribers where subscriber_id = $1 and site_id = $2 and recipient_class = $3
    and recipient = $4 and purpose = $5 and data_classes = $6 and url = $7
    and heartbeat_seconds = $8 and state <> 'removed'
"""
_REMOVE = """
update subscribers set state = 'removed' where subscriber_id = $1 and state <> 'removed'
returning 1
"""
_REMOVE_ITS_OWN = """
update subscribers set state = 'removed'
where state <> 'removed'
    and subscriber_id in (select subscription_id from fhir_subscriptions where registered_id = $1)
returning subscriber_id
"""
_FORGET = "delete from deliveries where subscriber_id = any($1::uuid[]) and state = 'waiting'"
_AGAIN = """
update subscribers set state = 'active', next_try_at = now(), failing_since = null, tries = 0
where subscriber_id = $1 and state <> 'removed' and trouble is distinct from 'asked_off'
returning last_sequence
"""
_REPLAY = """
update deliveries set state = 'waiting'
where subscriber_id = $1 and sequence >= $2 and state = 'sent' returning 1
"""
_ROTATE = """
update subscribers
set old_secret = secret, old_until = now() + $3 * interval '1 hour', secret = $2
where subscriber_id = $1
"""
_ADDRESS = """
select url from subscribers where subscriber_id = $1 and state <> 'removed' for update
"""
_KEY = "select subject_key from subscribers where subscriber_id = $1"
_LIST = """
select s.subscriber_id, s.site_id, s.recipient_class, s.recipient, s.purpose, s.data_classes,
    s.state, s.trouble, s.failing_since, s.last_sent_at, s.last_sequence,
    count(d.id) as waiting, min(d.heard_at) as oldest_at
from subscribers s
left join deliveries d on d.subscriber_id = s.subscriber_id and d.state = 'waiting'
where s.state <> 'removed' and ($1::text is null or s.site_id = $1)
group by s.subscriber_id order by s.site_id, s.created_at
"""
_STATUS = """
select count(*) filter (where state = 'active') as active,
    count(*) filter (where state = 'disabled') as disabled,
    count(*) filter (where state = 'active' and failing_since is not null) as failing,
    (select count(*) from deliveries where state = 'waiting') as waiting
from subscribers
"""
_LAW = """
insert into site_laws (site_id, state) values ($1, $2)
on conflict (site_id) do update set state = excluded.state
"""


class Subscriber(BaseModel):
    """A system outside: what kind of recipient it is, what it is told for, and where."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    site_id: SiteId
    recipient_class: RecipientClass
    recipient: Code = Field(description="As consents name it.")
    purpose: Literal["treatment", "payment", "operations", "support", "legal"]
    data_classes: Annotated[tuple[DataClass, ...], Field(min_length=1, max_length=8)]
    url: Annotated[str, StringConstraints(min_length=6, max_length=500, pattern=r"^[!-~]+$")] = (
        Field(description="`https://…`, `mllps://…`, or `kafka:` for a topic of its own.")
    )
    heartbeat_seconds: Annotated[int, Field(ge=1, le=86_400)] = 3600

    def about(self) -> dict[str, Any]:
        """What the ledger keeps of it."""
        return self.model_dump(mode="json", exclude={"url"})


async def put(
    conn: Connection,
    subscriber_id: UUID,
    wanted: Subscriber,
    *,
    key: bytes,
    allowed: tuple[Network, ...],
    topics: Topics,
) -> str | None:
    """Enter a subscriber. Gives its signing secret, or its password at Kafka, this once.

    Raises Rejected for what no consent could ever allow, when the identifier is taken, and where
    Kafka cannot keep a topic for one alone.
    """
    _require_possible(wanted, allowed)
    about = (subscriber_id, *wanted.model_dump().values())
    if await conn.fetchval(_SAME, *about):
        return None
    secret, state = ("", "open") if is_topic(wanted.url) else (webhooks.new_secret(), None)
    if not await conn.fetch(_ADD, *about, secret, secrets.token_bytes(32), state):
        raise Rejected("subscriber_taken", "That identifier is another's.", "subscriber_id")
    if state:
        secret = await topics.enter(subscriber_id)
    await _note(conn, key, "subscriber_entered", subscriber_id, wanted.about())
    return secret


def _require_possible(wanted: Subscriber, allowed: tuple[Network, ...]) -> None:
    row = TABLE.row(wanted.recipient_class)
    if row is None or wanted.purpose not in row.purposes:
        raise Rejected("purpose_not_for_recipient", "See docs/consent.md.", "purpose")
    if TABLE.never(wanted.recipient_class) & set(wanted.data_classes):
        raise Rejected("never_told", "That is never told to such a recipient.", "data_classes")
    if not (is_topic(wanted.url) or _is_address(wanted.url, allowed)):
        raise Rejected(
            "address_not_allowed",
            "An https address without a user name in it, `fhir+` before one, mllps with a port, "
            "or kafka: alone.",
            "url",
        )


def _is_address(url: str, allowed: tuple[Network, ...]) -> bool:
    address = url.removeprefix(MARK)
    return can_be_named(address, allowed) and (address == url or address.startswith("http"))


async def remove(conn: Connection, subscriber_id: UUID, key: bytes) -> None:
    """Tell it nothing any more, nor by its Subscriptions; what waits is dropped.

    Raises Rejected when there is none.
    """
    _require(await conn.fetchval(_REMOVE, subscriber_id))
    made = [row["subscriber_id"] for row in await conn.fetch(_REMOVE_ITS_OWN, subscriber_id)]
    await conn.execute(_FORGET, [subscriber_id, *made])
    await _note(conn, key, "subscriber_removed", subscriber_id, {})


async def send_again(conn: Connection, subscriber_id: UUID, key: bytes) -> None:
    """Try at once, also one that was disabled. Raises Rejected when there is none."""
    _require(await conn.fetchval(_AGAIN, subscriber_id) is not None)
    await _note(conn, key, "subscriber_tried_again", subscriber_id, {})


async def replay(conn: Connection, subscriber_id: UUID, first: int, key: bytes) -> int:
    """Send again from this number on, as far as it may still be told. Gives how many."""
    await send_again(conn, subscriber_id, key)
    count = len(await conn.fetch(_REPLAY, subscriber_id, first))
    await _note(conn, key, "replay_asked", subscriber_id, {"first": first, "messages": count})
    return count


async def rotate(conn: Connection, subscriber_id: UUID, key: bytes, topics: Topics) -> str:
    """A new signing secret, the old one beside it for a day; or a new password in its place."""
    url = await conn.fetchval(_ADDRESS, subscriber_id)
    _require(url)
    if is_topic(url):
        secret = await topics.renew(subscriber_id)
    else:
        secret = webhooks.new_secret()
        await conn.execute(_ROTATE, subscriber_id, secret, OLD_SECRET_HOURS)
    await _note(conn, key, "secret_rotated", subscriber_id, {})
    return secret


async def subject(conn: Connection, subscriber_id: UUID, admission_id: UUID) -> UUID:
    """The name by which this subscriber knows an admission; told to it by the programme."""
    found = await conn.fetchval(_KEY, subscriber_id)
    _require(found)
    return messages.own_name(found, str(admission_id))


async def listed(pool: asyncpg.Pool, site_id: str | None) -> list[dict[str, Any]]:
    """The subscribers, what waits for each since when, and what is wrong. No address, no secret."""
    return [dict(row) for row in await pool.fetch(_LIST, site_id)]


async def status(pool: asyncpg.Pool) -> dict[str, Any]:
    """How many there are and what waits, for the service's status."""
    return dict(await pool.fetchrow(_STATUS))


async def set_law(conn: Connection, site_id: str, state: str, key: bytes) -> None:
    """Whose law a site is under. Raises Rejected for a state that the table does not have."""
    if state not in TABLE.states:
        raise Rejected(
            "state_unknown", "The table has no such state; see docs/consent.md.", "state"
        )
    await conn.execute(_LAW, site_id, state)
    await _note(conn, key, "law_set", None, {"site_id": site_id, "state": state})


async def _note(
    conn: Connection, key: bytes, what: str, subscriber_id: UUID | None, about: dict[str, Any]
) -> None:
    now: datetime = await conn.fetchval("select now()")
    await ledger.append(conn, key, [Entry(what, subscriber_id, None, about)], now)


def _require(found: object) -> None:
    if not found:
        raise Rejected("subscriber_unknown", "No subscriber has that identifier.", "subscriber_id")
