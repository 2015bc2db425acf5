"""Subscriptions that a registered subscriber makes, changes and ends for itself.

A registration says to whom, for what and of which classes of data: no Subscription widens it.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from handrail import webhooks
from handrail.fhir.asked import uuid_of
from handrail.outbound import Network, can_be_named
from handrail.outbox import Connection
from handrail.receipts import Rejected
from intake.disclosures import ledger, subscribers
from intake.disclosures.backport.asked import Wanted, is_under
from intake.disclosures.backport.kept import MARK
from intake.disclosures.ledger import Entry

MOST = 20
# A quiet subscriber that wants no heartbeat is looked at so often.
QUIET_SECONDS = 86_400

_REGISTERED = """
select subscriber_id, url from subscribers
where subscriber_id = $1 and state <> 'removed' and starts_with(url, 'fhir+')
    and not exists (select from fhir_subscriptions where subscription_id = $1)
for update
"""
_COUNT = """
select count(*) from fhir_subscriptions f join subscribers s on s.subscriber_id = f.subscription_id
where f.registered_id = $1 and s.state <> 'removed'
"""
_ADD_QUEUE = """
insert into subscribers (
    subscriber_id, site_id, recipient_class, recipient, purpose, data_classes, url,
    heartbeat_seconds, secret, subject_key
)
select $2, site_id, recipient_class, recipient, purpose, data_classes, $3, $4, $5, subject_key
from subscribers where subscriber_id = $1
"""
_ADD = """
insert into fhir_subscriptions (
    subscription_id, registered_id, base, headers, topic, subjects, content, has_heartbeat,
    timeout_seconds, max_count, end_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
_OWN = """
select f.subscription_id, f.headers, f.is_answered, s.url, s.state from fhir_subscriptions f
join subscribers s on s.subscriber_id = f.subscription_id
where f.subscription_id = $1 and f.registered_id = $2 and s.state <> 'removed'
for update
"""
_CHANGE = """
update fhir_subscriptions set is_answered = $2, base = $3, headers = $4, topic = $5,
    subjects = $6, content = $7, has_heartbeat = $8, timeout_seconds = $9, max_count = $10,
    end_at = $11
where subscription_id = $1
"""
_CHANGE_QUEUE = """
update subscribers set url = $2, heartbeat_seconds = $3, state = $4, trouble = $5,
    tries = 0, failing_since = null, next_try_at = now()
where subscriber_id = $1
"""


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, under which address of ours, with the ledger's key and the networks allowed."""

    client: str | None
    base: str
    key: bytes
    allowed: tuple[Network, ...] = ()


async def make(conn: Connection, by: Asking, wanted: Wanted) -> UUID:
    """A Subscription for the registered subscriber that a token names. Raises Rejected."""
    registered = await _registered(conn, by.client)
    _require_address(wanted, registered["url"], by.allowed)
    if wanted.is_off:
        raise Rejected("status_not_usable", "A new one is `requested`.", "Subscription.status")
    if await conn.fetchval(_COUNT, registered["subscriber_id"]) >= MOST:
        raise Rejected("too_many", f"At most {MOST} at a time; delete one.", "Subscription")
    made, secret = uuid4(), webhooks.new_secret()
    owner = registered["subscriber_id"]
    seconds = wanted.heartbeat_seconds or QUIET_SECONDS
    await conn.execute(_ADD_QUEUE, owner, made, MARK + wanted.endpoint, seconds, secret)
    await conn.execute(_ADD, made, owner, by.base, list(wanted.headers or ()), *_columns(wanted))
    await _note(conn, by.key, "subscription_made", made, owner, wanted)
    return made


async def change(conn: Connection, subscription_id: str, by: Asking, wanted: Wanted) -> None:
    """Replace what it asked for. A new address answers a handshake first. Raises Rejected."""
    registered = await _registered(conn, by.client)
    _require_address(wanted, registered["url"], by.allowed)
    owner = registered["subscriber_id"]
    before = await _own(conn, subscription_id, owner)
    made, url = before["subscription_id"], MARK + wanted.endpoint
    # They are shown to nobody, so who sends back what was read says nothing of them.
    headers = list(before["headers"] if wanted.headers is None else wanted.headers)
    # Whoever was away, or was moved, shows first that it is there.
    stays = before["state"] == "active" and before["url"] == url and before["is_answered"]
    await conn.execute(_CHANGE, made, stays, by.base, headers, *_columns(wanted))
    state, trouble = ("disabled", "asked_off") if wanted.is_off else ("active", None)
    seconds = wanted.heartbeat_seconds or QUIET_SECONDS
    await conn.execute(_CHANGE_QUEUE, made, url, seconds, state, trouble)
    await _note(conn, by.key, "subscription_changed", made, owner, wanted)


async def remove(conn: Connection, subscription_id: str, by: Asking) -> None:
    """Tell it nothing any more; what waits is dropped. Raises Rejected when it is not the caller's."""
    registered = await _registered(conn, by.client)
    before = await _own(conn, subscription_id, registered["subscriber_id"])
    await subscribers.remove(conn, before["subscription_id"], by.key)


async def _own(conn: Connection, subscription_id: str, owner: UUID) -> Any:
    """A Subscription of this registration. Raises Rejected for any other."""
    found = await conn.fetchrow(_OWN, uuid_of(subscription_id), owner)
    if found is None:
        raise Rejected("subscription_unknown", "There is no such Subscription of yours.", "id")
    return found


async def _registered(conn: Connection, client: str | None) -> Any:
    found = await conn.fetchrow(_REGISTERED, uuid_of(client or ""))
    if found is None:
        raise Rejected(
            "registration_unknown",
            "The privacy officer enters a subscriber with an address that begins with `fhir+`; "
            "the token's client_id is that subscriber's identifier.",
        )
    return found


def _require_address(wanted: Wanted, registered: str, allowed: tuple[Network, ...]) -> None:
    lies_there = is_under(wanted.endpoint, registered.removeprefix(MARK))
    if not lies_there or not can_be_named(wanted.endpoint, allowed):
        raise Rejected(
            "address_not_allowed",
            "Only an address below the one that was registered.",
            "Subscription.channel.endpoint",
        )


def _columns(wanted: Wanted) -> tuple[Any, ...]:
    """What it asks for, in the order of both statements."""
    subjects = None if wanted.subjects is None else list(wanted.subjects)
    beats, most = wanted.heartbeat_seconds is not None, wanted.max_count
    return (
        wanted.topic, subjects, wanted.content, beats, wanted.timeout_seconds, most, wanted.end_at
    )  # fmt: skip


async def _note(  # the ledger's row has as many parts
    conn: Connection, key: bytes, what: str, made: UUID, owner: UUID, wanted: Wanted
) -> None:
    said = {
        "registered_id": owner,
        "topic": wanted.topic,
        "content": wanted.content,
        "subjects": None if wanted.subjects is None else len(wanted.subjects),
        "is_off": wanted.is_off,
    }
    now = await conn.fetchval("select now()")
    await ledger.append(conn, key, [Entry(what, made, None, said)], now)
