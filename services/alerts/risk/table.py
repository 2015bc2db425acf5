"""The points table: a score anyone can add up by hand, and the risk it stands for."""

from bisect import bisect_right
from functools import cache
from pathlib import Path

import msgspec

from alerts.risk.assessment import Assessment, Reason
from alerts.risk.behaviour import Behaviour, attended
from alerts.risk.signs import SIGNS, Standing, signs_on, standing
from alerts.risk.words import reason_in_words, reasons_in_words

__all__ = [
    "Assessment",
    "Reason",
    "Table",
    "assess",
    "assess_on",
    "load_table",
    "reason_in_words",
    "reasons_in_words",
    "what_would_lower",
]

TABLES = Path(__file__).parent / "tables"


class Term(msgspec.Struct, frozen=True):
    """Points for one sign: `points[i]` from `cuts[i-1]` (included) up to `cuts[i]` (excluded)."""

    code: str
    sign: str
    cuts: tuple[float, ...]
    points: tuple[int, ...]
    numbers: tuple[str, ...] = ()


Line = tuple[str, int, tuple[float, ...], tuple[int, ...], tuple[int, ...]]


class Table(msgspec.Struct):
    """One version: terms, and the risk of each whole score from `lowest` upwards.

    `middle` and `high` are risks of 28 days (0 to 1). `lines` are the terms by position of sign.
    """

    version: str
    middle: float
    high: float
    terms: tuple[Term, ...]
    lowest: int
    risk28: tuple[float, ...]
    risk14: tuple[float, ...]
    lines: tuple[Line, ...] = ()

    def __post_init__(self) -> None:
        self.lines = tuple(_line(term) for term in self.terms)


def _line(term: Term) -> Line:
    numbers = tuple(SIGNS.index(name) for name in term.numbers)
    return term.code, SIGNS.index(term.sign), term.cuts, term.points, numbers


@cache
def load_table(version: str | None = None) -> Table:
    """The table of `version`; the one named in `tables/CURRENT` if None.

    Raises FileNotFoundError for a version that was never committed.
    """
    name = version or (TABLES / "CURRENT").read_text(encoding="utf-8").strip()
    return msgspec.json.decode((TABLES / f"{name}.json").read_bytes(), type=Table)


def assess(b: Behaviour, day: int, table: Table) -> Assessment:
    """The risk at the end of `day` by `table`. Points are whole; their sum is the score."""
    return assess_on(day, standing(b), table)


def assess_on(day: int, known: Standing, table: Table) -> Assessment:
    """`assess` for one of several days in a row without a new fact."""
    signs = signs_on(day, known)
    score, reasons = 0, []
    for code, sign, cuts, points, numbers in table.lines:
        got = points[bisect_right(cuts, signs[sign])]
        if got:
            score += got
            reasons.append(Reason(code, got, tuple([signs[n] for n in numbers])))
    place = min(max(score - table.lowest, 0), len(table.risk28) - 1)
    return Assessment(table.risk28[place], table.risk14[place], score, tuple(reasons))


def what_would_lower(b: Behaviour, day: int, table: Table) -> tuple[float, float]:
    """The 28-day risk as it is, and as it would be if the person were seen on `day`."""
    seen = msgspec.structs.replace(b, seats=list(b.seats))
    attended(seen, day)
    return assess(b, day, table).risk28, assess(seen, day, table).risk28
