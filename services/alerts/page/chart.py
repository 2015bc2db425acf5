"""The risk over time as one line of a drawing; numbers stand in a table beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, EDGE = 600, 120, 8


@dataclass(frozen=True, slots=True)
class Line:
    """Points of a polyline, and where its thresholds lie."""

    points: str
    last: tuple[float, float]
    middle: float
    high: float


def risk_line(risks: Sequence[float], middle: float, high: float) -> Line | None:
    """Risks (0 to 1) from left to right; None when there are fewer than two."""
    if len(risks) < 2:
        return None
    step = (WIDTH - 2 * EDGE) / (len(risks) - 1)
    places = [(round(EDGE + n * step, 1), _height(risk)) for n, risk in enumerate(risks)]
    words = " ".join(f"{x:g},{y:g}" for x, y in places)
    return Line(words, places[-1], _height(middle), _height(high))


def _height(risk: float) -> float:
    return round(HEIGHT - EDGE - risk * (HEIGHT - 2 * EDGE), 1)
