"""Recurring sessions: RFC 5545 rules in the site's local time, and the moments they fall on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache

import holidays as calendars
from dateutil.rrule import rrule, rrulestr

from handrail.receipts import Rejected
from handrail.sites import zone_of

FIELD = "recurrence"
_PARTS = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "WKST"})
_FREQUENCIES = frozenset({"DAILY", "WEEKLY", "MONTHLY"})
MAX_INTERVAL = 52
MAX_COUNT = 2000
MAX_DATES = 400


@dataclass(frozen=True, slots=True)
class Recurrence:
    """When a series is held, in local time without an offset."""

    starts: datetime
    rule: rrule | None
    added: frozenset[datetime]
    left_out: frozenset[datetime]
    days_left_out: frozenset[date]


@lru_cache(maxsize=1024)
def parse(text: str, time_zone: str) -> Recurrence:
    """The properties DTSTART, RRULE, RDATE and EXDATE, one a line (RFC 5545, 3.8).

    Times are local; a TZID must be the site's. Raises Rejected.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for line in text.split():
        head, colon, value = line.partition(":")
        name, _, parameters = head.upper().partition(";")
        if not colon or name not in ("DTSTART", "RRULE", "RDATE", "EXDATE"):
            raise _unreadable("Write DTSTART, RRULE, RDATE and EXDATE, one a line.")
        found.setdefault(name, []).append((_kind(parameters, head, time_zone), value.upper()))
    if len(found.get("DTSTART", ())) != 1 or len(found.get("RRULE", ())) > 1:
        raise _unreadable("Give one DTSTART, and one RRULE at most.")
    [(kind, value)] = found["DTSTART"]
    starts = _moment(value) if kind == "DATE-TIME" else _no_hour()
    left_out = [pair for pair in found.get("EXDATE", ()) if pair[0] == "DATE-TIME"]
    whole_days = [pair for pair in found.get("EXDATE", ()) if pair[0] == "DATE"]
    added = [_moment(v) if kind == "DATE-TIME" else _no_hour() for kind, v in _each(found, "RDATE")]
    rule = found.get("RRULE")
    return Recurrence(
        starts,
        _rule(rule[0][1], starts) if rule else None,
        frozenset(added if rule else [starts, *added]),
        frozenset(_moment(v) for _, many in left_out for v in _split(many)),
        frozenset(_day(v) for _, many in whole_days for v in _split(many)),
    )


def held_at(
    recurrence: Recurrence, holidays: str | None, first: date, last: date
) -> Iterator[datetime]:
    """The local starts from the first to the last day, in order; none on a holiday of the rule.

    A date that was added is held on a holiday too.
    """
    begin = datetime.combine(first, datetime.min.time())
    end = datetime.combine(last, datetime.max.time())
    by_rule: set[datetime] = set()
    if recurrence.rule is not None:
        by_rule = set(recurrence.rule.between(begin, end, inc=True))
    if holidays:
        closed = _holidays(holidays)
        by_rule = {at for at in by_rule if at.date() not in closed}
    added = {at for at in recurrence.added if begin <= at <= end}
    for at in sorted(by_rule | added):
        if at not in recurrence.left_out and at.date() not in recurrence.days_left_out:
            yield at


def instant(local: datetime, time_zone: str) -> datetime:
    """The moment of a local time.

    Where clocks jump over it, the offset before holds; where it comes twice, it is the first
    (RFC 5545, 3.3.5).
    """
    return local.replace(tzinfo=zone_of(time_zone), fold=0).astimezone(UTC)


def require_calendar(holidays: str | None) -> None:
    """Raise Rejected when nobody knows the holidays of that place."""
    try:
        if holidays:
            _holidays(holidays)
    except NotImplementedError as error:
        raise Rejected("calendar_not_known", "Write US, or US-NJ.", "holidays") from error


