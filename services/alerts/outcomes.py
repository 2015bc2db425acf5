"""What became of people after an alert: the truth a rule and a table are measured by. Pure."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from alerts.corrections import corrected
from alerts.facts import Fact
from alerts.record import EMPTY, Record, settle
from alerts.rules import Ladder

HORIZON_DAYS = 28
# Two-sided 95 % normal quantile.
Z = 1.959964


@dataclass(frozen=True, slots=True)
class Fired:
    """One time a rule raised a level: `right` once 28 days without a session have shown it."""

    admission_id: UUID
    day: int
    level: int
    rule: str
    right: bool | None


@dataclass(frozen=True, slots=True)
class Interval:
    """A share with its 95 % interval (Wilson's score interval); no share of nothing."""

    value: float | None
    low: float | None
    high: float | None
    count: int


def share(hits: int, count: int) -> Interval:
    """`hits` of `count` with Wilson's 95 % interval (E. B. Wilson, 1927)."""
    if not count:
        return Interval(None, None, None, 0)
    p, z2 = hits / count, Z * Z
    middle = (p + z2 / (2 * count)) / (1 + z2 / count)
    half = Z * ((p * (1 - p) + z2 / (4 * count)) / count) ** 0.5 / (1 + z2 / count)
    return Interval(p, max(0.0, middle - half), min(1.0, middle + half), count)


def visits_of(facts: Iterable[Fact]) -> list[int]:
    """The days on which the person was seen, in order, corrections told."""
    true = corrected(list(facts))
    return sorted(fact.day for fact in true if fact.what == "attended" and fact.day is not None)


def was_right(visits: list[int], day: int, through: int) -> bool | None:
    """Whether no session followed within 28 days of `day`; None while it may still follow.

    `through` is the last day that is over. A session settles it early.
    """
    place = bisect_right(visits, day)
    if place < len(visits) and visits[place] <= day + HORIZON_DAYS:
        return False
    return True if day + HORIZON_DAYS <= through else None


def play(
    admission_id: UUID, facts: list[Fact], ladder: Ladder, since: int, through: int
) -> tuple[list[Fired], int]:
    """One admission's past under a ladder, day by day: what is pushed, and days it was assessed.

    Both are counted from the day `since` to the day `through`. Safety is measured by nothing here: it is left out.
    """
    if not facts:
        return [], 0
    record = Record(EMPTY, waiting=list(facts))
    first = min(fact.recorded for fact in facts)
    settled = settle(record, range(first, max(first, through) + 1), ladder)
    # What comes after the last day that is over is known already, and settles what is right.
    visits = visits_of(facts)
    fired = [
        Fired(admission_id, o.day, o.level, o.kind, was_right(visits, o.day, through))
        for o in settled.outcomes
        if o.what == "raised" and not o.quiet and o.day >= since
        if 0 < o.level <= ladder.policy.push_to_level
    ]
    return fired, sum(day >= since for day, _, _ in settled.assessments)


def day_of(ordinal: int) -> date:
    """A day from its ordinal."""
    return date.fromordinal(ordinal)
