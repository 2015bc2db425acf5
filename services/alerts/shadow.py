"""Shadow mode: a changed table or policy played over the past, beside the one in force. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from alerts.facts import Fact
from alerts.outcomes import Fired, day_of, play, share
from alerts.rules import Ladder

DIFFERENCES_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Past:
    """What a ladder would have raised between two days."""

    fired: list[Fired]
    days: int


def compare(
    facts: Mapping[UUID, list[Fact]], live: Ladder, changed: Ladder, first: int, through: int
) -> dict[str, Any]:
    """Both ladders over the same past, from `first` to the last day that is over."""
    before = _past(facts, live, first, through)
    after = _past(facts, changed, first, through)
    old = {(f.admission_id, f.day, f.level): f for f in before.fired}
    new = {(f.admission_id, f.day, f.level): f for f in after.fired}
    return {
        "words": _words(before, after),
        "difference": [
            _alone("the changed one", [new[k] for k in new.keys() - old.keys()]),
            _alone("the one in force", [old[k] for k in old.keys() - new.keys()]),
            *_by_rule(before, after),
        ],
        "live": _summed(before),
        "changed": _summed(after),
        "only_changed": [_shown(new[k]) for k in sorted(new.keys() - old.keys())][
            :DIFFERENCES_SHOWN
        ],
        "only_live": [_shown(old[k]) for k in sorted(old.keys() - new.keys())][:DIFFERENCES_SHOWN],
    }


def _past(facts: Mapping[UUID, list[Fact]], ladder: Ladder, first: int, through: int) -> Past:
    fired: list[Fired] = []
    days = 0
    for admission_id in sorted(facts):
        raised, assessed = play(admission_id, facts[admission_id], ladder, first, through)
        fired += raised
        days += assessed
    return Past(fired, days)


def _summed(past: Past) -> dict[str, Any]:
    known = [one.right for one in past.fired if one.right is not None]
    return {
        "alerts": len(past.fired),
        "right": sum(known),
        "open": len(past.fired) - len(known),
        "precision": asdict(share(sum(known), len(known))),
        "alerts_per_100_patient_weeks": len(past.fired) / (past.days / 7) * 100
        if past.days
        else None,
    }


def _words(before: Past, after: Past) -> str:
    raised, right = len(after.fired), sum(bool(one.right) for one in after.fired)
    was, was_right = len(before.fired), sum(bool(one.right) for one in before.fired)
    return (
        f"would have raised {raised} {'alert' if raised == 1 else 'alerts'}, {right} right; "
        f"the one in force {was}, {was_right} right"
    )


def _alone(which: str, fired: list[Fired]) -> str:
    right = sum(bool(one.right) for one in fired)
    unknown = sum(one.right is None for one in fired)
    alerts = "alert" if len(fired) == 1 else "alerts"
    return f"only {which} raised {len(fired)} {alerts}: {right} right, {unknown} not known yet"


def _by_rule(before: Past, after: Past) -> list[str]:
    was, now = (Counter(one.rule for one in past.fired) for past in (before, after))
    return [
        f"{rule}: {now[rule]} instead of {was[rule]}"
        for rule in sorted(was.keys() | now.keys())
        if was[rule] != now[rule]
    ]


def _shown(one: Fired) -> dict[str, Any]:
    return {
        "admission_id": one.admission_id,
        "day": day_of(one.day),
        "level": one.level,
        "rule": one.rule,
        "right": one.right,
    }
