"""Which quarters are exported, and what a MeasureReport shows and hides, judged by a FHIR library."""

import json
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from fhir.resources.R4B import get_fhir_model_class

from alerts.bulk import asked, measured
from alerts.bulk.exports import lines_of, quarters_of
from alerts.bulk.quarters import known, quarter_of
from alerts.facts import Fact, micros
from alerts.reports.figures import RETENTION_DAYS, Figure, figures
from alerts.reports.small import LEAST, suppressed
from handrail.fhir.asked import BadSearch
from handrail.sites import Site
from tests.unit.test_alerts_reports import FIRST, case, on

SITE = Site("north", "UTC", "wall", date(2026, 11, 1))
MEASURE_REPORT: Any = get_fhir_model_class("MeasureReport")
ASYNC = {"prefer": "respond-async"}


@pytest.mark.parametrize(
    ("day", "first", "last", "as_of"),
    [
        (date(2026, 1, 1), date(2026, 1, 1), date(2026, 3, 31), date(2026, 6, 30)),
        (date(2026, 5, 17), date(2026, 4, 1), date(2026, 6, 30), date(2026, 9, 30)),
        (date(2026, 9, 30), date(2026, 7, 1), date(2026, 9, 30), date(2026, 12, 31)),
        (date(2026, 12, 31), date(2026, 10, 1), date(2026, 12, 31), date(2027, 3, 31)),
    ],
)
def test_a_quarter_is_known_at_the_end_of_the_next(
    day: date, first: date, last: date, as_of: date
) -> None:
    found = quarter_of(day)

    assert (found.first, found.last, found.as_of) == (first, last, as_of)


def test_whoever_was_admitted_on_its_last_day_can_be_followed_as_far_as_a_report_asks() -> None:
    for year in range(2024, 2030):
        for month in (1, 4, 7, 10):
            quarter = quarter_of(date(year, month, 1))
            assert (quarter.as_of - quarter.last).days >= max(RETENTION_DAYS)


@pytest.mark.parametrize(
    ("through", "since", "found"),
    [
        (date(2026, 9, 29), None, ["2026-01-01"]),
        (date(2026, 9, 30), None, ["2026-01-01", "2026-04-01"]),
        (date(2026, 6, 29), None, []),
        (date(2026, 12, 31), date(2026, 9, 30), ["2026-04-01", "2026-07-01"]),
        (date(2026, 12, 31), date(2026, 10, 1), ["2026-07-01"]),
        (date(2026, 12, 31), date(2027, 1, 1), []),
    ],
)
def test_quarters_are_exported_once_they_are_known(
    through: date, since: date | None, found: list[str]
) -> None:
    quarters = known(date(2026, 2, 3), through, since)

    assert [one.first.isoformat() for one in quarters] == found


def read(count: int) -> dict[str, Any]:
    """The reports of a site with so many people, by measure, as the library reads them."""
    people = [case(visits=on(1, 8, 31)) for _ in range(count)]
    quarter = quarter_of(date.fromordinal(FIRST))
    made = measured.reports("north", quarter, suppressed(figures(people, quarter.period())))
    found = [MEASURE_REPORT.model_validate_json(json.dumps(one)) for one in made]
    return {str(one.measure): one for one in found}


def counts(report: Any, part: str) -> dict[str, int | None]:
    [group] = [one for one in report.group if one.code.text == part]
    return {one.code.coding[0].code: one.count for one in group.population or ()}


def test_a_report_says_whose_it_is_of_which_days_and_that_it_is_of_nobody() -> None:
    report = read(40)["urn:handrail:measure:census"]

    assert (report.status, report.type, report.subject) == ("complete", "summary", None)
    assert report.reporter.identifier.value == "north"
    assert (str(report.period.start), str(report.period.end)) == ("2026-01-01", "2026-03-31")
    assert str(report.date) == "2026-06-30"
    assert [one.code for one in report.meta.security] == ["L", "AGGRED"]
    assert counts(report, "open") == {"initial-population": 40}


def test_shares_and_amounts_have_their_score() -> None:
    share = Figure("retention", "30", 40, n=25, of=40, value=0.625)
    dose = Figure("dose", "minutes_a_week", 40, value=412.5)
    hidden = Figure("dose", "share_of_plan", 0, suppressed=True)
    made = measured.reports("north", quarter_of(date(2026, 1, 1)), [share, dose, hidden])
    retention, doses = [MEASURE_REPORT.model_validate_json(json.dumps(one)) for one in made]

    assert counts(retention, "30") == {"denominator": 40, "numerator": 25}
    assert float(retention.group[0].measureScore.value) == 0.625
    amount, masked = [one.measureScore for one in doses.group]
    assert (float(amount.value), amount.code) == (412.5, "min/wk")
    assert (masked.value, masked.extension[0].valueCode) == (None, "masked")


def test_what_fewer_than_eleven_people_stand_behind_is_masked() -> None:
    few, text = read(LEAST - 1), ""
    for report in few.values():
        for group in report.group:
            assert {one.count for one in group.population or ()} <= {None}, group.code.text
            assert group.measureScore is None or group.measureScore.value is None
        text += report.model_dump_json()

    assert "masked" in text
    assert len(few) == len(read(40))


def test_a_report_is_the_same_in_every_export_whatever_is_learned_later() -> None:
    first = date(2026, 1, 1)
    people = {UUID(int=n): told_of(first.toordinal()) for n in range(1, 21)}
    late = people | {UUID(int=n): told_of(date(2026, 7, 5).toordinal()) for n in range(21, 40)}

    before, after = [
        [
            line
            for quarter in quarters_of(facts, through, None)
            for line in lines_of(SITE, facts, quarter)
        ]
        for facts, through in ((people, date(2026, 6, 30)), (late, date(2026, 12, 30)))
    ]

    assert len(before) > 5
    assert after[: len(before)] == before
    assert len(after) == 2 * len(before)
    assert quarters_of({}, date(2026, 12, 30), None) == []


def told_of(recorded: int) -> list[Fact]:
    """Someone referred on the first day of the year and admitted on the next, recorded on this one."""
    at = micros(datetime(2026, 1, 1, 9, tzinfo=UTC))
    return [
        Fact(recorded, at, "intake", 1, "referred", codes=("self",)),
        Fact(recorded, at, "intake", 2, "admitted", FIRST + 1, numbers=(540.0,)),
    ]


@pytest.mark.parametrize(
    ("pairs", "since"),
    [
        ([], None),
        ([("_type", "MeasureReport"), ("_outputFormat", "ndjson")], None),
        ([("_since", "2026-11-02T09:00:00Z")], date(2026, 11, 2)),
    ],
)
def test_what_an_export_asks_for(pairs: list[tuple[str, str]], since: date | None) -> None:
    assert asked.since_of(pairs, ASYNC) == since


@pytest.mark.parametrize(
    ("pairs", "headers"),
    [
        ([], {}),
        ([], {"prefer": "return=minimal"}),
        ([("_type", "Patient")], ASYNC),
        ([("_type", "MeasureReport,Patient")], ASYNC),
        ([("_outputFormat", "text/csv")], ASYNC),
        ([("_since", "yesterday")], ASYNC),
        ([("_since", "2026-11-02")], ASYNC),
        ([("patient", "Patient/1")], ASYNC),
        ([("_typeFilter", "MeasureReport?reporter=x")], ASYNC),
    ],
)
def test_what_cannot_be_exported_is_refused(
    pairs: list[tuple[str, str]], headers: dict[str, str]
) -> None:
    with pytest.raises(BadSearch):
        asked.since_of(pairs, headers)
