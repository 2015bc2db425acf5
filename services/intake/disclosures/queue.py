"""What waits for each subscriber: decided when it is taken, and settled with its ledger row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

import asyncpg
import orjson

from handrail.outbound import Outcome
from handrail.outbox import Connection
from handrail.webhooks import RETRY_DAYS, pause_after
from intake.disclosures import ledger, messages, spoken
from intake.disclosures.backport import kept as subscriptions
from intake.disclosures.backport import notified
from intake.disclosures.backport.kept import Kept
from intake.disclosures.decided import Decided, about, about_told, decisions
from intake.disclosures.ledger import Entry

LEASE_SECONDS = 60
AT_ONCE = 50

_DUE = """
select s.subscriber_id from subscribers s
left join fhir_subscriptions f on f.subscription_id = s.subscriber_id
where s.state = 'active' and s.next_try_at <= now()
    and (s.held_until is null or s.held_until < now())
    -- Who subscribes by FHIR is told by its Subscriptions alone.
    and (f.subscription_id is not null or not starts_with(s.url, 'fhir+'))
    and (
        not f.is_answered or f.end_at <= now()
        or exists (select from deliveries d
                where d.subscriber_id = s.subscriber_id and d.state = 'waiting')
        or coalesce(s.last_sent_at, s.created_at)
            <= now() - s.heartbeat_seconds * interval '1 second'
    )
"""
_HOLD = """
update subscribers set holder = $2, held_until = now() + $3 * interval '1 second'
where subscriber_id = (
    select subscriber_id from subscribers
    where subscriber_id = $1 and state = 'active' and next_try_at <= now()
        and (holder = $2 or held_until is null or held_until < now())
    for update skip locked
)
returning subscriber_id, site_id, recipient_class, recipient, purpose, data_classes, url, secret,
    case when old_until > now() then old_secret end as old_secret, subject_key, last_sequence,
    tries, now() as now,
    coalesce(last_sent_at, created_at) <= now() - heartbeat_seconds * interval '1 second' as is_quiet
"""
_RELEASE = "update subscribers set held_until = null where subscriber_id = $1 and holder = $2"
_NEXT = """
select d.id, d.delivery_id, d.admission_id, d.type, d.data, d.sequence, d.trying, d.unconfirmed
from deliveries d where d.subscriber_id = $1 and d.state = 'waiting' order by d.id limit $2
"""
_WITHHOLD = """
update deliveries as d set state = 'withheld', reason = t.reason, data = null, trying = false,
    settled_at = now()
from unnest($1::bigint[], $2::text[]) as t (id, reason) where d.id = t.id
"""
_QUIET = "update subscribers set last_sent_at = now() where subscriber_id = $1"
_TRY = "update deliveries set trying = true where id = $1"
_IS_HELD = "select 1 from subscribers where subscriber_id = $1 and holder = $2 for update"
_SENT = """
update deliveries set state = 'sent', sequence = $2, trying = false, reason = null,
    settled_at = now()
where id = $1
"""
_GOOD = """
update subscribers set last_sequence = greatest(last_sequence, $2), last_sent_at = now(),
    tries = 0, failing_since = null, trouble = null
where subscriber_id = $1
"""
_NOT_SENT = "update deliveries set trying = false, unconfirmed = unconfirmed or $2 where id = $1"
_BAD = """
update subscribers set tries = tries + 1, trouble = $2, held_until = null,
    failing_since = coalesce(failing_since, now()),
    next_try_at = now() + $3 * interval '1 second',
    state = case when $2 = 'gone' or failing_since < now() - $4 * interval '1 day'
        then 'disabled' else state end
