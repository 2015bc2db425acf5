"""The census and the dose of each day of a period. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from alerts.reports.case import Case
from alerts.reports.figures import Period
from alerts.reports.small import LEAST


@dataclass(frozen=True, slots=True)
class Day:
    """Open admissions at the day's end, people seen that day, and minutes received."""

    day: date
    census: int | None
    seen: int | None
    minutes: int | None


def days(everyone: Iterable[Case], period: Period) -> list[Day]:
    """One row a day, in order."""
    last = min(period.last, period.as_of)
    opened: Counter[int] = Counter()
    seen: Counter[int] = Counter()
    minutes: Counter[int] = Counter()
    for case in everyone:
        if case.is_merged:
            continue
        if case.admitted is not None:
            opened[case.admitted] += 1
            if case.ended is not None:
                opened[max(case.ended, case.admitted)] -= 1
        seen.update({day for day, _ in case.visits})
        for day, received in case.visits:
            minutes[day] += received
    census = sum(change for day, change in opened.items() if day < period.first)
    rows = []
    for day in range(period.first, last + 1):
        census += opened[day]
        rows.append(Day(date.fromordinal(day), census, seen[day], minutes[day]))
    return rows


def shown(rows: Iterable[Day]) -> list[Day]:
    """The days as they may be shown: no number that fewer than 11 people stand behind."""
    return [
        replace(
            row,
            census=_or_none(row.census, row.census),
            seen=_or_none(row.seen, row.seen),
            minutes=_or_none(row.minutes, row.seen),
        )
        for row in rows
    ]


def _or_none(number: int | None, people: int | None) -> int | None:
    return number if people is not None and people >= LEAST else None
