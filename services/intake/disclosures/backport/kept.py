"""A Subscription as it is kept, beside the subscriber whose queue it reads."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from handrail.fhir.outcome import MEDIA_TYPE
from handrail.fhir.routes import BASE
from handrail.outbox import Connection
from intake.disclosures import messages
from intake.disclosures.backport import topics

# Below it lies what a subscriber was told of, under its own names.
TOLD = "/fhir/told/R4"
# Before the address of a subscriber that subscribes by FHIR, and of each of its Subscriptions.
MARK = "fhir+"

_OF = """
select f.registered_id, f.topic, f.subjects, f.content, f.headers, f.has_heartbeat,
    f.timeout_seconds, f.end_at, f.base, f.is_answered, r.secret,
    case when r.old_until > now() then r.old_secret end as old_secret
from fhir_subscriptions f
join subscribers r on r.subscriber_id = f.registered_id
where f.subscription_id = $1
"""
# What was answered somewhere else is no answer: it may have been given another address meanwhile.
_ANSWERED = """
update fhir_subscriptions as f set is_answered = true
from subscribers s
where f.subscription_id = $1 and s.subscriber_id = f.subscription_id and s.url = $2
"""
_NAME = """
insert into fhir_names (registered_id, name, delivery)
select $1, name, $3 from unnest($2::uuid[]) as t (name)
on conflict (registered_id, name) do update
set delivery = greatest(fhir_names.delivery, excluded.delivery)
"""
_OVER = """
update subscribers set state = 'disabled', trouble = 'over', held_until = null
where subscriber_id = $1
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """One Subscription. `secrets` are the registration's: they sign what is sent."""

    subscription_id: UUID
    registered_id: UUID
    topic: str
    subjects: frozenset[UUID] | None
    content: str
    headers: tuple[str, ...]
    has_heartbeat: bool
    timeout_seconds: int
    end_at: datetime | None
    base: str
    is_answered: bool
    secrets: tuple[str, ...]

    def takes(self, kind: str, admission_id: UUID, subject_key: bytes) -> bool:
        """Whether an event is of its topic, and about somebody it asks for."""
        if not topics.has(self.topic, kind):
            return False
        if self.subjects is None:
            return True
        return messages.own_name(subject_key, str(admission_id)) in self.subjects

    def address(self, url: str) -> str:
        """Where its notifications go, of what its subscriber's row has as address."""
        return url.removeprefix(MARK)

    def http_headers(self) -> dict[str, str]:
        """What it asked to be sent with each notification, and what a notification is."""
        pairs = (header.partition(":") for header in self.headers)
        asked = {name.strip().lower(): value.strip() for name, _, value in pairs}
        return asked | {"content-type": MEDIA_TYPE}

    def with_content(self, asked: str | None) -> "Kept":
        """The same, to be told less where less is asked for; more is never told."""
        return replace(self, content="empty") if asked == "empty" else self

    @property
    def told_at(self) -> str:
        """The address below which what it was told of is read."""
        return self.base.removesuffix(BASE) + TOLD

    def is_over(self, now: datetime) -> bool:
        """Whether the end that it asked for has come."""
        return self.end_at is not None and self.end_at <= now


def is_by_fhir(url: str) -> bool:
    """Whether a subscriber is told by FHIR."""
    return url.startswith(MARK)


async def kept(conn: Connection, subscriber_id: UUID, url: str) -> Kept | None:
    """The Subscription of a queue; None where the queue is another channel's."""
    if not is_by_fhir(url):
        return None
    row: Any = await conn.fetchrow(_OF, subscriber_id)
    if row is None:
        return None
    return Kept(
        subscription_id=subscriber_id,
        registered_id=row["registered_id"],
        topic=row["topic"],
        subjects=None if row["subjects"] is None else frozenset(row["subjects"]),
        content=row["content"],
        headers=tuple(row["headers"]),
        has_heartbeat=row["has_heartbeat"],
        timeout_seconds=row["timeout_seconds"],
        end_at=row["end_at"],
        base=row["base"],
        is_answered=row["is_answered"],
        secrets=tuple(filter(None, (row["secret"], row["old_secret"]))),
    )


async def answered(conn: Connection, subscriber_id: UUID, url: str) -> None:
    """The handshake was taken at this address: it is active."""
    await conn.execute(_ANSWERED, subscriber_id, url)


async def name(conn: Connection, one: Kept, names: Sequence[UUID], delivery: int) -> None:
    """The subscriber is told these names, and may read what they stand for."""
    await conn.execute(_NAME, one.registered_id, list(names), delivery)


async def end(conn: Connection, subscriber_id: UUID) -> None:
    """The end that it asked for has come: it is off."""
    await conn.execute(_OVER, subscriber_id)
