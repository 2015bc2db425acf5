"""Notifications as FHIR R4 writes them: a Bundle whose first entry is the Subscription's status."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from handrail.fhir.words import HL7, LABELS, Resource, concept, named
from intake.disclosures import messages
from intake.disclosures.backport.asked import GUIDE
from intake.disclosures.backport.kept import Kept
from intake.disclosures.backport.topics import TOPICS
from intake.disclosures.messages import Allowed
from intake.facts import Consent

What: TypeAlias = Literal["handshake", "heartbeat", "event-notification", "query-event"]
_PART2 = [
    {"system": f"{HL7}/v3-ActCode", "code": "42CFRPart2", "display": messages.NOTICE},
    {"system": f"{HL7}/v3-ActCode", "code": "NORDSCLCD"},
]
_BASIS = {"system": "urn:handrail:basis", "code": "without-consent", "display": messages.WITHOUT}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a Subscription stands. `last` is the number of events so far, one under way included."""

    status: str
    last: int
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One event with its number. `part` is what a notification says of it; nothing where it is empty."""

    number: int
    part: tuple[Resource, ...] = ()
    part2: bool = False
    without_consent: bool = False


def event(  # an event has as many parts
    kept: Kept, number: int, data: dict[str, Any], key: bytes, told: Allowed, *, part2: bool
) -> Event:
    """An event as this Subscription may hear of it; `key` makes the subscriber's own names."""
    without = not told.consents
    if kept.content == "empty":
        return Event(number, (), part2, without)
    seat, subject = seat_of(kept, data, key, told), _subject(data, key)
    stay = _reference(kept, "EpisodeOfCare", "urn:handrail:subject", subject)
    focus = _reference(kept, "Appointment", "urn:handrail:seat", seat) if seat else stay
    context = [stay, *(_consent(consent) for consent in told.consents)]
    part = (
        {"name": "timestamp", "valueInstant": data["recorded_at"]},
        {"name": "focus", "valueReference": focus},
        *({"name": "additional-context", "valueReference": c} for c in context if c != focus),
    )
    return Event(number, part, part2, without)


def bundle(  # a notification has as many parts
    kept: Kept,
    what: What,
    identity: UUID,
    stands: Standing,
    now: datetime,
    events: Sequence[Event] = (),
) -> Resource:
    """The notification."""
    url = f"{kept.base}/Subscription/{kept.subscription_id}"
    security = [*LABELS, *(_PART2 if any(one.part2 for one in events) else ())]
    meta: Resource = {"profile": [f"{GUIDE}/backport-subscription-notification-r4"]}
    meta["security"] = security
    if any(one.without_consent for one in events):
        meta["tag"] = [_BASIS]
    return {
        "resourceType": "Bundle",
        "id": str(identity),
        "meta": meta,
        "type": "history",
        "timestamp": now.isoformat(),
        "entry": [
            {
                "fullUrl": f"urn:uuid:{identity}",
                "resource": status_of(kept, what, identity, stands, events),
                "request": {"method": "GET", "url": f"{url}/$status"},
                "response": {"status": "200"},
            }
        ],
    }


def status_of(
    kept: Kept,
    what: What | Literal["query-status"],
    identity: UUID,
    stands: Standing,
    events: Iterable[Event] = (),
) -> Resource:
    """A SubscriptionStatus in R4: Parameters. The topic is not named where content is empty."""
    url = f"{kept.base}/Subscription/{kept.subscription_id}"
    said: list[Resource] = [{"name": "subscription", "valueReference": {"reference": url}}]
    if kept.content != "empty" or what == "query-status":
        said.append({"name": "topic", "valueCanonical": TOPICS[kept.topic].canonical})
    said += [
        {"name": "status", "valueCode": stands.status},
        {"name": "type", "valueCode": what},
        {"name": "events-since-subscription-start", "valueString": str(stands.last)},
    ]
    for one in events:
        number = {"name": "event-number", "valueString": str(one.number)}
        said.append({"name": "notification-event", "part": [number, *one.part]})
    if stands.trouble:
        error = concept("trouble", stands.trouble)
        said.append({"name": "error", "valueCodeableConcept": error})
    return {
        "resourceType": "Parameters",
        "id": str(identity),
        "meta": {"profile": [f"{GUIDE}/backport-subscription-status-r4"]},
        "parameter": said,
    }


def names(kept: Kept, data: dict[str, Any], key: bytes, told: Allowed) -> tuple[UUID, ...]:
    """What a notification names that can be read: the stay, and the seat where it is about one."""
    if kept.content == "empty":
        return ()
    seat = seat_of(kept, data, key, told)
    return (_subject(data, key), seat) if seat else (_subject(data, key),)


def seat_of(kept: Kept, data: dict[str, Any], key: bytes, told: Allowed) -> UUID | None:
    """The seat that an event of this topic is about, where the consents open it."""
    is_about_one = TOPICS[kept.topic].focus == "Appointment" and "attendance" in told.classes
    return messages.seat_of(data, key) if is_about_one else None


def _subject(data: dict[str, Any], key: bytes) -> UUID:
    return messages.own_name(key, str(data["admission_id"]))


def _reference(kept: Kept, kind: str, system: str, name: UUID) -> Resource:
    return {"reference": f"{kept.told_at}/{kind}/{name}", **named(kind, system, name)}


def _consent(consent: Consent) -> Resource:
    """The scope that has to go with what is told (42 CFR 2.32)."""
    return named("Consent", "urn:handrail:consent", consent.consent_id) | {
        "display": messages.scope_words(consent)
    }
