"""One admission's row: the story up to the last day that is over, and the facts that wait.

On arrival the waiting facts are told on a copy, so that alarms are early; at the day's end they
are told for good, in their fixed order. What was said early and does not hold is taken back.
"""

from collections.abc import Iterable, Sequence

import msgspec

from alerts.facts import Fact
from alerts.risk import signs
from alerts.risk.table import Assessment
from alerts.rules import Ladder, Outcome, end_day, take
from alerts.story import Pause, Story

_STORY = msgspec.msgpack.Decoder(Story)
_ENCODE = msgspec.msgpack.Encoder().encode


class Record(msgspec.Struct, array_like=True):
    """What is stored: the settled story (encoded), waiting facts, and what was said early."""

    story: bytes
    waiting: list[Fact] = []
    said: list[Outcome] = []
    # Why nothing is due at present; empty while people have work to do.
    paused: str = ""

    def needs_history(self) -> bool:
        """A correction waits: the facts of the whole admission are needed to tell it."""
        return any(fact.what == "corrected" for fact in self.waiting)


class Settled(msgspec.Struct):
    """What the end of some days brought, and the band and pauses before them."""

    outcomes: list[Outcome]
    assessments: list[tuple[int, Assessment, int | None]]
    watched: bool
    story: Story
    band: int
    pauses: list[Pause]


class Glimpse(msgspec.Struct):
    """What the waiting facts bring, and the story with them told; no story if none wait."""

    outcomes: list[Outcome]
    story: Story | None = None


_RECORD = msgspec.msgpack.Decoder(Record)
EMPTY = _ENCODE(Story())


def decode(body: bytes) -> Record:
    """A stored record."""
    return _RECORD.decode(body)


def encode(record: Record) -> bytes:
    """The bytes to store."""
    return _ENCODE(record)


def story_of(record: Record) -> Story:
    """The story up to the last day that is over."""
    return _STORY.decode(record.story)


def settle(
    record: Record, days: Sequence[int], ladder: Ladder, history: Iterable[Fact] = ()
) -> Settled:
    """Tell the waiting facts of `days`, each day in the fixed order, and end each day.

    Days are ordinals in order. Mutates `record`; facts of later days go on waiting.
    """
    story = story_of(record)
    band, pauses, standing = story.band, story.expected_absences(), None
    outcomes: list[Outcome] = []
    assessments: list[tuple[int, Assessment, int | None]] = []
    waiting = sorted(record.waiting, key=_by_day)
    known, place = list(history), 0
    for day in days:
        while place < len(waiting) and waiting[place].recorded <= day:
            known.append(waiting[place])
            outcomes += take(story, waiting[place], ladder, known)
            place, standing = place + 1, None
        if story.is_watched(day):
            standing = standing or signs.standing(story.behaviour)
            decided, assessment = end_day(story, day, ladder, standing)
            outcomes += decided
            level = story.concern.level if story.concern else None
            assessments.append((day, assessment, level))
    changed = place or any(True for _ in outcomes) or assessments
    if changed:
        record.story = _ENCODE(story)
    record.waiting = waiting[place:]
    return Settled(outcomes, assessments, story.is_watched(days[-1] + 1), story, band, pauses)


def glimpse(record: Record, ladder: Ladder, history: Iterable[Fact] = ()) -> Glimpse:
    """What the waiting facts bring if nothing else comes: told on a copy."""
    if not record.waiting:
        return Glimpse([])
    story, known = story_of(record), list(history)
    outcomes: list[Outcome] = []
    for fact in sorted(record.waiting, key=_by_day):
        known.append(fact)
        outcomes += take(story, fact, ladder, known)
    return Glimpse(outcomes, story)


def present(record: Record, ladder: Ladder, history: Iterable[Fact] = ()) -> Story:
    """The story with the waiting facts told."""
    return glimpse(record, ladder, history).story or story_of(record)


def taken_back(said: Sequence[Outcome], now: Sequence[Outcome]) -> list[Outcome]:
    """What was said early and does not hold any more."""
    holds = {outcome.name() for outcome in now}
    return [outcome for outcome in said if outcome.name() not in holds]


def _by_day(fact: Fact) -> tuple[int, tuple[int, str, int]]:
    return (fact.recorded, fact.order())


_FACT = msgspec.msgpack.Decoder(Fact)


def encode_fact(fact: Fact) -> bytes:
    """The bytes to store."""
    return _ENCODE(fact)


def decode_fact(body: bytes) -> Fact:
    """A stored fact."""
    return _FACT.decode(body)
