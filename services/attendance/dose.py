"""Minutes received this week against the plan's week: a pure function of a week's visits."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import TypedDict

Visit = tuple[date, str, int]


class Dose(TypedDict):
    """One week's dose, from Monday; shares are of the whole plan and of the days gone."""

    week_starts_on: date
    planned_minutes: int | None
    minutes: int
    by_session_type: dict[str, int]
    share: float | None
    share_expected: float


def week_of(day: date) -> tuple[date, date]:
    """The Monday before a day, and the day."""
    return day - timedelta(days=day.weekday()), day


def dose(day: date, planned_minutes: int | None, visits: Iterable[Visit]) -> Dose:
    """The dose of the week of `day` up to and with it; a visit is (day, session type, minutes)."""
    monday, _ = week_of(day)
    kinds: dict[str, int] = {}
    for seen_on, session_type, minutes in visits:
        if monday <= seen_on <= day:
            kinds[session_type] = kinds.get(session_type, 0) + minutes
    total = sum(kinds.values())
    return {
        "week_starts_on": monday,
        "planned_minutes": planned_minutes,
        "minutes": total,
        "by_session_type": dict(sorted(kinds.items())),
        "share": round(total / planned_minutes, 4) if planned_minutes else None,
        "share_expected": round((day.weekday() + 1) / 7, 4),
    }
