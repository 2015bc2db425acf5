"""Attendance as a calendar: a row a week, a cell a day, and the dose received against the plan."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from alerts.facts import Fact

WEEKS = 8
SESSION_TYPES = ("group", "individual", "family", "workshop", "medication")


@dataclass(frozen=True, slots=True)
class Seat:
    """What became of one seat on its day."""

    what: str
    minutes: int = 0
    late: int = 0
    session_type: str = ""
    early: bool = False


@dataclass(slots=True)
class Week:
    """One week from Monday; `planned` is None before there was a plan."""

    monday: date
    days: list[tuple[date, list[Seat]]]
    received: int = 0
    planned: int | None = None
    future: set[date] = field(default_factory=set)


def weeks(facts: Iterable[Fact], today: date, count: int = WEEKS) -> list[Week]:
    """The last `count` weeks up to `today`, the latest first."""
    known = sorted(facts, key=Fact.order)
    seats = _seats(known)
    monday = today - timedelta(days=today.weekday())
    return [_week(monday - timedelta(weeks=n), seats, known, today) for n in range(count)]


def with_seats(weeks: Iterable[Week], seats: dict[date, list[Seat]]) -> list[Week]:
    """The same weeks with the seats as attendance has them; the plan stays."""
    found = []
    for week in weeks:
        days = [(day, seats.get(day, [])) for day, _ in week.days]
        received = sum(seat.minutes for _, on_day in days for seat in on_day)
        found.append(replace(week, days=days, received=received))
    return found


def _week(monday: date, seats: dict[date, list[Seat]], facts: list[Fact], today: date) -> Week:
    days = [monday + timedelta(days=n) for n in range(7)]
    week = Week(monday, [(day, seats.get(day, [])) for day in days])
    week.future = {day for day in days if day > today}
    week.received = sum(s.minutes for _, on_day in week.days for s in on_day)
    plans = [
        int(fact.numbers[0])
        for fact in facts
        if fact.what in ("admitted", "planned")
        and date.fromordinal(fact.day or fact.recorded) <= days[-1]
    ]
    week.planned = plans[-1] if plans else None
    return week


def _seats(facts: list[Fact]) -> dict[date, list[Seat]]:
    """Each seat on its day, as the last that was said of it."""
    last: dict[str, tuple[date, Seat]] = {}
    types: dict[str, str] = {}
    for fact in facts:
        kind = next((c for c in fact.codes if c in SESSION_TYPES), "")
        types[fact.seat] = kind or types.get(fact.seat, "")
        told = _seat(fact, types[fact.seat])
        if told and fact.seat:
            last[fact.seat] = told
    found: dict[date, list[Seat]] = {}
    for day, seat in last.values():
        found.setdefault(day, []).append(seat)
    return found


def _seat(fact: Fact, session_type: str) -> tuple[date, Seat] | None:
    day = date.fromordinal(fact.day or fact.recorded)
    now = fact.codes[1] if fact.what == "corrected" else fact.what
    if now == "attended":
        planned, minutes, late = (int(n) for n in fact.numbers[:3])
        moved = planned >= 0 and planned != day.toordinal()
        what = "made_up" if moved else "late" if late else "attended"
        return day, Seat(what, minutes, late, session_type)
    if now in ("missed", "no_show", "late_cancellation"):
        kind = fact.codes[0] if fact.what == "missed" else now
        what = "late_cancellation" if kind == "late_cancellation" else "missed"
        return day, Seat(what, session_type=session_type)
    if now == "made_up":
        return day, Seat("made_up", int(sum(fact.numbers[1:2])), 0, session_type)
    if now == "excused":
        return day, Seat("excused", session_type=session_type)
    if now in ("unheld", "cancelled_by_program"):
        return day, Seat("unheld", session_type=session_type)
    return None