@lru_cache(maxsize=64)
def _holidays(place: str) -> calendars.HolidayBase:
    country, _, part = place.partition("-")
    return calendars.country_holidays(country, subdiv=part or None)


def _kind(parameters: str, head: str, time_zone: str) -> str:
    kind = "DATE-TIME"
    for parameter in filter(None, parameters.split(";")):
        name, _, value = parameter.partition("=")
        if name == "TZID":
            if time_zone.upper() != value:
                raise Rejected("wrong_time_zone", "The TZID must be the site's own.", FIELD)
        elif name == "VALUE" and value in ("DATE", "DATE-TIME"):
            kind = value
        else:
            raise _unreadable(f"{head.partition(';')[0].upper()} takes TZID and VALUE only.")
    return kind


def _each(found: dict[str, list[tuple[str, str]]], name: str) -> Iterator[tuple[str, str]]:
    for kind, many in found.get(name, ()):
        for value in _split(many):
            yield kind, value


def _split(many: str) -> list[str]:
    values = many.split(",")
    if len(values) > MAX_DATES:
        raise _unreadable(f"Name {MAX_DATES} dates at most.")
    return values


def _rule(text: str, starts: datetime) -> rrule:
    parts = dict(part.partition("=")[::2] for part in text.split(";"))
    if not _PARTS.issuperset(parts) or parts.get("FREQ") not in _FREQUENCIES:
        raise _unreadable(
            "FREQ is DAILY, WEEKLY or MONTHLY; of the rest use "
            + ", ".join(sorted(_PARTS - {"FREQ"}))
            + "."
        )
    interval, count = parts.get("INTERVAL", "1"), parts.get("COUNT", "1")
    if not (_is_within(interval, MAX_INTERVAL) and _is_within(count, MAX_COUNT)):
        raise _unreadable(f"INTERVAL is at most {MAX_INTERVAL}, COUNT at most {MAX_COUNT}.")
    # What could fall on no day at all would be looked for without an end.
    skips_days = parts["FREQ"] == "DAILY" and interval != "1"
    if "BYDAY" in parts and ("BYMONTHDAY" in parts or skips_days):
        raise _unreadable("BYDAY goes with neither BYMONTHDAY nor every so many days.")
    if "BYMONTHDAY" in parts and parts["FREQ"] != "MONTHLY":
        raise _unreadable("BYMONTHDAY goes with MONTHLY.")
    if parts.get("UNTIL", "").endswith("Z"):
        raise Rejected("wrong_time_zone", "UNTIL is in the site's local time.", FIELD)
    try:
        rule = rrulestr(text, dtstart=starts)
        is_ever = isinstance(rule, rrule) and rule.after(starts, inc=True) is not None
    except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        raise _unreadable("The RRULE cannot be read (RFC 5545, 3.3.10).") from error
    if not isinstance(rule, rrule) or not is_ever:
        raise _unreadable("There is no day that the RRULE falls on.")
    return rule


def _is_within(text: str, most: int) -> bool:
    return text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= most


def _moment(text: str) -> datetime:
    if text.endswith("Z"):
        raise Rejected("wrong_time_zone", "Write the site's local time, without Z.", FIELD)
    return _read(text, "%Y%m%dT%H%M%S")


def _day(text: str) -> date:
    return _read(text, "%Y%m%d").date()


def _read(text: str, form: str) -> datetime:
    try:
        at = datetime.strptime(text, form)  # noqa: DTZ007  # local time, on purpose
    except ValueError as error:
        raise _unreadable("Write a time like 20260302T173000, a day like 20260302.") from error
    if not datetime(1900, 1, 1) <= at < datetime(2200, 1, 1):  # noqa: DTZ001
        raise _unreadable("That year cannot be reckoned with.")
    return at


def _no_hour() -> datetime:
    raise _unreadable("DTSTART and RDATE need an hour.")


def _unreadable(detail: str) -> Rejected:
    return Rejected("recurrence_unreadable", detail, FIELD)
