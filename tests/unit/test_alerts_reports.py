"""What the reports count, and what they hide, as tables a reader of quality measures can check."""

from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from alerts.facts import Fact, micros
from alerts.reports import figures as measures
from alerts.reports.case import Case, case_of
from alerts.reports.days import Day, days, shown
from alerts.reports.figures import Figure, Period, figures
from alerts.reports.routes import period_of
from alerts.reports.small import suppressed
from handrail.receipts import Rejected

FIRST = date(2026, 1, 1).toordinal()
ALWAYS = Period(FIRST, FIRST + 364, FIRST + 364)
NEW_YORK = ZoneInfo("America/New_York")


def case(**facts: object) -> Case:
    """Someone referred on the first day and admitted on the next; days count from the first."""
    known = Case(UUID(int=1), referred=FIRST, admitted=FIRST + 1)
    for name, value in facts.items():
        setattr(known, name, value)
    return known


def on(*days: int, minutes: int = 180) -> list[tuple[int, int]]:
    """Visits on these days after the first."""
    return [(FIRST + day, minutes) for day in days]


def shares(*cases: Case, period: Period = ALWAYS) -> dict[tuple[str, str], tuple[int, int]]:
    """Every share: (n, of) by measure and part."""
    return {
        (f.measure, f.part): (f.n, f.of)
        for f in figures(cases, period)
        if f.n is not None and f.of is not None
    }


@pytest.mark.parametrize(
    ("what", "person", "kept"),
    [
        ("came the day before", case(visits=on(30)), (1, 1)),
        ("came on the day itself", case(visits=on(31)), (1, 1)),
        ("came the day after only", case(visits=on(32)), (0, 1)),
        ("came 13 days before", case(visits=on(18)), (1, 1)),
        ("came 14 days before", case(visits=on(17)), (0, 1)),
        ("left the day after", case(visits=on(31), ended=FIRST + 32, reason="dropped_out"), (1, 1)),
        ("left that day", case(visits=on(31), ended=FIRST + 31, reason="dropped_out"), (0, 1)),
        ("completed before", case(visits=on(20), ended=FIRST + 25, reason="completed"), (0, 0)),
        ("never admitted", case(admitted=None), (0, 0)),
        ("recorded twice", case(visits=on(31), is_merged=True), (0, 0)),
    ],
)
def test_retained_is_admitted_and_attending(what: str, person: Case, kept: tuple[int, int]) -> None:
    assert shares(person)["retention", "30"] == kept, what


def test_whom_it_is_too_early_to_ask_is_not_asked() -> None:
    early = Period(FIRST, FIRST + 364, FIRST + 60)

    found = shares(case(visits=on(1, 25, 55)), period=early)

    assert [found["retention", days] for days in ("30", "60", "90")] == [(1, 1), (0, 0), (0, 0)]


@pytest.mark.parametrize(
    ("what", "visits", "initiated", "engaged"),
    [
        ("never came", (), 0, 0),
        ("on the day of the referral", (0, 1, 2), 1, 1),
        ("on the 14th day", (14, 15, 48), 1, 1),
        ("on the 15th day", (15, 16, 17), 0, 0),
        ("one more", (3, 4), 1, 0),
        ("two more, on one day", (3, 4, 4), 1, 0),
        ("two more by the 34th day", (3, 4, 37), 1, 1),
        ("two more, one too late", (3, 4, 38), 1, 0),
    ],
)
def test_initiation_and_engagement_are_hedis_like(
    what: str, visits: tuple[int, ...], initiated: int, engaged: int
) -> None:
    found = shares(case(visits=on(*visits)))

    assert found["initiation", "14"] == (initiated, 1), what
    assert found["engagement", "34"] == (engaged, 1), what


@pytest.mark.parametrize(
    ("source", "day", "seven", "thirty"),
    [
        ("inpatient", 0, 0, 0),
        ("inpatient", 1, 1, 1),
        ("inpatient", 7, 1, 1),
        ("inpatient", 8, 0, 1),
        ("inpatient", 31, 0, 0),
        ("emergency_department", 0, 1, 1),
    ],
)
def test_after_a_hospital_the_same_day_counts_only_after_an_emergency(
    source: str, day: int, seven: int, thirty: int
) -> None:
    found = shares(case(source=source, visits=on(day)))

    assert found["follow_up_after_hospital", "7"] == (seven, 1)
    assert found["follow_up_after_hospital", "30"] == (thirty, 1)


