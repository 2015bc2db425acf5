"""What corrections make of an admission's facts: the seats as they truly were."""

import msgspec

from alerts.facts import Fact
from alerts.story import ATTENDED, MISSED

# The care team took an outreach back: it was recorded by mistake.
UNDONE = "undone"


def corrected(facts: list[Fact]) -> list[Fact]:
    """The facts as they truly were: each corrected seat says what its last correction says."""
    last = {fact.seat: fact for fact in facts if fact.what == "corrected"}
    true: list[Fact] = []
    for fact in sorted(facts, key=Fact.order):
        if fact.what == "corrected":
            continue
        correction = last.get(fact.seat) if fact.seat else None
        if correction is None:
            true.append(fact)
        elif (mended := _mended(fact, correction)) is not None:
            true.append(mended)
    return true


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
