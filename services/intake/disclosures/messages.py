"""What a message to a subscriber says, as a pure function of the event and the consents."""

import hashlib
import hmac
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import files
from typing import Any
from uuid import UUID

import orjson

from intake.facts import Consent
from intake.rules import disclosure
from intake.rules.disclosure import Recipient, Subject

# 42 CFR 2.32(a)(2).
NOTICE = "42 CFR part 2 prohibits unauthorized use or disclosure of these records."
# 45 CFR 164.506: treatment; only outside Part 2.
WITHOUT = "disclosed without a consent, as 45 CFR 164.506 and the law of the state allow"


def load() -> dict[str, dict[str, tuple[str, ...]]]:
    """By type of event: its classes, the leading one first, each with the fields it opens."""
    text = files("intake.disclosures").joinpath("told.toml").read_text()
    return {
        kind: {name: tuple(fields) for name, fields in classes.items()}
        for kind, classes in tomllib.loads(text).items()
    }


TOLD = load()


@dataclass(frozen=True, slots=True)
class Allowed:
    """The classes of one event that may be told now, and by which consents."""

    classes: tuple[str, ...]
    consents: tuple[Consent, ...]
    reason: str


def leads(kind: str) -> str | None:
    """The class that an event is about; None for one that never leaves."""
    return next(iter(TOLD.get(kind, ())), None)


def allowed(  # the question has as many parts
    kind: str,
    subject: Subject,
    recipient: Recipient,
    taken: Iterable[str],
    *,
    day: date,
    at: datetime,
) -> Allowed:
    """What of an event this recipient may be told. No classes: nothing, with the reason."""
    lead, wanted = leads(kind), set(taken)
    if lead is None or lead not in wanted:
        return Allowed((), (), "not_subscribed")
    verdicts = {
        name: disclosure.decide(subject, recipient, name, day=day, at=at)
        for name in TOLD[kind]
        if name in wanted
    }
    if not verdicts[lead].may:
        return Allowed((), (), verdicts[lead].reason)
    told = {name: verdict for name, verdict in verdicts.items() if verdict.may}
    consents = {v.consent.consent_id: v.consent for v in told.values() if v.consent}
    return Allowed(tuple(told), tuple(consents.values()), verdicts[lead].reason)


def facts_of(kind: str, classes: Iterable[str], data: Mapping[str, Any], key: bytes) -> Any:
    """The fields that these classes open; a seat under the subscriber's own name."""
    opened = [name for told in classes for name in TOLD[kind][told]]
    facts = {name: data[name] for name in opened if data.get(name) is not None}
    if "seat" in opened and (seat := seat_of(data, key)):
        facts["seat"] = str(seat)
    return facts


def seat_of(data: Mapping[str, Any], key: bytes) -> UUID | None:
    """The subscriber's own name of the seat that an event is about; None where it is about none."""
    if "session_id" not in data:
        return None
    return own_name(key, f"{data['admission_id']}/{data['session_id']}")


def own_name(key: bytes, of: str) -> UUID:
    """A name that only this subscriber knows: two of them cannot lay their lists together."""
    return UUID(bytes=hmac.digest(key, of.encode(), hashlib.sha256)[:16], version=4)


def body(  # a message has as many parts
    kind: str, sequence: int, data: Mapping[str, Any], key: bytes, told: Allowed, *, part2: bool
) -> bytes:
    """The message, with the notice and the scope of each consent (42 CFR 2.32)."""
    message: dict[str, Any] = {
        "type": kind,
        "timestamp": data["occurred_at"],
        "data": {
            "sequence": sequence,
            "subject": str(own_name(key, str(data["admission_id"]))),
            "occurred_at": data["occurred_at"],
            "recorded_at": data["recorded_at"],
            "facts": facts_of(kind, told.classes, data, key),
        },
        "consents": [scope_of(consent) for consent in told.consents],
    }
    if part2:
        message["notice"] = NOTICE
    if not told.consents:
        message["without_consent"] = WITHOUT
    return orjson.dumps(message)


def heartbeat(sequence: int, now: datetime) -> bytes:
    """That all is well and which number was the last; it says nothing of anybody."""
    return orjson.dumps(
        {"type": "heartbeat", "timestamp": now, "data": {"last_sequence": sequence}}
    )


def scope_of(consent: Consent) -> dict[str, Any]:
    """What a consent allows, in the message and in the ledger."""
    return consent.model_dump(mode="json", exclude={"revoked_at", "given_by"})


def scope_words(consent: Consent) -> str:
    """The same in words, where a protocol has room for no more."""
    until = consent.until_on or "revoked"
    scope = f"for {consent.purpose}: {', '.join(consent.data_classes)}"
    return f"{scope}; from {consent.from_on} until {until}"
