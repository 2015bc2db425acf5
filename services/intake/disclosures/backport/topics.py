"""What a Subscription can be about: topics by their canonical names, and the events of each."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files

CANONICAL = "urn:handrail:subscription-topic:"


@dataclass(frozen=True, slots=True)
class Topic:
    """A name, the resource its events are about, and the types of those events."""

    name: str
    focus: str
    events: frozenset[str]

    @property
    def canonical(self) -> str:
        """As a Subscription's criteria name it."""
        return CANONICAL + self.name


def load() -> dict[str, Topic]:
    """All topics of the package, by name."""
    text = files("intake.disclosures.backport").joinpath("topics.toml").read_text()
    return {
        name: Topic(name, said["focus"], frozenset(said["events"]))
        for name, said in tomllib.loads(text).items()
    }


TOPICS = load()


def named(canonical: str) -> Topic | None:
    """The topic of a canonical name; None where there is no such topic here."""
    return TOPICS.get(canonical.removeprefix(CANONICAL)) if CANONICAL in canonical else None


def has(name: str, kind: str) -> bool:
    """Whether events of this type belong to the topic."""
    topic = TOPICS.get(name)
    return topic is not None and kind in topic.events
