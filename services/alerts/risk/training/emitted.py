"""Alerts as a replay emitted them, group by group: an audit with intervals over people."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerts.risk.training.fairness import FEWEST, SEED, Groups
from alerts.risk.training.histories import Floats, rows_of

HEAD = "| group | people | alerts a 100 weeks | PPV | flagged by L+10 | told over seen |"


def lines(scorer: ModuleType, truth: Any, groups: Groups, out: Path, draws: int) -> Iterator[str]:
    """A table for the model card: each group of 30 people or more, of a replay's folder `out`.

    `told over seen` is the mean chance of 28 days at the landmarks over the share that left.
    """
    raised, right, episodes, flagged, *_ = scorer.ops(truth, _alerts(truth, out))
    told, gone = _told(scorer, truth, out)
    sums = np.column_stack([raised, truth.w, right, flagged[:, 1], episodes, told, gone])
    yield HEAD
    yield "|---|---|---|---|---|---|"
    everyone = {"everyone": np.ones(len(truth.pats), dtype=bool)}
    for name, inside in (everyone | groups).items():
        if inside.sum() < FEWEST:
            continue
        yield f"| {name} | {inside.sum()} | {' | '.join(_shares(sums[inside], draws))} |"


def _alerts(truth: Any, out: Path) -> list[tuple[str, int]]:
    rows = ((row["patient_id"], int(row["day"])) for row in rows_of(out / "alerts.csv"))
    return sorted({(p, day) for p, day in rows if p in truth.ix and day in truth.aday[p]})


def _told(scorer: ModuleType, truth: Any, out: Path) -> tuple[Floats, Floats]:
    """Each person's sum of chances and of departures, over the landmarks whose end is known."""
    import pandas as pd  # noqa: PLC0415  # the scorer's own tool

    at = scorer.asof(pd.read_csv(out / "predictions.csv"), truth.lm[truth.lm.y28.notna()])
    place = at.patient_id.map(truth.ix).to_numpy()
    told, gone = np.zeros(len(truth.pats)), np.zeros(len(truth.pats))
    np.add.at(told, place, at.risk.fillna(0).to_numpy())
    np.add.at(gone, place, at.y28.to_numpy(dtype=float))
    return told, gone


def _shares(sums: Floats, draws: int) -> list[str]:
    chance, size = np.random.default_rng(SEED), len(sums)
    drawn = [_ratios(sums[chance.integers(0, size, size)]) for _ in range(draws)]
    low, high = np.nanpercentile(drawn, [2.5, 97.5], axis=0)
    found = zip(_ratios(sums), low, high, (2, 3, 3, 2), strict=True)
    return [f"{v:.{n}f} [{a:.{n}f}-{b:.{n}f}]" for v, a, b, n in found]


def _ratios(sums: Floats) -> NDArray[np.float64]:
    raised, weeks, right, flagged, episodes, told, gone = sums.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.array([100 * raised / weeks, right / raised, flagged / episodes, told / gone])
