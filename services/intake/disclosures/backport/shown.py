"""A subscriber as a FHIR Subscription: those it made for itself, and those of other channels."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handrail.fhir.asked import Asked
from handrail.fhir.words import Resource, moment, resource
from handrail.outbox import Connection
from intake.disclosures.backport.asked import (
    CONTENT,
    FILTER,
    GUIDE,
    HEARTBEAT,
    MAX_COUNT,
    TIMEOUT,
)
from intake.disclosures.backport.kept import MARK
from intake.disclosures.backport.topics import TOPICS

STATUSES = ("requested", "active", "error", "off")
OPERATIONS = "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition"
_TOPIC_OF_STATEMENT = f"{GUIDE}/capabilitystatement-subscriptiontopic-canonical"

_FIND = """
select * from (
    select s.subscriber_id, s.trouble, s.purpose, s.recipient_class, s.data_classes, s.url,
        s.heartbeat_seconds, s.last_sequence, s.failing_since, f.registered_id, f.topic,
        f.subjects, f.content, f.has_heartbeat, f.timeout_seconds, f.max_count, f.end_at,
        case when s.state = 'removed' then 'off'
            when s.state = 'disabled' and s.trouble in ('over', 'asked_off') then 'off'
            when s.state = 'disabled' then 'error'
            when f.is_answered is null or f.is_answered then 'active'
            when s.failing_since is not null then 'error' else 'requested' end as status
    from subscribers s
    left join fhir_subscriptions f on f.subscription_id = s.subscriber_id
    where ($1::uuid[] is null or s.subscriber_id = any($1))
        and ($2::text is null or s.subscriber_id::text = $2 or f.registered_id::text = $2)
        and ($3::uuid is null or s.subscriber_id > $3)
        -- A registration for FHIR is no Subscription yet; one that was deleted is none any more.
        and not (starts_with(s.url, 'fhir+') and f.subscription_id is null)
        and not (f.subscription_id is not null and s.state = 'removed')
) s
where $4::text[] is null or status = any($4)
order by subscriber_id limit $5
"""


async def rows(conn: Connection, asked: Asked) -> list[Mapping[str, Any]]:
    """The Subscriptions that a caller may see, with their status as FHIR says it."""
    after, statuses = asked.uuid_after(), asked.statuses
    return list(await conn.fetch(_FIND, asked.uuids(), asked.client, after, statuses, asked.limit))


async def subscriptions(conn: Connection, asked: Asked) -> list[Resource]:
    """The same as resources; an address is shown to the one it is of, and to nobody else."""
    is_own = asked.client is not None
    return [subscription(row, is_own=is_own) for row in await rows(conn, asked)]


def subscription(row: Mapping[str, Any], *, is_own: bool = False) -> Resource:
    """A system outside that is told things. What it asked to be sent as header is nobody's."""
    if row["topic"]:
        return _backported(row, is_own=is_own)
    return resource(
        "Subscription",
        str(row["subscriber_id"]),
        status=row["status"],
        reason=_reason(row),
        criteria="urn:handrail:topics:" + ",".join(sorted(row["data_classes"])),
        error=row["trouble"],
        channel={"type": "rest-hook", "payload": "application/json"},
    )


def _backported(row: Mapping[str, Any], *, is_own: bool) -> Resource:
    topic, end = TOPICS[row["topic"]], row["end_at"]
    narrowed = None
    if row["subjects"] is not None:
        names = ",".join(str(one) for one in row["subjects"])
        query = f"{topic.focus}?patient={names}"
        narrowed = {"extension": [{"url": FILTER, "valueString": query}]}
    return resource(
        "Subscription",
        str(row["subscriber_id"]),
        status=row["status"],
        end=moment(end) if isinstance(end, datetime) else None,
        reason=_reason(row),
        criteria=topic.canonical,
        _criteria=narrowed,
        error=row["trouble"],
        channel=_channel(row, is_own=is_own),
    )


def _channel(row: Mapping[str, Any], *, is_own: bool) -> Resource:
    beats = row["heartbeat_seconds"] if row["has_heartbeat"] else None
    told = [
        (HEARTBEAT, "valueUnsignedInt", beats),
        (TIMEOUT, "valueUnsignedInt", row["timeout_seconds"]),
        (MAX_COUNT, "valuePositiveInt", row["max_count"]),
    ]
    channel: Resource = {
        "extension": [{"url": url, name: value} for url, name, value in told if value is not None],
        "type": "rest-hook",
        "payload": "application/fhir+json",
        "_payload": {"extension": [{"url": CONTENT, "valueCode": row["content"]}]},
    }
    return channel | ({"endpoint": row["url"].removeprefix(MARK)} if is_own else {})


def _reason(row: Mapping[str, Any]) -> str:
    return f"{row['purpose']}: {row['recipient_class']}"


# What the capability statement says of Subscriptions besides reading and searching.
WRITTEN = ("create", "update", "delete")
MORE: Resource = {
    "extension": [
        {"url": _TOPIC_OF_STATEMENT, "valueCanonical": topic.canonical} for topic in TOPICS.values()
    ],
    "supportedProfile": [f"{GUIDE}/backport-subscription"],
    "updateCreate": False,
    "operation": [
        {"name": name, "definition": f"{OPERATIONS}/backport-subscription-{name}"}
        for name in ("status", "events")
    ],
}
