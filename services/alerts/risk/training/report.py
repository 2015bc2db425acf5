"""The report: each model where it has not been, by the scorer, with intervals over people."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from alerts.risk.training.compare import MODELS, elsewhere, never_seen, trials_of
from alerts.risk.training.fairness import audit
from alerts.risk.training.histories import Days, Floats, read

BURDENS = ("first_miss", "two_consecutive")
Say = Callable[[str], None]


def measure(
    data: Path, trials: list[str], scorer: Path, draws: int, say: Say
) -> dict[str, dict[str, Any]]:
    """Measure every model in cross-validation, and trained on one trial for each other."""
    score, days = load(scorer), read(data, trials)
    found: dict[str, dict[str, Any]] = {}
    rows = dict(trials_of(days))
    tests: list[tuple[str, list[str], Days, Callable[..., Floats]]] = [
        ("cross-validation, people grouped", trials, days, lambda learn: never_seen(learn, days))
    ]
    for here, mine in rows.items():
        for there, theirs in rows.items():
            if here == there:
                continue
            known, new = days.where(mine), days.where(theirs)
            tests.append((f"{here} to {there}", [there], new, _carried(known, new)))
    say(
        "AUROC of 28 days with 95 % intervals over people; weekly medication visits, not IOP groups"
    )
    for name, where, there_days, predict in tests:
        truth = score.Truth(str(data), where)
        say(f"\n{name}")
        _rules(score, truth, draws, say)
        for model, learn in MODELS.items():
            result = _score(score, truth, there_days, predict(learn), draws)
            found.setdefault(name, {})[model] = result
            say(score.line(model, result["all"]))
            for rule in BURDENS:
                at = result[rule]
                say(f"{'':10s}at the burden of {rule}: {_ops(at)}")
    say("\nfairness audit of the table in cross-validation")
    for line in audit(data, trials, days, never_seen(MODELS["table"], days), draws):
        say(line)
    return found


def _carried(known: Days, new: Days) -> Callable[..., Floats]:
    return lambda learn: elsewhere(learn, known, new)


def _rules(score: ModuleType, truth: Any, draws: int, say: Say) -> None:
    for rule, alerts in score.rules(truth).items():
        say(f"rule {rule:18s}{_ops(score.summary(truth, alerts, draws))}")


def _score(score: ModuleType, truth: Any, days: Days, chance: Floats, draws: int) -> dict[str, Any]:
    import pandas as pd  # noqa: PLC0415  # the scorer's own tool

    columns = {"patient_id": days.people, "day": days.days, "risk": np.round(chance, 6)}
    predictions = pd.DataFrame(columns)
    result = {"all": score.evaluate(truth, predictions, draws, budgets=())}
    rules = score.rules(truth)
    for rule in BURDENS:
        budget = score.summary(truth, rules[rule], 2)["alerts_per_100pw"][0]
        ranked, threshold = score.threshold_for(truth, predictions, budget)
        result[rule] = score.summary(truth, score.fire(truth, ranked, threshold), draws)
    return result


def _ops(x: dict[str, Any]) -> str:
    parts = [f"{x['alerts_per_100pw'][0]:5.2f} alerts a 100 weeks, PPV {_interval(x['ppv'])}"]
    parts += [f"by L+{day} {_interval(x[f'flagged_by_L+{day}'])}" for day in (0, 10, 14, 21)]
    return ", ".join(parts)


def _interval(x: list[float]) -> str:
    return f"{x[0]:.3f} [{x[1]:.3f}-{x[2]:.3f}]"


def load(scorer: Path) -> ModuleType:
    """The scorer as a module. Raises FileNotFoundError where there is none."""
    spec = importlib.util.spec_from_file_location("score_alerts", scorer)
    if spec is None or spec.loader is None:
        message = f"no scorer at {scorer}"
        raise FileNotFoundError(message)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
