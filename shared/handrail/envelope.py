"""CloudEvents 1.0 in Kafka's binary mode: how an event looks on the wire, and back."""

from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from pydantic import ValidationError

from handrail.events import REGISTER, AdmissionEvent, Event, SiteEvent
from handrail.telemetry import well_formed
from handrail.topics import partition_of, site_stream

Headers: TypeAlias = list[tuple[str, bytes]]

# Below the topic's own limit: one record the broker refuses breaks an idempotent producer.
MAX_RECORD_BYTES = 1_000_000


class Unreadable(Exception):
    """A record no retry can mend. `reason` is a code; the content stays out of it."""

    def __init__(self, reason: str) -> None:
        """`reason` is one of the codes in ARCHITECTURE.md, "Dead letters"."""
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Received:
    """One event as it came: the fact, and where in which stream it stands."""

    event: Event
    event_id: str
    owner: str
    key: UUID
    sequence: int
    incarnation: int
    traceparent: str | None
    partition: int
    offset: int


def headers_of(
    *, event_id: UUID, type_: str, time: str, sequence: int, incarnation: int, trace: str | None
) -> Headers:
    """The CloudEvents attributes as Kafka headers, with `sequence` and `traceparent`."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(event_id).encode()),
        ("ce_source", b"/handrail/" + type_.split(".", 1)[0].encode()),
        ("ce_type", type_.encode()),
        ("ce_time", time.encode()),
        ("ce_sequence", b"%d" % sequence),
        ("ce_incarnation", b"%d" % incarnation),
        ("content-type", b"application/json"),
    ]
    if trace:
        headers.append(("traceparent", trace.encode()))
    return headers


def read(
    owner: str, partition: int, offset: int, value: bytes | None, headers: Headers
) -> Received:
    """The event in a record of `owner`'s topic.

    Raises Unreadable with a reason code: `no_value`, `bad_header`, `unknown_type`,
    `bad_payload`, `wrong_owner` or `wrong_partition`.
    """
    if not value:
        raise Unreadable("no_value")
    try:
        named = {name: text.decode() for name, text in headers}
        kind = named["ce_type"]
        sequence = int(named["ce_sequence"])
        incarnation = int(named["ce_incarnation"])
        event_id = named["ce_id"]
    except (KeyError, ValueError, AttributeError) as error:
        raise Unreadable("bad_header") from error
    model = REGISTER.get(kind)
    if model is None:
        raise Unreadable("unknown_type")
    if model.owner != owner:
        raise Unreadable("wrong_owner")
    try:
        event = model.__pydantic_validator__.validate_json(value)
    except ValidationError as error:
        raise Unreadable("bad_payload") from error
    key = _stream_of(event)
    if partition != (event.partition if isinstance(event, SiteEvent) else partition_of(key)):
        raise Unreadable("wrong_partition")
    trace = well_formed(named.get("traceparent"))
    return Received(event, event_id, owner, key, sequence, incarnation, trace, partition, offset)


def _stream_of(event: Event) -> UUID:
    if isinstance(event, SiteEvent):
        return site_stream(event.site_id, event.partition)
    assert isinstance(event, AdmissionEvent)
    return event.admission_id