@pytest.mark.parametrize(
    ("reason", "seen", "seven", "thirty"),
    [
        ("completed", 107, (1, 1), (1, 1)),
        ("completed", 108, (0, 1), (1, 1)),
        ("transferred", 131, (0, 1), (0, 1)),
        ("completed", 95, (1, 1), (1, 1)),
        ("dropped_out", 101, (0, 0), (0, 0)),
    ],
)
def test_after_the_programme_the_next_place_has_seen_the_person(
    reason: str, seen: int, seven: tuple[int, int], thirty: tuple[int, int]
) -> None:
    person = case(ended=FIRST + 100, reason=reason, seen_next=FIRST + seen, calls={30})

    found = shares(person)

    assert found["seen_after_programme", "7"] == seven
    assert found["seen_after_programme", "30"] == thirty
    assert found["called_after_programme", "30"][0] == thirty[1]


@pytest.mark.parametrize(
    ("visits", "back"),
    [((9,), 0), ((10,), 1), ((24,), 1), ((25,), 0)],
)
def test_who_came_within_14_days_of_the_first_call_returned(
    visits: tuple[int, ...], back: int
) -> None:
    found = shares(case(visits=on(*visits), tried=[FIRST + 10, FIRST + 12]))

    assert found["return_after_outreach", "14"] == (back, 1)


def test_dose_is_what_was_received_of_what_was_prescribed() -> None:
    person = case(
        plans=[(FIRST + 1, 540), (FIRST + 8, 270)],
        visits=[(FIRST + 2, 180), (FIRST + 9, 90), (FIRST + 15, 999)],
        ended=FIRST + 14,
    )

    week, share = measures.dose([person], ALWAYS)

    assert week.value == 270 / 2
    assert share.value == round(270 / (540 + 270), 4)


def test_seats_are_kept_or_missed() -> None:
    person = case(
        visits=on(2, 3, 4), misses=[(FIRST + 5, "no_show"), (FIRST + 6, "late_cancellation")]
    )

    assert {f.part: f.n for f in measures.misses([person], ALWAYS)} == {
        "kept": 3,
        "no_show": 1,
        "late_cancellation": 1,
        "all": 5,
    }


def test_the_census_of_a_day_is_who_is_open_at_its_end() -> None:
    people = [case(visits=on(2), ended=FIRST + 3), case(visits=on(2, 2)), case(is_merged=True)]

    found = days(people, Period(FIRST, FIRST + 4, FIRST + 3))

    assert [(d.census, d.seen, d.minutes) for d in found] == [
        (0, 0, 0),
        (2, 0, 0),
        (2, 2, 540),
        (1, 0, 0),
    ]
    assert {d.census for d in found} == {
        measures.census(people, d.day.toordinal()).n for d in found
    }


def fact(sequence: int, what: str, day: int, *codes: str, **facts: object) -> Fact:
    """A fact of the day `day`, recorded that day."""
    numbers = facts.get("numbers", ())
    recorded = facts.get("recorded", day)
    assert isinstance(numbers, tuple)
    assert isinstance(recorded, int)
    at = micros(datetime.fromordinal(FIRST + day).replace(hour=12, tzinfo=UTC))
    seat = str(facts.get("seat", ""))
    return Fact(
        FIRST + recorded, at, "attendance", sequence, what, FIRST + day, codes, numbers, seat
    )


