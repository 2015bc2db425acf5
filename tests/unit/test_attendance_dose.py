"""The dose of a week against its plan."""

from datetime import date

import pytest

from attendance import dose

MONDAY, WEDNESDAY, SUNDAY = date(2024, 3, 4), date(2024, 3, 6), date(2024, 3, 10)
VISITS = [
    (date(2024, 3, 3), "group", 180),
    (MONDAY, "group", 180),
    (WEDNESDAY, "individual", 60),
    (date(2024, 3, 8), "group", 120),
    (date(2024, 3, 11), "group", 180),
]


@pytest.mark.parametrize(
    ("day", "planned", "minutes", "kinds", "share"),
    [
        (MONDAY, 540, 180, {"group": 180}, 0.3333),
        (WEDNESDAY, 540, 240, {"group": 180, "individual": 60}, 0.4444),
        (SUNDAY, 540, 360, {"group": 300, "individual": 60}, 0.6667),
        (SUNDAY, 360, 360, {"group": 300, "individual": 60}, 1.0),
        (SUNDAY, 0, 360, {"group": 300, "individual": 60}, None),
        (SUNDAY, None, 360, {"group": 300, "individual": 60}, None),
        (date(2024, 3, 20), 540, 0, {}, 0.0),
    ],
)
def test_a_week_runs_from_monday_and_counts_what_was_received_so_far(
    day: date, planned: int | None, minutes: int, kinds: dict[str, int], share: float | None
) -> None:
    told = dose.dose(day, planned, VISITS)
    assert (told["minutes"], told["by_session_type"], told["share"]) == (minutes, kinds, share)
