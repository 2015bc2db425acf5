"""Places in the drawings of the quality board; the numbers stand beside them in words. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

BAR, EDGE = 120.0, 4.0
WIDTH, HEIGHT = 600.0, 140.0


@dataclass(frozen=True, slots=True)
class Whisker:
    """A share from 0 to 1 with its interval, from left to right."""

    dot: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Trend:
    """Values week by week and the budget: bars as (x, y, width, height)."""

    bars: list[tuple[float, float, float, float]]
    budget: float
    top: float


def whisker(share: Mapping[str, Any] | None) -> Whisker | None:
    """None where there is no share to draw."""
    if not share or share["value"] is None:
        return None
    return Whisker(*(_across(share[name]) for name in ("value", "low", "high")))


def bar(value: float | None, most: float) -> float:
    """How long a bar is, of BAR."""
    return round(BAR * min(value / most, 1), 1) if value and most > 0 else 0.0


def trend(values: Sequence[float], budget: float) -> Trend | None:
    """None where there is nothing to draw."""
    if not values:
        return None
    top = max(*values, budget, 1e-9) * 1.1
    step = WIDTH / len(values)
    bars = [
        (
            round(n * step + step * 0.15, 1),
            round(_up(value, top), 1),
            round(step * 0.7, 1),
            round(HEIGHT - _up(value, top), 1),
        )
        for n, value in enumerate(values)
    ]
    return Trend(bars, round(_up(budget, top), 1), top)


def weekly_rates(
    pushed: Mapping[date, int], days: Mapping[date, int]
) -> list[tuple[date, float, int]]:
    """Alerts per 100 patient-weeks of each week somebody was assessed in: (Monday, rate, alerts)."""
    return [
        (monday, pushed.get(monday, 0) / (days[monday] / 7) * 100, pushed.get(monday, 0))
        for monday in sorted(days)
        if days[monday]
    ]


def _across(share: float) -> float:
    return round(EDGE + share * (BAR - 2 * EDGE), 1)


def _up(value: float, top: float) -> float:
    return HEIGHT - value / top * HEIGHT
