"""The points table: sums a person can add up, old versions that stay, and what lowers a risk."""

import pytest

from alerts.risk import behaviour
from alerts.risk.behaviour import Behaviour
from alerts.risk.signs import SIGNS, read_signs
from alerts.risk.table import TABLES, Table, assess, load_table, reasons_in_words, what_would_lower

VERSIONS = sorted(path.stem for path in TABLES.glob("*.json"))


def weekly(kept: int, missed: int = 0, every: int = 7, *, screened: bool = True) -> Behaviour:
    """So many sessions kept, then so many missed."""
    b = Behaviour()
    behaviour.admitted(b, 0)
    for n in range(kept + missed):
        if n < kept:
            behaviour.attended(b, n * every, n * every)
            if screened:
                behaviour.screened(b, n * every)
        else:
            behaviour.missed(b, n * every)
    return b


def risk(b: Behaviour, day: int) -> float:
    return assess(b, day, load_table()).risk28


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_ever_committed_still_runs(version: str) -> None:
    table = load_table(version)

    assert table.version == version
    assert 0 < assess(weekly(8, 2), 63, table).risk28 < 1


@pytest.mark.parametrize("version", VERSIONS)
def test_the_chances_of_a_version_rise_with_the_score(version: str) -> None:
    table = load_table(version)

    for curve in (table.risk28, table.risk14):
        assert list(curve) == sorted(curve)
        assert 0 < curve[0] < curve[-1] < 1


@pytest.mark.parametrize(
    ("kept", "missed", "day"), [(1, 0, 0), (8, 0, 49), (8, 2, 70), (20, 1, 150)]
)
def test_the_reasons_add_up_to_the_score_and_the_score_names_the_chance(
    kept: int, missed: int, day: int
) -> None:
    table = load_table()

    found = assess(weekly(kept, missed), day, table)

    assert found.score == sum(reason.points for reason in found.reasons)
    assert all(float(reason.points).is_integer() for reason in found.reasons)
    assert found.risk28 == table.risk28[int(found.score) - table.lowest]
    assert found.risk14 == table.risk14[int(found.score) - table.lowest]


def test_each_line_of_the_table_goes_one_way_only() -> None:
    for term in load_table().terms:
        points = list(term.points)
        assert points in (sorted(points), sorted(points, reverse=True)), term.code


def test_every_line_of_the_table_has_words() -> None:
    table: Table = load_table()
    found = assess(weekly(1, 3), 28, table)

    assert not [words for words in reasons_in_words(found) if "_" in words]


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        ((weekly(8, 1), 59), (weekly(9), 59)),
        ((weekly(8, 2), 66), (weekly(8, 1), 66)),
        ((weekly(8), 65), (weekly(8), 49)),
        ((weekly(3), 14), (weekly(20), 133)),
    ],
    ids=["a miss", "a second miss", "silence", "early weeks"],
)
def test_what_raises_the_risk(worse: tuple[Behaviour, int], better: tuple[Behaviour, int]) -> None:
    assert risk(*worse) > risk(*better)


def test_a_programme_that_does_not_screen_has_no_screens_to_miss() -> None:
    unscreened = weekly(9, screened=False)

    found = assess(unscreened, 56, load_table())

    codes = {reason.code for reason in found.reasons}
    assert not codes & {"unscreened_visits", "not_screened_yet", "last_screen", "opioid_history"}


def test_age_sex_race_and_ethnicity_are_no_signs() -> None:
    assert not [name for name in SIGNS if name in {"age", "sex", "race", "ethnicity"}]


def test_being_seen_lowers_the_risk_and_asking_changes_nothing() -> None:
    b = weekly(8, 2)
    before = read_signs(b, 66)

    now, seen = what_would_lower(b, 66, load_table())

    assert seen < now
    assert read_signs(b, 66) == before
