"""Which days are ended when every owner has closed one."""

from datetime import date
from uuid import UUID

import pytest

from alerts.concern import Batch, _days
from alerts.facts import Fact
from alerts.policy import DEFAULT
from alerts.risk.table import load_table
from alerts.rules import Ladder
from alerts.store import Row

MARCH = date(2026, 3, 1).toordinal() - 1


def batch(*recorded: int, site_id: str = "north") -> Batch:
    """A person a fact, each recorded on that day of March."""
    rows = {}
    for n, day in enumerate(recorded):
        row = rows[UUID(int=n)] = Row.new(UUID(int=n), site_id, 0)
        row.record.waiting.append(Fact(MARCH + day, 0, "intake", 1, "referred", MARCH + day))
    return Batch(Ladder(DEFAULT, load_table()), 0, rows)


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

    days = _days(batch(*recorded), "north", after, date(2026, 3, 6))

    assert [day - MARCH for day in days] == ended


def test_another_sites_facts_do_not_count() -> None:
    assert len(_days(batch(1, site_id="south"), "north", None, date(2026, 3, 6))) == 1
