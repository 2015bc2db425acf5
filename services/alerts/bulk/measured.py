"""A site's figures of one quarter as MeasureReports; what is hidden stays hidden. Pure."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any
from uuid import UUID, uuid5

from alerts.bulk.quarters import Quarter
from alerts.reports.figures import Figure
from handrail.fhir.words import (
    ABSENT_REASON,
    HL7,
    Resource,
    concept,
    labelled,
    named,
    period,
    resource,
)

# Names the same report in every export.
_SPACE = UUID("6f0c1f0e-5d0b-4c1b-9a53-6f5a0e2b8a11")
# https://terminology.hl7.org/CodeSystem-v3-Confidentiality.html: low is what is de-identified.
LABELS = [
    {"system": f"{HL7}/v3-Confidentiality", "code": "L"},
    {"system": f"{HL7}/v3-ObservationValue", "code": "AGGRED"},
]
_MASKED = {"extension": [{"url": ABSENT_REASON, "valueCode": "masked"}]}
_UNITS = {"minutes_a_week": "min/wk", "median_days": "d"}


def reports(site_id: str, quarter: Quarter, figures: Iterable[Figure]) -> list[Resource]:
    """One MeasureReport a measure; the figures are those that may be shown (`small.suppressed`)."""
    return [
        _report(site_id, quarter, measure, list(parts))
        for measure, parts in groupby(figures, key=_measure)
    ]


def _measure(figure: Figure) -> str:
    return figure.measure


def _report(site_id: str, quarter: Quarter, measure: str, parts: list[Figure]) -> Resource:
    identity = uuid5(_SPACE, f"{site_id}/{quarter.first}/{measure}")
    made = resource(
        "MeasureReport",
        str(identity),
        status="complete",
        type="summary",
        measure=f"urn:handrail:measure:{measure}",
        date=quarter.as_of.isoformat(),
        reporter=named("Organization", "urn:handrail:site", site_id),
        period=period(quarter.first, quarter.last),
        group=[_group(part) for part in parts],
    )
    return labelled(made, LABELS)


def _group(figure: Figure) -> Resource:
    group: Resource = {"code": concept("measure-part", figure.part)}
    counts = _counts(figure)
    if counts:
        group["population"] = [_population(code, count) for code, count in counts]
    if figure.suppressed and not counts:
        group["measureScore"] = _MASKED
    elif figure.value is not None:
        group["measureScore"] = _quantity(figure)
    return group


def _counts(figure: Figure) -> list[tuple[str, int | None]]:
    """The counts that the figure is made of, hidden ones as None."""
    if figure.part in _UNITS or (figure.measure, figure.part) == ("dose", "share_of_plan"):
        return []
    if figure.measure == "census":
        return [("initial-population", figure.n)]
    return [("denominator", figure.of), ("numerator", figure.n)]


def _population(code: str, count: int | None) -> Resource:
    about: dict[str, Any] = {"count": count} if count is not None else {"_count": _MASKED}
    return {"code": {"coding": [{"system": f"{HL7}/measure-population", "code": code}]}, **about}


def _quantity(figure: Figure) -> Resource:
    unit = _UNITS.get(figure.part, "1")
    return {"value": figure.value, "system": "http://unitsofmeasure.org", "code": unit}
