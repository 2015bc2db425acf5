"""A Subscription as another system asks for it: what is not spoken here is refused by its name."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from handrail.fhir.asked import uuid_of
from handrail.receipts import Rejected
from intake.disclosures.backport import topics
from intake.disclosures.backport.topics import Topic

GUIDE = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
FILTER, CONTENT = f"{GUIDE}/backport-filter-criteria", f"{GUIDE}/backport-payload-content"
HEARTBEAT, TIMEOUT = f"{GUIDE}/backport-heartbeat-period", f"{GUIDE}/backport-timeout"
MAX_COUNT, CHANNEL = f"{GUIDE}/backport-max-count", f"{GUIDE}/backport-channel-type"
MEDIA_TYPES = frozenset({"application/fhir+json", "application/json"})
MOST_SECONDS, USUAL_SECONDS = 15, 15
MOST_SUBJECTS = 100

_Text = Annotated[str, StringConstraints(max_length=500, pattern=r"^[!-~]+$")]
# Only what proves who calls, and names of the receiver's own, is passed on.
_Header = Annotated[
    str,
    StringConstraints(
        max_length=2000, pattern=r"^(?i:authorization|x-[a-z0-9-]{1,60}): ?[!-~][ -~]*$"
    ),
]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Extension(_Part):
    """One of the guide's extensions; others are passed over."""

    url: str
    valueString: Annotated[str, StringConstraints(max_length=4500)] | None = None  # noqa: N815  # FHIR's name
    valueCode: str | None = None  # noqa: N815  # the same
    valueUnsignedInt: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None  # noqa: N815  # the same
    valuePositiveInt: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None  # noqa: N815  # the same


class Element(_Part):
    """What stands beside a primitive value."""

    extension: Annotated[tuple[Extension, ...], Field(max_length=50)] = ()


class Channel(Element):
    """How it is to be told."""

    type: str
    endpoint: _Text
    payload: str
    header: Annotated[tuple[_Header, ...], Field(max_length=10)] | None = None
    of_payload: Element = Field(default=Element(), alias="_payload")
    of_type: Element = Field(default=Element(), alias="_type")


class Subscription(_Part):
    """The resource, as far as it is read."""

    resourceType: Literal["Subscription"]  # noqa: N815  # FHIR's name
    id: str | None = None
    status: Literal["requested", "active", "error", "off"]
    criteria: _Text
    of_criteria: Element = Field(default=Element(), alias="_criteria")
    channel: Channel
    end: AwareDatetime | None = None
    modifierExtension: tuple[Any, ...] = ()  # noqa: N815  # FHIR's name


class Wanted(BaseModel):
    """What is wanted, in our words. `headers` is None where nothing was said of them."""

    model_config = ConfigDict(frozen=True)

    topic: str
    subjects: tuple[UUID, ...] | None
    content: Literal["empty", "id-only"]
    endpoint: str
    headers: tuple[str, ...] | None
    heartbeat_seconds: int | None
    timeout_seconds: int
    max_count: int | None
    end_at: datetime | None
    is_off: bool


def wanted(said: Subscription) -> Wanted:
    """What is wanted. Raises Rejected, with the element that cannot be had."""
    topic = topics.named(said.criteria)
    if topic is None:
        raise _not_had("topic_not_known", "See the topics in metadata.", "criteria")
    if said.modifierExtension:
        raise _not_had("modifier_not_known", "Nothing modifies it here.", "modifierExtension")
    channel = said.channel
    if channel.type != "rest-hook" or _one(channel.of_type.extension, CHANNEL):
        raise _not_had("channel_not_known", "Only rest-hook is spoken here.", "channel.type")
    if channel.payload not in MEDIA_TYPES:
        raise _not_had("payload_not_known", "Only application/fhir+json.", "channel.payload")
    heartbeat, most = _one(channel.extension, HEARTBEAT), _one(channel.extension, MAX_COUNT)
    timeout = _one(channel.extension, TIMEOUT)
    beat = heartbeat.valueUnsignedInt if heartbeat else None
    return Wanted(
        topic=topic.name,
        subjects=_subjects(said.of_criteria.extension, topic),
        content=_content(channel),
        endpoint=channel.endpoint,
        headers=channel.header,
        heartbeat_seconds=min(beat, 86_400) if beat else None,
        timeout_seconds=_seconds(timeout.valueUnsignedInt if timeout else None),
        max_count=most.valuePositiveInt if most else None,
        end_at=said.end,
        is_off=said.status == "off",
    )


def _content(channel: Channel) -> Literal["empty", "id-only"]:
    """Nothing said is id-only. The whole resource never goes out unasked: the event is the secret."""
    found = _one(channel.of_payload.extension, CONTENT)
    code = found.valueCode if found else "id-only"
    if code == "empty":
        return "empty"
    if code == "id-only":
        return "id-only"
    raise _not_had(
        "content_not_allowed", "Only empty and id-only; see docs/fhir.md.", "channel.payload"
    )


def _seconds(asked: int | None) -> int:
    return max(1, min(asked, MOST_SECONDS)) if asked else USUAL_SECONDS


def _subjects(extensions: Sequence[Extension], topic: Topic) -> tuple[UUID, ...] | None:
    """The persons of all filters: each leaves fewer. None: everybody."""
    left: set[UUID] | None = None
    for one in extensions:
        if one.url == FILTER:
            those = _persons(one.valueString or "", topic)
            left = those if left is None else left & those
    return None if left is None else tuple(sorted(left))


def _persons(said: str, topic: Topic) -> set[UUID]:
    """Of `Appointment?patient=A,B`, where A and B are the subscriber's own names of persons."""
    kind, _, query = said.partition("?")
    name, _, value = query.partition("=")
    words = [part.rpartition("|")[2].removeprefix("Patient/") for part in value.split(",")]
    found = [uuid_of(word) for word in words]
    known = [one for one in found if one]
    if kind != topic.focus or name not in ("patient", "subject") or len(known) != len(found):
        raise _not_had(
            "filter_not_known",
            f"Only `{topic.focus}?patient=` with names that the programme told you.",
            "criteria.extension",
        )
    if len(known) > MOST_SUBJECTS:
        raise _not_had("filter_too_long", "At most 100 persons.", "criteria.extension")
    return set(known)


def is_under(endpoint: str, registered: str) -> bool:
    """Whether an address lies where the registration says: same scheme, host and port, in its path."""
    try:
        one, base = urlsplit(endpoint), urlsplit(registered)
        same = (one.scheme, one.hostname, one.port) == (base.scheme, base.hostname, base.port)
    except ValueError:
        return False
    path, top = one.path or "/", base.path.rstrip("/")
    is_plain = "%" not in path and "\\" not in path and ".." not in path.split("/")
    return same and is_plain and (path == top or path.startswith(top + "/"))


def _one(extensions: Sequence[Extension], url: str) -> Extension | None:
    return next((one for one in extensions if one.url == url), None)


def _not_had(code: str, detail: str, where: str) -> Rejected:
    return Rejected(code, detail, f"Subscription.{where}")