def test_a_correction_counts_from_the_day_it_was_recorded() -> None:
    missed = fact(1, "missed", 2, "no_show", "unknown", "group", seat="a")
    put_right = fact(
        2, "corrected", 2, "no_show", "attended", seat="a", recorded=5, numbers=(2.0, 120.0, 0.0)
    )

    before = case_of(UUID(int=1), [missed, put_right], NEW_YORK, FIRST + 4)
    after = case_of(UUID(int=1), [missed, put_right], NEW_YORK, FIRST + 5)

    assert (before.visits, before.misses) == ([], [(FIRST + 2, "no_show")])
    assert (after.visits, after.misses) == ([(FIRST + 2, 120)], [])


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2026, 3, 8, 4, 59, tzinfo=UTC), date(2026, 3, 7)),
        (datetime(2026, 3, 8, 5, 0, tzinfo=UTC), date(2026, 3, 8)),
        (datetime(2026, 3, 9, 3, 59, tzinfo=UTC), date(2026, 3, 8)),
        (datetime(2026, 3, 9, 4, 0, tzinfo=UTC), date(2026, 3, 9)),
        (datetime(2026, 11, 2, 4, 59, tzinfo=UTC), date(2026, 11, 1)),
    ],
)
def test_a_referral_counts_on_its_local_day_also_when_clocks_change(
    at: datetime, day: date
) -> None:
    told = Fact(day.toordinal(), micros(at), "intake", 1, "referred", day.toordinal(), ("self",))

    assert case_of(UUID(int=1), [told], NEW_YORK, day.toordinal()).referred == day.toordinal()


@pytest.mark.parametrize(
    ("what", "n", "of", "shown_n", "shown_of"),
    [
        ("large enough", 11, 22, 11, 22),
        ("a few did", 10, 40, None, 40),
        ("nobody did", 0, 40, None, 40),
        ("all but a few did", 30, 40, None, 40),
        ("everybody did", 40, 40, None, 40),
        ("a few in all", 5, 10, None, None),
    ],
)
def test_a_share_shows_neither_a_few_nor_all_but_a_few(
    what: str, n: int, of: int, shown_n: int | None, shown_of: int | None
) -> None:
    (found,) = suppressed([Figure("retention", "30", of, n=n, of=of, value=n / of)])

    assert (found.n, found.of) == (shown_n, shown_of), what
    assert found.suppressed == (shown_n is None)
    assert (found.value is None) == found.suppressed


@pytest.mark.parametrize(
    ("what", "cells", "left"),
    [
        ("all large", (40, 20, 11), [40, 20, 11, 71]),
        ("one small: the next smallest too", (40, 20, 3), [40, None, None, 63]),
        ("two small that add up to 11", (40, 6, 5), [40, None, None, 51]),
        ("two small that do not", (40, 20, 4, 3), [40, None, None, None, 67]),
        ("zeros give nothing away either", (40, 20, 0, 0), [40, None, None, None, 60]),
        ("one large and one small", (40, 3), [None, None, 43]),
        ("all small and a total", (6, 6), [None, None, 12]),
        ("too few altogether", (5, 5), [None, None, None]),
    ],
)
def test_a_total_does_not_give_a_cell_away(
    what: str, cells: tuple[int, ...], left: list[int | None]
) -> None:
    total = sum(cells)
    table = [
        *(
            Figure("ended", str(i), total, n=n, of=total, value=n / total, group="ended")
            for i, n in enumerate(cells)
        ),
        Figure("ended", "all", total, n=total, group="ended"),
    ]

    assert [figure.n for figure in suppressed(table)] == left, what


@pytest.mark.parametrize(
    ("seven", "thirty", "left"),
    [(20, 31, [20, 31]), (20, 30, [None, 30]), (25, 25, [None, 25])],
)
def test_the_difference_of_two_nested_counts_is_a_cell_too(
    seven: int, thirty: int, left: list[int | None]
) -> None:
    pair = [
        Figure("follow_up_after_hospital", part, 60, n=n, of=60, value=n / 60)
        for part, n in (("7", seven), ("30", thirty))
    ]

    assert [figure.n for figure in suppressed(pair)] == left


def test_a_day_hides_what_few_stand_behind() -> None:
    day = date(2026, 1, 1)

    (few,) = shown([Day(day, 20, 10, 1800)])

    assert few == Day(day, 20, None, None)


def test_a_period_is_whole_months() -> None:
    period = period_of("2026-02", "2026-02", date(2026, 2, 10))
    usual = period_of(None, None, date(2026, 2, 10))

    assert (period.first, period.last) == (
        date(2026, 2, 1).toordinal(),
        date(2026, 2, 28).toordinal(),
    )
    assert date.fromordinal(usual.first) == date(2025, 3, 1)
    with pytest.raises(Rejected):
        period_of("2026-03", "2026-02", date(2026, 2, 10))
