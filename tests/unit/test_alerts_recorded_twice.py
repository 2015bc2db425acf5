"""A person recorded twice: one safety flag, under one admission at a time, and back if they were two."""

import pytest

from tests.unit.test_alert_rules import LADDER, START, Told, ended, facts, missed

ONE, OTHER = "a" * 32, "b" * 32
FLAG = (2, "measured", "c_ssrs", "flag")
NO_FLAG = (2, "measured", "phq_9", "none")


def levels(told: list[Told], through: int = 6) -> list[tuple[int, str, int]]:
    """What happened to concerns: (day, what, level)."""
    found = ended(facts((1, "attended"), *told), through, LADDER)
    return [(o.day - START, o.ending or o.what, o.level) for o in found if o.what != "opened"]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        # It goes on elsewhere; nothing more is said here, also of a miss that comes late.
        ([FLAG, (3, "flag_moved", ONE)], [(2, "raised", 0), (3, "moved_over", 0)]),
        # They were two after all: it is open again.
        (
            [FLAG, (3, "flag_moved", ONE), (4, "flag_back", ONE)],
            [(2, "raised", 0), (3, "moved_over", 0), (4, "raised", 0)],
        ),
        # A new flag is not swallowed by the one that has gone.
        (
            [FLAG, (3, "flag_moved", ONE), (4, "measured", "c_ssrs", "flag")],
            [(2, "raised", 0), (3, "moved_over", 0), (4, "raised", 0)],
        ),
        (
            [FLAG, (3, "flag_moved", ONE), (4, "measured", "phq_9", "none")],
            [(2, "raised", 0), (3, "moved_over", 0)],
        ),
        # What somebody closed before is not brought back.
        (
            [FLAG, (3, "resolved", "exhausted"), (4, "unmerged", "admitted", "")],
            [(2, "raised", 0), (3, "exhausted", 0)],
        ),
    ],
)
def test_the_duplicate_lets_its_flag_go_and_gets_it_back(
    told: list[Told], expected: list[tuple[int, str, int]]
) -> None:
    assert levels(told) == expected


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        # The flag comes: a person who had nothing open has a safety concern now.
        ([(3, "flag_taken", ONE)], [(3, "raised", 0)]),
        # It comes to a concern that is there: that one rises, there is no second.
        ([missed(2), (3, "flag_taken", ONE)], [(2, "raised", 2), (3, "raised", 0)]),
        # A flag is open here already: nothing is said twice.
        ([FLAG, (3, "flag_taken", ONE)], [(2, "raised", 0)]),
        ([(3, "flag_taken", ONE), (4, "flag_taken", OTHER)], [(3, "raised", 0)]),
        # No session ends it, people do; then it is over for both.
        (
            [(3, "flag_taken", ONE), (4, "attended"), (5, "resolved", "exhausted")],
            [(3, "raised", 0), (5, "exhausted", 0)],
        ),
        # They were two: what was there because of the other is taken back.
        ([(3, "flag_taken", ONE), (4, "flag_left", ONE)], [(3, "raised", 0), (4, "withdrawn", 0)]),
        # What holds without it goes on holding.
        (
            [missed(2), (3, "flag_taken", ONE), (4, "flag_left", ONE)],
            [(2, "raised", 2), (3, "raised", 0), (4, "eased", 2)],
        ),
        ([FLAG, (3, "flag_taken", ONE), (4, "flag_left", ONE)], [(2, "raised", 0)]),
        (
            [(3, "flag_taken", ONE), (3, "flag_taken", OTHER), (4, "flag_left", ONE)],
            [(3, "raised", 0)],
        ),
    ],
)
def test_the_kept_admission_has_one_safety_concern_as_long_as_a_flag_stands_there(
    told: list[Told], expected: list[tuple[int, str, int]]
) -> None:
    assert levels(told) == expected


def test_a_correction_tells_the_moves_again() -> None:
    seat = missed(2, "s")
    correction = (5, "corrected", "no_show", "excused", "s")

    moved = [FLAG, seat, (3, "lost", "merged"), (3, "flag_moved", ONE), correction]
    taken = [seat, (3, "flag_taken", ONE), correction]

    assert levels(moved)[-1] == (3, "moved_over", 0)
    assert levels(taken)[-1] == (5, "eased", 0)
