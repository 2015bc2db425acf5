"""The clock from the referral to the first session, as tables staff can read."""

from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from uuid import UUID

import pytest

from handrail.sites import Site
from intake.rules import clock
from intake.rules.clock import Clock, Visit

REFERRED = datetime(2026, 3, 5, 12, tzinfo=UTC)
SITE = Site("north", "America/New_York", "wall", date(2026, 3, 4))
FIRST, SECOND = UUID(int=1), UUID(int=2)


def hours(count: float) -> datetime:
    return REFERRED + timedelta(hours=count)


def visit(session_id: UUID, after: float) -> Visit:
    return Visit(session_id, SITE.day_of(hours(after)), hours(after))


def waits(status: str = "referred") -> Clock:
    return Clock(UUID(int=9), "north", status, "self", REFERRED)


@pytest.mark.parametrize(
    ("seen", "at", "state"),
    [
        (None, 0, "running"),
        (None, 23.9, "running"),
        (None, 24, "going_cold"),
        (None, 47.9, "going_cold"),
        (None, 48, "cold"),
        (None, 900, "cold"),
        (1, 900, "in_time"),
        (48, 900, "in_time"),
        (48.1, 900, "late"),
    ],
)
def test_how_a_clock_stands(seen: float | None, at: float, state: str) -> None:
    seen_at = None if seen is None else hours(seen)

    assert clock.state(REFERRED, seen_at, hours(at)) == state
    if seen is None:
        assert (clock.cold_from(hours(at)) >= REFERRED) is (state != "running")


@pytest.mark.parametrize(
    ("told_at", "at"),
    [
        (datetime(2026, 3, 6, 1, tzinfo=UTC), datetime(2026, 3, 6, 1, tzinfo=UTC)),
        (datetime(2026, 3, 9, 1, tzinfo=UTC), datetime(2026, 3, 6, 4, 59, 59, 999999, UTC)),
    ],
)
def test_a_late_roster_does_not_make_a_visit_late(told_at: datetime, at: datetime) -> None:
    assert clock.visited(SITE, FIRST, date(2026, 3, 5), told_at).attended_at == at


@pytest.mark.parametrize(
    ("status", "seen", "day", "is_cold"),
    [
        ("referred", None, date(2026, 3, 6), False),
        ("referred", None, date(2026, 3, 7), True),
        ("waitlisted", None, date(2026, 3, 7), True),
        ("admitted", None, date(2026, 3, 7), True),
        ("admitted", 30, date(2026, 3, 7), False),
        ("on_hold", None, date(2026, 3, 7), False),
        ("lost", None, date(2026, 3, 7), False),
        ("declined", None, date(2026, 3, 7), False),
    ],
)
def test_the_end_of_a_day_tells_once_who_went_cold(
    status: str, seen: float | None, day: date, is_cold: bool  # noqa: FBT001
) -> None:  # fmt: skip
    one = waits(status)
    if seen:
        clock.see(one, FIRST, visit(FIRST, seen))

    event = clock.end_day(one, SITE, day)

    assert (event is not None) is is_cold
    assert clock.end_day(one, SITE, day) is None
    if event:
        assert (event.due_at, event.hours) == (hours(48), 48)


def test_the_first_session_is_the_same_in_whatever_order_it_is_heard_of() -> None:
    heard = [(FIRST, visit(FIRST, 30)), (SECOND, visit(SECOND, 60)), (SECOND, visit(SECOND, 20))]
    for order in permutations(heard[:2]):
        one = waits()
        for session_id, seen in order:
            clock.see(one, session_id, seen)
        assert one.first == visit(FIRST, 30)
        clock.see(one, *heard[2])
        assert one.first == visit(SECOND, 20)


def test_a_correction_finds_the_next_visit_or_starts_the_clock_again() -> None:
    one = waits()
    assert clock.see(one, FIRST, visit(FIRST, 30))
    assert not clock.see(one, SECOND, visit(SECOND, 60))

    assert clock.see(one, FIRST, None)
    assert one.first == visit(SECOND, 60)
    assert not clock.see(one, FIRST, None)
    assert clock.see(one, SECOND, None)
    assert one.first is None
