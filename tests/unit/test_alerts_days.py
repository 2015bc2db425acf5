"""Which days are ended when every owner has closed one."""

from datetime import date
from uuid import UUID

import pytest

from alerts.concern import _days
from alerts.facts import Fact
from alerts.store import Row

MARCH = date(2026, 3, 1).toordinal() - 1


def rows(*recorded: int) -> list[Row]:
    """A person a fact, each recorded on that day of March."""
    made = []
    for n, day in enumerate(recorded):
        row = Row.new(UUID(int=n), "north", 0)
        row.record.waiting.append(Fact(MARCH + day, 0, "intake", 1, "referred", MARCH + day))
        made.append(row)
    return made


@pytest.mark.parametrize(
    ("before", "recorded", "ended"),
    [
        (3, [], [4, 5, 6]),
        (5, [], [6]),
        # Never ended before: whatever the first batch holds, no day with a fact is skipped.
        (None, [], [6]),
        (None, [6], [6]),
        (None, [5, 2, 4], [2, 3, 4, 5, 6]),
        (None, [9], [6]),
    ],
)
def test_days_end_in_order_from_the_first_fact_on(
    before: int | None, recorded: list[int], ended: list[int]
) -> None:
    after = None if before is None else date(2026, 3, before)

    days = _days(rows(*recorded), after, date(2026, 3, 6))

    assert [day - MARCH for day in days] == ended
