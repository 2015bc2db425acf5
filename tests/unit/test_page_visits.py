"""How attendance's rows stand in the calendar, as a table a nurse can read."""

from datetime import date
from typing import Any

import pytest

from alerts.page.strip import Seat, Week, with_seats
from alerts.page.visits import seats_by_day

MONDAY, TUESDAY = date(2026, 11, 2), date(2026, 11, 3)
ROW: dict[str, Any] = {
    "session_type": "group",
    "held_on": "2026-11-02",
    "planned_on": "2026-11-02",
    "attended_on": None,
    "status": "scheduled",
    "minutes": 0,
    "minutes_late": 0,
    "left_early": False,
    "made_up_in": None,
    "moved_to": None,
}
CAME = {"status": "attended", "attended_on": "2026-11-02", "minutes": 180}


@pytest.mark.parametrize(
    ("row", "day", "seat"),
    [
        (CAME, MONDAY, Seat("attended", 180, 0, "group")),
        (CAME | {"minutes_late": 20}, MONDAY, Seat("late", 180, 20, "group")),
        (CAME | {"left_early": True}, MONDAY, Seat("attended", 180, 0, "group", early=True)),
        (CAME | {"attended_on": "2026-11-03"}, TUESDAY, Seat("made_up", 180, 0, "group")),
        (CAME | {"planned_on": None}, MONDAY, Seat("attended", 180, 0, "group")),
        ({"status": "no_show"}, MONDAY, Seat("missed", session_type="group")),
        (
            {"status": "late_cancellation"},
            MONDAY,
            Seat("late_cancellation", session_type="group"),
        ),
        ({"status": "no_show", "made_up_in": "x"}, MONDAY, Seat("made_up", session_type="group")),
        ({"status": "scheduled", "moved_to": "x"}, MONDAY, Seat("moved", session_type="group")),
        ({"status": "cancelled_by_program"}, MONDAY, Seat("unheld", session_type="group")),
        ({"status": "excused"}, MONDAY, Seat("excused", session_type="group")),
        ({}, MONDAY, Seat("scheduled", session_type="group")),
    ],
)
def test_a_seat_stands_on_its_day_as_what_became_of_it(
    row: dict[str, Any], day: date, seat: Seat
) -> None:
    assert seats_by_day([ROW | row]) == {day: [seat]}


def test_a_week_counts_the_minutes_of_its_seats_and_keeps_its_plan() -> None:
    week = Week(MONDAY, [(MONDAY, []), (TUESDAY, [])], received=5, planned=540)
    seats = seats_by_day([ROW | CAME, ROW | CAME | {"attended_on": "2026-11-03", "minutes": 60}])
    [found] = with_seats([week], seats)
    assert (found.received, found.planned) == (240, 540)
    assert [len(on_day) for _, on_day in found.days] == [1, 1]
