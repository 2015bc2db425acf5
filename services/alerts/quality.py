"""The quality board: how each rule does, whether the risk tells the truth, and for whom. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any
from uuid import UUID

from alerts.outcomes import Interval, share, was_right

MONTH_DAYS = 28
# The alarm rings when a month's risk leaves its interval by more than this, twice in a row.
TOLERANCE = 0.02
FEWEST = 20


@dataclass(frozen=True, slots=True)
class Alert:
    """One raise of a concern's level, and what was done about it."""

    admission_id: UUID
    day: date
    level: int
    rule: str
    pushed: bool
    withdrawn: bool
    acknowledged: bool
    minutes_to_attempt: float | None
    ending: str | None


@dataclass(frozen=True, slots=True)
class Assessed:
    """One risk at a day's end."""

    admission_id: UUID
    day: date
    risk: float


Visits = Mapping[UUID, list[int]]


def by_rule(alerts: Iterable[Alert], visits: Visits, through: int) -> list[dict[str, Any]]:
    """One row a level and rule. Precision counts pushed alerts whose 28 days are over."""
    groups: dict[tuple[int, str], list[Alert]] = defaultdict(list)
    for alert in alerts:
        groups[alert.level, alert.rule].append(alert)
    return [
        _row(level, rule, groups[level, rule], visits, through) for level, rule in sorted(groups)
    ]


def _row(
    level: int, rule: str, alerts: list[Alert], visits: Visits, through: int
) -> dict[str, Any]:
    pushed = [a for a in alerts if a.pushed and not a.withdrawn]
    known = [right for a in pushed if (right := _right(a, visits, through)) is not None]
    precision = share(sum(known), len(known))
    minutes = [a.minutes_to_attempt for a in pushed if a.minutes_to_attempt is not None]
    return {
        "level": level,
        "rule": rule,
        "fired": len(alerts),
        "withdrawn": sum(a.withdrawn for a in alerts),
        "pushed": len(pushed),
        "acknowledged": sum(a.acknowledged for a in pushed),
        "acted": len(minutes),
        "returned": sum(a.ending == "returned" for a in pushed),
        # Safety is not a forecast of absence.
        "precision": precision if level else None,
        "needed_to_alert": 1 / precision.value if level and precision.value else None,
        "minutes_to_first_attempt": median(minutes) if minutes else None,
    }


def burden(
    pushed: int, assessed: int, staffed_days: int, budget: float
) -> dict[str, float | bool | None]:
    """Pushed alerts for 100 patient-weeks, and for a staffed day beside its budget."""
    a_day = pushed / staffed_days if staffed_days else None
    return {
        "alerts_per_100_patient_weeks": pushed / (assessed / 7) * 100 if assessed else None,
        "alerts_per_staffed_day": a_day,
        "budget_per_staffed_day": budget,
        "within_budget": a_day is None or a_day <= budget,
    }


def calibration(assessed: Iterable[Assessed], visits: Visits, through: int) -> list[dict[str, Any]]:
    """Foretold and found, month by month; one assessment a person and week, so that they differ."""
    months: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for one in weekly(assessed):
        right = was_right(visits.get(one.admission_id, []), one.day.toordinal(), through)
        if right is not None:
            months[one.day.toordinal() // MONTH_DAYS].append((one.risk, right))
    return [
        {"from": date.fromordinal(month * MONTH_DAYS), **_foretold(months[month])}
        for month in sorted(months)
    ]


def weekly(assessed: Iterable[Assessed]) -> list[Assessed]:
    """The last assessment of each person and week."""
    last: dict[tuple[UUID, int], Assessed] = {}
    for one in assessed:
        key = (one.admission_id, one.day.toordinal() // 7)
        if key not in last or last[key].day < one.day:
            last[key] = one
    return list(last.values())


def _foretold(pairs: Sequence[tuple[float, bool]]) -> dict[str, Any]:
    found = share(sum(right for _, right in pairs), len(pairs))
    foretold = sum(risk for risk, _ in pairs) / len(pairs)
    return {"foretold": foretold, "found": found, "off": _off(foretold, found)}


def _off(foretold: float, found: Interval) -> bool:
    if found.count < FEWEST or found.low is None or found.high is None:
        return False
    return not found.low - TOLERANCE <= foretold <= found.high + TOLERANCE


def has_drifted(months: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the last two months that can be judged were both off."""
    judged = [m for m in months if m["found"].count >= FEWEST]
    return len(judged) >= 2 and all(month["off"] for month in judged[-2:])


def fairness(
    groups: Mapping[UUID, str],
    alerts: Sequence[Alert],
    assessed: Sequence[Assessed],
    visits: Visits,
    through: int,
) -> list[dict[str, Any]]:
    """Each group's precision, share of those lost that were flagged, and calibration, with intervals."""
    found = []
    flagged = {a.admission_id for a in alerts if a.pushed and a.level and not a.withdrawn}
    for group in sorted(set(groups.values())):
        people = {person for person, of in groups.items() if of == group}
        own = [a for a in alerts if a.admission_id in people and a.pushed and a.level]
        known = [right for a in own if (right := _right(a, visits, through)) is not None]
        pairs = [
            (one.risk, right)
            for one in weekly(a for a in assessed if a.admission_id in people)
            if (right := was_right(visits.get(one.admission_id, []), one.day.toordinal(), through))
            is not None
        ]
        lost = {
            one.admission_id
            for one in assessed
            if one.admission_id in people
            and was_right(visits.get(one.admission_id, []), one.day.toordinal(), through)
        }
        found.append(
            {
                "group": group,
                "people": len(people),
                "precision": share(sum(known), len(known)),
                "flagged_of_lost": share(len(lost & flagged), len(lost)),
                "calibration": _foretold(pairs) if pairs else None,
            }
        )
    return found


def _right(alert: Alert, visits: Visits, through: int) -> bool | None:
    return was_right(visits.get(alert.admission_id, []), alert.day.toordinal(), through)
