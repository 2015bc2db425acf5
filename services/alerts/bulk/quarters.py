"""The quarters that are exported: each once, as it was known at the end of the one after it. Pure.

A report of other days, or of the same days known at another time, could be laid beside it to find
out about one person; so there is no other, and a quarter's report is the same in every export.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from alerts.reports.figures import Period

MOST = 20
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Quarter:
    """Three months, both ends included, and the day on which they were known."""

    first: date
    last: date
    as_of: date

    def period(self) -> Period:
        """The same as a report counts days."""
        return Period(self.first.toordinal(), self.last.toordinal(), self.as_of.toordinal())


def quarter_of(day: date) -> Quarter:
    """The quarter that a day lies in."""
    first = date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)
    then = _next(first)
    return Quarter(first, then - _ONE_DAY, _next(then) - _ONE_DAY)


def known(begun: date, through: date, since: date | None) -> list[Quarter]:
    """The newest quarters that are known by `through`, from the one of `begun` on; oldest first.

    With `since`, only those that became known on that day or later.
    """
    found, one = [], quarter_of(begun)
    while one.as_of <= through:
        if since is None or one.as_of >= since:
            found.append(one)
        one = quarter_of(one.last + _ONE_DAY)
    return found[-MOST:]


def _next(first: date) -> date:
    """The first day of the next quarter."""
    month = first.month + 3
    return date(first.year + month // 12, month % 12, 1)