where subscriber_id = $1 returning state
"""


@dataclass(frozen=True, slots=True)
class Message:
    """One message under way; a heartbeat and a handshake have no row. `kept` is its Subscription."""

    subscriber_id: UUID
    url: str
    secrets: tuple[str, ...]
    tries: int
    key: UUID
    sequence: int
    body: bytes
    # The subscriber's own name of whom it is about; a heartbeat is about nobody.
    subject: UUID | None = None
    row: int | None = None
    unconfirmed: bool = False
    entry: Entry | None = None
    kept: Kept | None = None
    # What it names that can be read from then on.
    names: tuple[UUID, ...] = ()


async def due(pool: asyncpg.Pool) -> list[UUID]:
    """The subscribers for whom something can be done now."""
    return [row["subscriber_id"] for row in await pool.fetch(_DUE)]


async def take(conn: Connection, subscriber_id: UUID, holder: UUID, key: bytes) -> Message | None:
    """The next message that may leave now; what may not is kept back for good.

    None when there is nothing to send, or when another courier has this subscriber.
    """
    held = await conn.fetchrow(_HOLD, subscriber_id, holder, LEASE_SECONDS)
    if held is None:
        return None
    kept = await subscriptions.kept(conn, subscriber_id, held["url"])
    if kept and kept.is_over(held["now"]):
        await subscriptions.end(conn, subscriber_id)
        return None
    if kept and not kept.is_answered:
        return _without_row(held, kept, "handshake")
    while rows := await conn.fetch(_NEXT, subscriber_id, AT_ONCE):
        chosen, kept_back = await _sort(conn, held, rows, kept)
        if kept_back:
            ids, reasons = [row["id"] for row, _ in kept_back], [why for _, why in kept_back]
            await conn.execute(_WITHHOLD, ids, reasons)
            cut_short = [row for row, _ in kept_back if row["trying"] and not row["unconfirmed"]]
            entries = [_cut_short(held, row) for row in cut_short]
            await ledger.append(conn, key, entries, held["now"])
        if chosen:
            await conn.execute(_TRY, chosen.row)
            if kept and chosen.row and chosen.names:
                # Before it is sent: a receiver may read what it names and answer afterwards.
                await subscriptions.name(conn, kept, chosen.names, chosen.row)
            return chosen
    if held["is_quiet"] and (spoken.is_spoken(held["url"]) or (kept and not kept.has_heartbeat)):
        # HL7 has no heartbeat that every receiver takes: a gap is seen by MSH-13.
        await conn.execute(_QUIET, subscriber_id)
    elif held["is_quiet"]:
        return _without_row(held, kept, "heartbeat")
    await conn.execute(_RELEASE, subscriber_id, holder)
    return None


async def settle(
    conn: Connection, message: Message, outcome: Outcome, holder: UUID, key: bytes
) -> str:
    """Note what became of a try, with its ledger row. Gives the subscriber's state then."""
    if not await conn.fetchval(_IS_HELD, message.subscriber_id, holder):
        return "lost"
    now: datetime = await conn.fetchval("select now()")
    entry = message.entry
    if outcome.trouble is None:
        if entry:
            await conn.execute(_SENT, message.row, message.sequence)
            await ledger.append(conn, key, [entry], now)
        await conn.execute(_GOOD, message.subscriber_id, message.sequence)
        if message.kept and not message.kept.is_answered:
            await subscriptions.answered(conn, message.subscriber_id, message.url)
        return "good"
    if entry:
        await conn.execute(_NOT_SENT, message.row, outcome.reached)
        if outcome.reached and not message.unconfirmed:
            perhaps = Entry("unconfirmed", entry.subscriber_id, entry.admission_id, entry.about)
            await ledger.append(conn, key, [perhaps], now)
    pause = pause_after(message.tries + 1)
    state: str = await conn.fetchval(
        _BAD, message.subscriber_id, outcome.trouble, pause, RETRY_DAYS
    )
    return state


async def _sort(
    conn: Connection, held: Any, rows: Sequence[Any], kept: Kept | None
) -> tuple[Message | None, list[tuple[Any, str]]]:
    """The first row that may leave, and those before it that may not, with the reason."""
    kept_back: list[tuple[Any, str]] = []
    for one in await decisions(conn, held, rows, kept):
        if one.told.classes:
            return _chosen(held, one, kept), kept_back
        kept_back.append((one.row, one.told.reason))
    return None, kept_back


def _chosen(held: Any, one: Decided, kept: Kept | None) -> Message:
    row, told, part2 = one.row, one.told, one.part2
    sequence = row["sequence"] or held["last_sequence"] + 1
    data = orjson.loads(row["data"])
    kind, own_key = row["type"], held["subject_key"]
    names: tuple[UUID, ...] = ()
    if kept:
        names = notified.names(kept, data, own_key, told)
        event = notified.event(kept, sequence, data, own_key, told, part2=part2)
        body = _notice(held, kept, "event-notification", row["delivery_id"], event)
    elif spoken.is_spoken(held["url"]):
        control = spoken.control_of(row["delivery_id"])
        around = spoken.Around(control, held["recipient"], sequence, part2)
        body = spoken.body(kind, data, own_key, told, around)
    else:
        body = messages.body(kind, sequence, data, own_key, told, part2=part2)
    entry = Entry(
        "delivered", held["subscriber_id"], row["admission_id"], about_told(held, one, sequence)
    )
    subject = messages.own_name(own_key, str(data["admission_id"]))
    return _message(
        held, row["delivery_id"], sequence, body, subject=subject, row=row["id"], entry=entry,
        unconfirmed=row["unconfirmed"], kept=kept, names=names,
    )  # fmt: skip


def _without_row(held: Any, kept: Kept | None, what: Literal["handshake", "heartbeat"]) -> Message:
    """What says nothing of anybody: that all is well, or whether anybody is there."""
    key, last = uuid4(), held["last_sequence"]
    body = _notice(held, kept, what, key) if kept else messages.heartbeat(last, held["now"])
    return _message(held, key, last, body, kept=kept)


def _notice(
    held: Any, kept: Kept, what: notified.What, key: UUID, *events: notified.Event
) -> bytes:
    last = max([held["last_sequence"], *(one.number for one in events)])
    stands = notified.Standing("active" if kept.is_answered else "requested", last)
    return orjson.dumps(notified.bundle(kept, what, key, stands, held["now"], events))


def _cut_short(held: Any, row: Any) -> Entry:
    said = about(held, row) | {"reason": "try_cut_short"}
    return Entry("unconfirmed", held["subscriber_id"], row["admission_id"], said)


def _message(held: Any, key: UUID, sequence: int, body: bytes, **more: Any) -> Message:
    signing = tuple(filter(None, (held["secret"], held["old_secret"])))
    return Message(
        held["subscriber_id"], held["url"], signing, held["tries"], key, sequence, body, **more
    )
