"""An audit by group: what a person is goes into no score, only into this comparison."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from alerts.risk.training.histories import Days, Floats, rows_of

AGES = (30, 45)
FEWEST = 30
SEED = 20261125
Groups = dict[str, NDArray[np.bool_]]


def audit(data: Path, trials: list[str], days: Days, chance: Floats, draws: int) -> Iterator[str]:
    """A line a group: people, AUROC, and the chance told over the share seen; 95 % intervals."""
    for name, inside in groups_of(data, trials, days.people).items():
        part = inside & days.landmark & ~np.isnan(days.gone28)
        people = np.unique(days.people[part])
        if len(people) < FEWEST:
            yield f"{name:24s}{len(people):5d} people: too few to say"
            continue
        gone, told = days.gone28[part], chance[part]
        rank, over = (_interval(of, days.people[part], gone, told, draws) for of in (_auroc, _over))
        yield f"{name:24s}{len(people):5d} people, AUROC28 {rank}, told over seen {over}"


def groups_of(data: Path, trials: list[str], people: NDArray[np.str_]) -> Groups:
    """Which of `people` (a person may come again) are in each group."""
    known = {
        row["patient_id"]: row
        for trial in trials
        for row in rows_of(data / f"{trial}_intake.csv.gz")
    }
    rows = [known[person] for person in people]
    groups: Groups = {}
    for column, word in (("is_male", "male"), ("is_hispanic", "Hispanic"), ("race", "race")):
        values = np.array([row[column] or "not known" for row in rows])
        groups |= {f"{word}: {value}": values == value for value in sorted(set(values))}
    ages = np.array([float(row["age"] or "nan") for row in rows])
    groups[f"under {AGES[0]}"] = ages < AGES[0]
    groups[f"{AGES[0]} to {AGES[1] - 1}"] = (ages >= AGES[0]) & (ages < AGES[1])
    groups[f"{AGES[1]} and over"] = ages >= AGES[1]
    return groups


def _auroc(gone: Floats, told: Floats) -> float:
    return float(roc_auc_score(gone, told)) if 0 < gone.sum() < len(gone) else float("nan")


def _over(gone: Floats, told: Floats) -> float:
    return float(told.mean() / gone.mean()) if gone.any() else float("nan")


def _interval(
    value: Callable[[Floats, Floats], float],
    people: NDArray[np.str_],
    gone: Floats,
    told: Floats,
    draws: int,
) -> str:
    """The value and its interval over people drawn again with replacement."""
    chance = np.random.default_rng(SEED)
    _, first = np.unique(people, return_index=True)
    rows = np.split(np.arange(len(people)), sorted(first)[1:])
    again = (
        np.concatenate([rows[j] for j in chance.integers(0, len(rows), len(rows))])
        for _ in range(draws)
    )
    drawn = [value(gone[i], told[i]) for i in again]
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return f"{value(gone, told):.3f} [{low:.3f}-{high:.3f}]"
