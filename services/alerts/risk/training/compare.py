"""What the table is held against: logistic regression and gradient boosting on the same folds."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from alerts.risk.training.fit import chances, train
from alerts.risk.training.histories import Days, Floats

FOLDS = 5
Predict = Callable[[Floats], Floats]
Learn = Callable[[Days], Predict]


def table(days: Days) -> Predict:
    """The additive table, trained from nothing."""
    learned = train(days, "report")
    return lambda signs: chances(learned, signs)


def logistic(days: Days) -> Predict:
    """Plain logistic regression on all signs."""
    return _learned(make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)), days)


def boosting(days: Days) -> Predict:
    """Gradient boosting on all signs."""
    model = HistGradientBoostingClassifier(
        max_depth=3, learning_rate=0.06, max_iter=150, min_samples_leaf=60, random_state=0
    )
    return _learned(model, days)


MODELS: dict[str, Learn] = {
    "table": table,
    "logistic regression": logistic,
    "gradient boosting": boosting,
}


def never_seen(learn: Learn, days: Days) -> Floats:
    """Each day's chance from a model trained on other people: grouped cross-validation."""
    chance = np.zeros(len(days.days))
    for _, held in GroupKFold(FOLDS).split(days.signs, groups=days.people):
        inside = np.ones(len(days.days), dtype=bool)
        inside[held] = False
        chance[held] = learn(days.where(inside & days.landmark))(days.signs[held])
    return chance


def elsewhere(learn: Learn, here: Days, there: Days) -> Floats:
    """Chances for the days of `there` from a model trained on `here` alone."""
    return learn(here.where(here.landmark))(there.signs)


def trials_of(days: Days) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Each trial and which days are its."""
    names = np.array([person.split("-")[0] for person in days.people])
    for name in sorted(set(names)):
        yield str(name), names == name


def _learned(model: object, days: Days) -> Predict:
    known = days.where(~np.isnan(days.gone28))
    fitted = model.fit(known.signs, known.gone28.astype(int))  # type: ignore[attr-defined]
    return lambda signs: np.asarray(fitted.predict_proba(signs)[:, 1])
