"""Would a clinic's own first weeks mend the chance there? Measured before it is built.

The files know no clinic and no calendar: people of the other trial are drawn into clinics and
arrive evenly over half a year. After eight weeks a clinic knows what became of its first days;
from these a line through the logit of the table's chance is fitted, held to the table by a ridge.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from alerts.risk.training.compare import elsewhere, table, trials_of
from alerts.risk.training.histories import Days, Floats

PEOPLE, ARRIVE_DAYS, KNOWN_DAYS, HORIZON = 60, 182, 56, 28
# How many days' worth of outcomes the table's own line weighs.
RIDGES = (30.0, 100.0, 300.0)
BINS, SMALLEST = 10, 1e-4


@dataclass(frozen=True)
class Told:
    """Calibration of some chances: error by tenths of the days, and the slope of their logit."""

    ece: float
    slope: float


def measure(days: Days, draws: int, say: Callable[[str], None], seed: int = 0) -> None:
    """Print, for each trial from the other, calibration after eight weeks with and without."""
    rows = dict(trials_of(days))
    for here, mine in rows.items():
        for there, theirs in rows.items():
            if here == there:
                continue
            new = days.where(theirs & days.landmark)
            chance = elsewhere(table, days.where(mine), new)
            say(f"\n{here} to {there}: after {KNOWN_DAYS} days in clinics of {PEOPLE}")
            say(_line("the table as it is", _all(new, chance, draws, seed, None, shift_only=False)))
            for ridge in RIDGES:
                for shift_only in (True, False):
                    what = "shift" if shift_only else "shift and slope"
                    told = _all(new, chance, draws, seed, ridge, shift_only=shift_only)
                    say(_line(f"{what}, ridge {ridge:.0f}", told))


def _all(
    days: Days, chance: Floats, draws: int, seed: int, ridge: float | None, *, shift_only: bool
) -> list[Told]:
    """One for each drawing of the clinics, over the days that come after the eight weeks."""
    found = []
    for draw in range(draws):
        random = np.random.default_rng([seed, draw])
        mended, late = chance.copy(), np.zeros(len(chance), dtype=bool)
        for rows, at in _clinics(days, random):
            known = rows[(at + HORIZON <= KNOWN_DAYS) & ~np.isnan(days.gone28[rows])]
            after = rows[at > KNOWN_DAYS]
            late[after] = True
            if ridge is not None and len(known):
                line = _fit(chance[known], days.gone28[known], ridge, shift_only=shift_only)
                mended[after] = _bent(chance[after], *line)
        judged = late & ~np.isnan(days.gone28)
        found.append(told(mended[judged], days.gone28[judged]))
    return found


def _clinics(
    days: Days, random: np.random.Generator
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """The rows of each drawn clinic, and the day of the clinic on which each lies."""
    people, which = np.unique(days.people, return_inverse=True)
    first = np.full(len(people), np.inf)
    np.minimum.at(first, which, days.days)
    clinic = random.permutation(len(people)) // PEOPLE
    arrives = random.uniform(0, ARRIVE_DAYS, len(people))
    at = days.days - first[which] + arrives[which]
    for number in range(clinic.max() + 1):
        rows = np.flatnonzero(clinic[which] == number)
        yield rows, at[rows]


def _fit(chance: Floats, gone: Floats, ridge: float, *, shift_only: bool) -> tuple[float, float]:
    """Shift and slope on the logit, by Newton's steps, drawn towards 0 and 1."""
    x, shift, slope = logit(chance), 0.0, 1.0
    weigh = ridge * float(np.mean(gone) * (1 - np.mean(gone)) + SMALLEST)
    for _ in range(30):
        p = 1 / (1 + np.exp(-(shift + slope * x)))
        w = p * (1 - p)
        pull = np.array([np.sum(gone - p) - weigh * shift, np.sum((gone - p) * x)])
        pull[1] -= weigh * (slope - 1)
        bend = np.array(
            [[w.sum() + weigh, (w * x).sum()], [(w * x).sum(), (w * x * x).sum() + weigh]]
        )
        if shift_only:
            shift += float(pull[0] / bend[0, 0])
            continue
        step = np.linalg.solve(bend, pull)
        shift, slope = shift + float(step[0]), slope + float(step[1])
    return shift, slope


def _bent(chance: Floats, shift: float, slope: float) -> Floats:
    return np.asarray(1 / (1 + np.exp(-(shift + slope * logit(chance)))))


def logit(chance: Floats) -> Floats:
    """Of chances kept off 0 and 1."""
    kept = np.clip(chance, SMALLEST, 1 - SMALLEST)
    return np.asarray(np.log(kept / (1 - kept)))


def told(chance: Floats, gone: Floats) -> Told:
    """How true these chances are."""
    parts = np.array_split(np.argsort(chance, kind="stable"), BINS)
    ece = sum(len(p) * abs(float(chance[p].mean() - gone[p].mean())) for p in parts) / len(chance)
    line = LogisticRegression(C=1e6, max_iter=1000).fit(logit(chance)[:, None], gone.astype(int))
    return Told(ece, float(line.coef_[0, 0]))


def _line(name: str, found: list[Told]) -> str:
    return f"{name:28s} ECE {_middle([t.ece for t in found])}  slope {_middle([t.slope for t in found])}"


def _middle(values: list[float]) -> str:
    low, middle, high = np.quantile(values, (0.025, 0.5, 0.975))
    return f"{middle:.3f} [{low:.3f}-{high:.3f}]"
