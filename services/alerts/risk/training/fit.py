"""Fits the table: a monotone additive model with a ridge, rounded to whole points.

The log-odds of each step up may only be 0 or more. The ridge grows with the number of days, so
that a table learned at one clinic is held back by as much as at another. The chance of a score is
the plain logistic curve of the points; it is not stretched afterwards to fit the same people.
"""

from itertools import accumulate

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from alerts.risk.table import Table, Term
from alerts.risk.training.histories import Days, Floats
from alerts.risk.training.shape import LINES, Line, steps

POINT = 0.1
RIDGE = 0.001
MIDDLE, HIGH = 0.18, 0.98
SEED_OF_KEYS = 20261125


def train(days: Days, version: str, lines: tuple[Line, ...] = LINES) -> Table:
    """The table learned from these landmark days; those whose 28 days cannot be known are left."""
    known = days.where(~np.isnan(days.gone28))
    weights = monotone(steps(known.signs, lines), known.gone28, RIDGE * len(known.days))
    terms, place = [], 0
    for line in lines:
        got = weights[1 + place : 1 + place + len(line.cuts)]
        place += len(line.cuts)
        terms.append(_term(line, got))
    top = sum(max(term.points) for term in terms)
    table = Table(version, MIDDLE, HIGH, tuple(terms), 0, (0.0,) * (top + 1), (0.0,) * (top + 1))
    score = scores(table, days.signs)
    curve28 = _curve(score, days.gone28, top, POINT)
    curve14 = _curve(score, days.gone14, top, None)
    return Table(version, MIDDLE, HIGH, table.terms, 0, curve28, curve14)


def scores(table: Table, signs: Floats) -> NDArray[np.int64]:
    """The score of each row of signs, as `assess` adds it up."""
    total = np.zeros(len(signs), dtype=np.int64)
    for _, sign, cuts, points, _numbers in table.lines:
        place = np.searchsorted(np.array(cuts), signs[:, sign], side="right")
        total += np.array(points)[place]
    return total


def chances(table: Table, signs: Floats, curve: tuple[float, ...] | None = None) -> Floats:
    """The 28-day risk of each row of signs (or another curve's), as `assess` gives it."""
    risk = np.array(curve if curve is not None else table.risk28)
    place = np.clip(scores(table, signs) - table.lowest, 0, len(risk) - 1)
    return np.asarray(risk[place])


def monotone(rows: NDArray[np.int8], gone: Floats, ridge: float) -> Floats:
    """Intercept and weights (0 or more) of a logistic model with a ridge on the weights."""
    keys = rows @ np.random.default_rng(SEED_OF_KEYS).integers(1, 2**40, rows.shape[1])
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    count = np.bincount(inverse).astype(float)
    share = np.bincount(inverse, weights=gone) / count
    return logistic(rows[first].astype(float), share, count, ridge, positive=True)


def logistic(
    rows: Floats, share: Floats, count: Floats, ridge: float, *, positive: bool = False
) -> Floats:
    """Intercept and weights of a weighted logistic model."""

    def loss(w: Floats) -> tuple[float, Floats]:
        z = w[0] + rows @ w[1:]
        wrong = count * (1 / (1 + np.exp(-z)) - share)
        value = float((count * (np.logaddexp(0, z) - share * z)).sum() + ridge * w[1:] @ w[1:] / 2)
        return value, np.r_[wrong.sum(), rows.T @ wrong + ridge * w[1:]]

    start = np.r_[-4.0, np.full(rows.shape[1], 0.1)]
    bounds = [(None, None)] + [(0 if positive else None, None)] * rows.shape[1]
    options = {"maxiter": 2000, "ftol": 1e-12, "gtol": 1e-6}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return np.asarray(found.x)


def _term(line: Line, weights: Floats) -> Term:
    """Whole points of a line; sums are rounded, not steps, so that errors do not add up."""
    if line.falls:
        sums = [*accumulate(weights[::-1])][::-1]
        points = (*(round(total / POINT) for total in sums), 0)
    else:
        points = (0, *(round(total / POINT) for total in accumulate(weights)))
    return Term(line.code, line.sign, line.cuts, points, line.numbers)


def _curve(
    score: NDArray[np.int64], gone: Floats, top: int, point: float | None
) -> tuple[float, ...]:
    """The chance of each whole score: logistic, of `point` log-odds a point if it is given."""
    known = ~np.isnan(gone)
    count = np.bincount(score[known], minlength=top + 1).astype(float)
    total = np.bincount(score[known], weights=gone[known], minlength=top + 1).astype(float)
    share: Floats = total / np.maximum(count, 1)
    whole = np.arange(top + 1, dtype=float)
    if point is None:
        start, slope = logistic(whole[:, None] * POINT, share, count, 0.0)
    else:
        start, slope = _level(whole * point, share, count), 1.0
    return tuple(round(float(1 / (1 + np.exp(-start - slope * w * POINT))), 4) for w in whole)


def _level(offset: Floats, share: Floats, count: Floats) -> float:
    """The intercept that makes the mean chance the share that was seen."""
    start = 0.0
    for _ in range(60):
        risk = 1 / (1 + np.exp(-start - offset))
        start -= float((count * (risk - share)).sum() / (count * risk * (1 - risk)).sum())
    return start
