"""What corrections make of an admission's facts: the seats as they truly were."""

from collections.abc import Iterable

import msgspec

from alerts.facts import Fact
from alerts.story import ATTENDED, MISSED

# The care team took an outreach back: it was recorded by mistake.
UNDONE = "undone"


def corrected(facts: list[Fact]) -> list[Fact]:
    """The facts as they truly were: each corrected seat says what its last correction says."""
    last = last_corrections(facts)
    true: list[Fact] = []
    for fact in sorted(facts, key=Fact.order):
        if fact.what == "corrected":
            continue
        correction = last.get(fact.seat) if fact.seat else None
        truth = _mended(fact, correction) if correction else fact
        if truth is not None:
            true.append(truth)
    return true


def last_corrections(facts: Iterable[Fact]) -> dict[str, Fact]:
    """The last correction of each seat, by its owner's own order."""
    told = sorted((fact for fact in facts if fact.what == "corrected"), key=_by_sequence)
    return {fact.seat: fact for fact in told}


def as_corrected(fact: Fact, facts: Iterable[Fact]) -> Fact | None:
    """A fact as it truly was, where its correction came before it; None if it never was."""
    correction = last_corrections(facts).get(fact.seat) if fact.seat else None
    return _mended(fact, correction) if correction else fact


def _by_sequence(fact: Fact) -> int:
    return fact.sequence


def _mended(fact: Fact, correction: Fact) -> Fact | None:
    now = correction.codes[1]
    if now == UNDONE:
        return None
    if now == ATTENDED:
        return msgspec.structs.replace(
            fact, what="attended", day=correction.day, codes=(), numbers=correction.numbers
        )
    if now in MISSED:
        planned = int(correction.numbers[0])
        day = planned if planned >= 0 else fact.day
        return msgspec.structs.replace(
            fact, what="missed", day=day, codes=(now, "unknown"), numbers=()
        )
    return msgspec.structs.replace(fact, what="excused", codes=(), numbers=())
