"""The drawings of the quality board, place by place."""

from datetime import date
from typing import Any

import pytest

from alerts.page import plots

ONE, TWO = date(2026, 11, 2), date(2026, 11, 9)


@pytest.mark.parametrize(
    ("share", "places"),
    [
        (None, None),
        ({"value": None, "low": None, "high": None}, None),
        ({"value": 0.5, "low": 0.0, "high": 1.0}, (60.0, 4.0, 116.0)),
        ({"value": 0.25, "low": 0.25, "high": 0.25}, (32.0, 32.0, 32.0)),
    ],
)
def test_a_share_stands_between_its_ends(share: Any, places: tuple[float, ...] | None) -> None:
    found = plots.whisker(share)
    assert (found and (found.dot, found.low, found.high)) == places


@pytest.mark.parametrize(
    ("value", "most", "length"),
    [(None, 5, 0), (0, 5, 0), (5, 5, 120), (2.5, 5, 60), (9, 5, 120), (3, 0, 0)],
)
def test_a_bar_is_as_long_as_its_share(value: float | None, most: float, length: float) -> None:
    assert plots.bar(value, most) == length


def test_a_week_is_measured_by_the_people_in_it_and_one_without_people_is_left_out() -> None:
    rates = plots.weekly_rates({ONE: 3, TWO: 1}, {TWO: 70, ONE: 140, date(2026, 11, 16): 0})
    assert rates == [(ONE, 15.0, 3), (TWO, 10.0, 1)]


def test_bars_and_budget_share_one_scale_and_stay_inside() -> None:
    drawn = plots.trend([10, 20], budget=10)
    assert drawn is not None
    (_, low, _, _), (right, high, width, height) = drawn.bars
    assert low == drawn.budget
    assert 0 < high < low < plots.HEIGHT
    assert right + width < plots.WIDTH
    assert high + height == pytest.approx(plots.HEIGHT, abs=0.2)


def test_nothing_to_draw_is_no_drawing_and_no_budget_is_at_the_ground() -> None:
    assert plots.trend([], 10) is None
    silent = plots.trend([0, 0], 0)
    assert silent is not None
    assert silent.budget == plots.HEIGHT
