"""What waits for each subscriber: decided when it is taken, and settled with its ledger row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson

from handrail import sites
from handrail.outbound import Outcome
from handrail.outbox import Connection
from handrail.webhooks import RETRY_DAYS, pause_after
from intake import store
from intake.disclosures import ledger, messages, spoken
from intake.disclosures.ledger import Entry
from intake.disclosures.messages import Allowed
from intake.facts import Admission
from intake.rules import disclosure
from intake.rules.disclosure import Recipient

LEASE_SECONDS = 60
AT_ONCE = 50

_DUE = """
select s.subscriber_id from subscribers s
where s.state = 'active' and s.next_try_at <= now()
    and (s.held_until is null or s.held_until < now())
    and (
        exists (select from deliveries d
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
_LAW = "select state from site_laws where site_id = $1"
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
    """One message under way; a heartbeat has no row."""

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
    while rows := await conn.fetch(_NEXT, subscriber_id, AT_ONCE):
        chosen, kept_back = await _sort(conn, held, rows)
        if kept_back:
            ids, reasons = [row["id"] for row, _ in kept_back], [why for _, why in kept_back]
            await conn.execute(_WITHHOLD, ids, reasons)
            cut_short = [row for row, _ in kept_back if row["trying"] and not row["unconfirmed"]]
            entries = [_cut_short(held, row) for row in cut_short]
            await ledger.append(conn, key, entries, held["now"])
        if chosen:
            await conn.execute(_TRY, chosen.row)
            return chosen
    if held["is_quiet"] and spoken.is_spoken(held["url"]):
        # HL7 has no heartbeat that every receiver takes: a gap is seen by MSH-13.
        await conn.execute(_QUIET, subscriber_id)
    elif held["is_quiet"]:
        body = messages.heartbeat(held["last_sequence"], held["now"])
        return _message(held, uuid4(), held["last_sequence"], body)
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
    conn: Connection, held: Any, rows: Sequence[Any]
) -> tuple[Message | None, list[tuple[Any, str]]]:
    """The first row that may leave, and those before it that may not, with the reason."""
    known = await store.some(conn, {row["admission_id"] for row in rows})
    site = (await sites.known(conn)).get(held["site_id"])
    state = await conn.fetchval(_LAW, held["site_id"])
    kept_back = []
    for row in rows:
        admission = known.get(row["admission_id"])
        if admission is None or admission.site_id != held["site_id"] or site is None:
            kept_back.append((row, "not_of_this_site"))
            continue
        if site.clock != "wall":
            kept_back.append((row, "recorded_history"))
            continue
        told = _allowed(held, row, admission, state, site.day_of(held["now"]))
        if told.classes:
            return _chosen(held, row, admission, told), kept_back
        kept_back.append((row, told.reason))
    return None, kept_back


def _allowed(held: Any, row: Any, admission: Admission, state: str | None, day: Any) -> Allowed:
    recipient = Recipient(held["recipient_class"], held["recipient"], held["purpose"])
    subject = disclosure.subject_of(admission, state)
    classes = held["data_classes"]
    if spoken.is_spoken(held["url"]) and not spoken.has_words(row["type"]):
        return Allowed((), (), "no_hl7_message")
    return messages.allowed(row["type"], subject, recipient, classes, day=day, at=held["now"])


def _chosen(held: Any, row: Any, admission: Admission, told: Allowed) -> Message:
    sequence = row["sequence"] or held["last_sequence"] + 1
    part2 = disclosure.subject_of(admission, None).law == "part2"
    data = orjson.loads(row["data"])
    kind, own_key = row["type"], held["subject_key"]
    if spoken.is_spoken(held["url"]):
        control = spoken.control_of(row["delivery_id"])
        around = spoken.Around(control, held["recipient"], sequence, part2)
        body = spoken.body(kind, data, own_key, told, around)
    else:
        body = messages.body(kind, sequence, data, own_key, told, part2=part2)
    about = _about(held, row) | {
        "sequence": sequence,
        "classes": list(told.classes),
        "reason": told.reason,
        "consents": [messages.scope_of(consent) for consent in told.consents],
        "table": disclosure.TABLE.version,
    }
    entry = Entry("delivered", held["subscriber_id"], row["admission_id"], about)
    subject = messages.own_name(own_key, str(data["admission_id"]))
    return _message(
        held, row["delivery_id"], sequence, body, subject=subject, row=row["id"], entry=entry,
        unconfirmed=row["unconfirmed"],
    )  # fmt: skip


def _cut_short(held: Any, row: Any) -> Entry:
    about = _about(held, row) | {"reason": "try_cut_short"}
    return Entry("unconfirmed", held["subscriber_id"], row["admission_id"], about)


def _about(held: Any, row: Any) -> dict[str, Any]:
    names = ("recipient_class", "recipient", "purpose")
    return {name: held[name] for name in names} | {
        "type": row["type"],
        "delivery_id": row["delivery_id"],
    }


def _message(held: Any, key: UUID, sequence: int, body: bytes, **more: Any) -> Message:
    signing = tuple(filter(None, (held["secret"], held["old_secret"])))
    return Message(
        held["subscriber_id"], held["url"], signing, held["tries"], key, sequence, body, **more
    )
