"""What the table may look like: its lines, which way each may only go, and where it may step."""

from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from alerts.risk.signs import SIGNS


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: points only rise with the sign, or only fall if `falls`."""

    code: str
    sign: str
    cuts: tuple[float, ...]
    numbers: tuple[str, ...]
    falls: bool = False


LINES = (
    Line("silence", "silence", (1.2, 2.2, 3, 3.5), ("silent_days", "interval")),
    Line(
        "recent_misses",
        "recent_misses",
        (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8),
        ("misses_weigh", "seats_weigh"),
    ),
    Line("recent_visits", "recent_visits", (1, 2, 3, 4, 5, 6), ("recent_visits",), falls=True),
    Line("sessions_known", "sessions_known", (2, 3, 5, 7, 9), ("sessions_known",), falls=True),
    Line(
        "time_in_care",
        "days_in_care",
        (14, 28, 42, 56, 70, 100, 130),
        ("days_in_care",),
        falls=True,
    ),
    Line("sparse_sessions", "interval", (8, 9, 10), ("interval",)),
    Line("unscreened_visits", "unscreened_visits", (1, 2, 3), ("unscreened_visits",)),
    Line("not_screened_yet", "not_screened_yet", (1,), ()),
    Line("last_screen", "last_positive", (1,), ("last_positive",)),
    Line("other_drugs", "last_others", (1, 2, 3), ("last_others",)),
    Line(
        "opioid_history",
        "opioid_history",
        (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
        ("opioids_found", "screened"),
    ),
    Line("level_unchanged", "stepped", (1,), (), falls=True),
)


def steps(signs: NDArray[np.float64], lines: tuple[Line, ...] = LINES) -> NDArray[np.int8]:
    """One column a cut of each line: 1 where the sign is on the side that raises the risk."""
    columns = chain.from_iterable(
        (_side(signs[:, SIGNS.index(line.sign)], cut, falls=line.falls) for cut in line.cuts)
        for line in lines
    )
    return np.column_stack(list(columns)).astype(np.int8)


def _side(values: NDArray[np.float64], cut: float, *, falls: bool) -> NDArray[np.bool_]:
    return values < cut if falls else values >= cut
