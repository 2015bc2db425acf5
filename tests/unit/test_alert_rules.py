"""What raises which level, what holds it back and what a correction takes away."""

import msgspec
import pytest

from alerts.facts import Fact
from alerts.policy import DEFAULT
from alerts.record import EMPTY, Record, settle
from alerts.risk.table import load_table
from alerts.rules import Ladder, Outcome

# The ladder's own rules: by this table nobody is ever at risk.
LADDER = Ladder(DEFAULT, msgspec.structs.replace(load_table(), middle=2.0, high=2.0))
START = 739_000
_OWNERS = {
    "admitted": "intake",
    "held": "intake",
    "resumed": "intake",
    "stepped": "intake",
    **dict.fromkeys(("discharged", "reopened", "unadmitted", "admitted"), "intake"),
    "outreach": "alerts",
    "resolved": "alerts",
    **dict.fromkeys(("flag_moved", "flag_back", "flag_taken", "flag_left"), "alerts"),
    "first_visit_missed": "aftercare",
}
Told = tuple[object, ...]


def facts(*told: Told, weekly: tuple[float, float] = (540.0, 3.0)) -> list[Fact]:
    """Someone admitted on day 0, and what was told: (day, what, *codes, seat=...)."""
    found = [Fact(START, START, "intake", 1, "admitted", START, ("evening",), weekly)]
    for number, (day, what, *codes) in enumerate(told, 2):
        assert isinstance(day, int)
        assert isinstance(what, str)
        at = START + day
        owner = _OWNERS.get(what, "attendance")
        numbers: tuple[float, ...] = ()
        seat = ""
        if what == "attended":
            numbers = (float(at), 180.0, 0.0)
        if what == "measured":
            numbers = (20.0, float(codes[1] == "flag"))
        if what in ("missed", "corrected"):
            seat = str(codes.pop())
        if what == "corrected":
            numbers = (float(at), 180.0, 0.0)
        found.append(
            Fact(
                at, at * 10 + number, owner, number, what, at, tuple(map(str, codes)), numbers, seat
            )
        )
    return found


def missed(day: int, seat: str = "") -> Told:
    return (day, "missed", "no_show", "unknown", seat or f"s{day}")


def kept(*days: int) -> list[Told]:
    return [(day, "attended") for day in days]


def ended(told: list[Fact], through: int, ladder: Ladder = LADDER) -> list[Outcome]:
    """What follows by the end of the day `through`."""
    record = Record(EMPTY, waiting=told)
    return settle(record, range(START, START + through + 1), ladder).outcomes


def raised(outcomes: list[Outcome]) -> list[tuple[int, str, int]]:
    return [(o.day - START, o.kind, o.level) for o in outcomes if o.what == "raised"]


WEEKLY = (90.0, 1.0)
# Three evenings a week from the first to the fourth week.
REGULAR = kept(*range(1, 25, 2))


@pytest.mark.parametrize(
    ("told", "through", "expected"),
    [
        ([*kept(1), missed(3)], 3, (3, "early_miss", 2)),
        ([], 2, (2, "no_first_session", 2)),
        ([*REGULAR, missed(26)], 26, (26, "single_miss", 3)),
        ([*REGULAR, missed(26), missed(28)], 28, (28, "misses_within_a_week", 2)),
        ([*REGULAR, missed(26), missed(27), missed(28)], 28, (28, "misses_in_a_row", 1)),
        ([*REGULAR, (24, "measured", "phq-9", "flag")], 24, (24, "safety_flag", 0)),
        ([*REGULAR, (24, "stepped", "1")], 27, (27, "no_session_after_step", 2)),
        ([*REGULAR], 30, (30, "no_contact", 1)),
    ],
)
def test_the_ladder(told: list[Told], through: int, expected: tuple[int, str, int]) -> None:
    assert expected in raised(ended(facts(*told), through))


BACK = (missed(26), missed(28), *kept(30))


@pytest.mark.parametrize(
    ("then", "pushed"),
    [
        # No more than was pushed before, within two weeks of the return: listed only.
        ((missed(32), missed(34)), [(28, 2)]),
        # Coming back from what was only listed does not make it longer.
        ((missed(32), *kept(33, 37, 39, 41, 42), missed(44), missed(45)), [(28, 2), (45, 2)]),
        ((*kept(34, 38, 42), missed(44), missed(45)), [(28, 2), (45, 2)]),
        # Level 1 and safety are always pushed.
        ((missed(32), missed(34), missed(36)), [(28, 2), (36, 1)]),
        ((missed(31), missed(32), missed(33), *kept(34), *map(missed, (35, 36, 37))),
         [(28, 2), (33, 1), (37, 1)]),
        ((missed(32), (33, "measured", "phq-9", "flag")), [(28, 2), (33, 0)]),
        # So is what misses did not say before.
        (((32, "first_visit_missed"),), [(28, 2), (32, 2)]),
    ],
)  # fmt: skip
def test_what_was_pushed_shortly_before_is_listed(
    then: tuple[Told, ...], pushed: list[tuple[int, int]]
) -> None:
    outcomes = ended(facts(*REGULAR, *BACK, *then), max(told[0] for told in then))

    assert pushed == [
        (o.day - START, o.level)
        for o in outcomes
        if o.what == "raised" and o.level <= DEFAULT.push_to_level and not o.quiet
    ]


def test_in_a_weekly_programme_every_rise_is_pushed() -> None:
    seen = kept(*range(0, 141, 7), 161)
    told = facts(*seen, missed(147), missed(154), missed(168), missed(175), weekly=WEEKLY)
    outcomes = [o for o in ended(told, 175) if o.what == "raised"]

    assert len(outcomes) > 1
    assert not any(o.quiet for o in outcomes)


def test_in_a_weekly_programme_the_second_miss_is_elevated() -> None:
    told = facts(*kept(*range(0, 141, 7)), missed(147), missed(154), weekly=WEEKLY)

    assert (154, "second_miss", 2) in raised(ended(told, 154))


@pytest.mark.parametrize("hold", ["leave", "hospital", "jail"])
def test_nothing_but_safety_is_raised_while_absence_is_expected(hold: str) -> None:
    told = [*REGULAR, (24, "held", hold), missed(25), missed(26), missed(28)]

    assert raised(ended(facts(*told), 45)) == []
    flagged = facts(*told, (30, "measured", "c-ssrs", "flag"))
    assert raised(ended(flagged, 45)) == [(30, "safety_flag", 0)]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([(24, "discharged", "completed"), missed(25), missed(26)], []),
        (
            [(24, "discharged", "completed"), (25, "reopened", "admitted", ""), missed(26), missed(28)],
            [(26, "single_miss", 3), (28, "misses_within_a_week", 2)],
        ),
        (
            [(24, "held", "leave"), (25, "discharged", "other"), (26, "reopened", "on_hold", "leave"), missed(27), missed(28)],
            [],
        ),
        ([(24, "unadmitted"), missed(25), missed(26)], []),
    ],
)  # fmt: skip
def test_an_end_taken_back_is_as_if_it_had_not_been(
    told: list[Told], expected: list[tuple[int, str, int]]
) -> None:
    assert raised(ended(facts(*REGULAR, *told), 29)) == expected


def test_an_admission_taken_back_closes_its_concern_and_a_new_one_is_watched() -> None:
    told = [*REGULAR, missed(23), missed(24), (25, "unadmitted")]
    record = Record(EMPTY, waiting=facts(*told))
    settled = settle(record, range(START, START + 27), LADDER)

    assert settled.story.concern is None
    assert [o.ending for o in settled.outcomes if o.what == "closed"] == ["discharged"]
    assert settled.story.pauses == [("admission_undone", START + 25, None)]
    again = Fact(
        START + 30, 9 * START, "intake", 99, "admitted", START + 30, ("day",), (540.0, 3.0)
    )
    later = settle(Record(EMPTY, waiting=[*facts(*told), again]), range(START, START + 32), LADDER)
    assert later.story.phase == "admitted"
    assert later.story.pauses == [("admission_undone", START + 25, START + 30)]


def test_a_hold_that_an_outreach_found_ends_when_the_person_is_seen() -> None:
    told = facts(
        *REGULAR,
        missed(25),
        (25, "outreach", "phone", "found_in_hospital"),
        missed(26),
        *kept(40),
        missed(42),
        missed(44),
    )
    record = Record(EMPTY, waiting=told)
    settled = settle(record, range(START, START + 45), LADDER)

    assert settled.story.pauses == [("hospital", START + 25, START + 40)]
    assert (42, "single_miss", 3) in raised(settled.outcomes)


def test_a_session_the_programme_did_not_hold_is_no_silence() -> None:
    told = [*REGULAR, *((day, "unheld") for day in (26, 28, 30))]

    assert "no_contact" not in {kind for _, kind, _ in raised(ended(facts(*told), 36))}


def test_a_corrected_miss_takes_back_what_hung_on_it_and_leaves_what_did_not() -> None:
    told = facts(
        *REGULAR,
        missed(26),
        missed(27),
        missed(28, "wrong"),
        (29, "corrected", "no_show", "excused", "wrong"),
    )
    record = Record(EMPTY, waiting=told)
    settled = settle(record, range(START, START + 30), LADDER)

    [eased] = [o for o in settled.outcomes if o.what == "eased"]
    assert eased.level == 2
    assert not any("3 sessions" in words for words in eased.words)
    concern = settled.story.concern
    assert concern is not None
    assert (concern.level, concern.words) == (2, eased.words)


def test_a_concern_whose_only_miss_was_wrong_is_withdrawn() -> None:
    told = facts(*REGULAR, missed(26, "wrong"), (26, "corrected", "no_show", "attended", "wrong"))
    outcomes = ended(told, 26)

    assert [o.what for o in outcomes] == ["opened", "raised", "withdrawn"]


def planned(day: int, review: int) -> Fact:
    numbers = (540.0, 3.0, float(START + review))
    return Fact(START + day, START + day * 10, "intake", 2, "planned", START + day, (), numbers)


def said(
    day: int, sequence: int, what: str, *codes: str, of: int | None = None, seat: str = ""
) -> Fact:
    """Something of a day, about that day or another."""
    at, about = START + day, START + (day if of is None else of)
    owner = "intake" if what == "reviewed" else "attendance"
    numbers = (float(about), 180.0, 0.0) if what == "attended" else (20.0, 0.0)
    return Fact(at, at * 10 + sequence, owner, sequence, what, about, codes, numbers, seat)


def settled(told: list[Fact], through: int) -> list[tuple[int, str, str, int]]:
    return [
        (o.day - START, o.ending or o.what, o.kind, o.level)
        for o in ended(told, through)
        if o.what in ("raised", "closed", "withdrawn")
    ]


def test_a_review_that_is_overdue_is_listed_until_it_is_held_whoever_comes() -> None:
    here = facts(*kept(*range(1, 35, 2)))
    told = [*here, planned(1, 20), said(25, 90, "reviewed", of=50)]

    assert settled(told, 30) == [
        (21, "raised", "plan_review_overdue", 3),
        (25, "done", "plan_review_overdue", 3),
    ]


@pytest.mark.parametrize(
    ("told", "through", "expected"),
    [
        ([said(2, 80, "measured", "phq_9")], 16, []),
        ([said(2, 80, "measured", "phq_9")], 17, [(17, "raised", "form_overdue", 3)]),
        ([said(2, 80, "measured", "bam_use")], 10, [(10, "raised", "form_overdue", 3)]),
        # Nobody asks again for a form that the policy does not name, nor in a hold.
        ([said(2, 80, "measured", "withdrawal")], 34, []),
        ([said(2, 80, "measured", "phq_9"), said(5, 81, "held", "leave")], 30, []),
        (
            [said(2, 80, "measured", "phq_9"), said(20, 81, "measured", "phq_9")],
            24,
            [(17, "raised", "form_overdue", 3), (20, "done", "form_overdue", 3)],
        ),
        # The second thing that is overdue is told.
        (
            [said(2, 80, "measured", "phq_9"), planned(1, 20)],
            22,
            [(17, "raised", "form_overdue", 3), (21, "raised", "review_and_form_overdue", 2)],
        ),
    ],
)
def test_a_form_that_is_overdue_is_listed_and_with_a_review_told(
    told: list[Fact], through: int, expected: list[tuple[int, str, str, int]]
) -> None:
    assert settled([*facts(*kept(*range(1, 35, 2))), *told], through) == expected


@pytest.mark.parametrize(
    ("told", "raises"),
    [
        # Three evenings without a word are three evenings of silence: told after seven days.
        ([], [(30, "no_contact")]),
        # Of two of them nobody has said what became of the seat: the silence begins after them.
        ([said(26, 91, "unreported", "a", of=25), said(28, 92, "unreported", "b", of=28)], []),
        # The roster comes late and says that the person was away: it is known again.
        (
            [
                said(26, 91, "unreported", "a", of=25),
                said(29, 92, "excused", "group", of=25, seat="a"),
            ],
            [(30, "no_contact")],
        ),
        # The seat is withdrawn: nobody has to say what became of it.
        (
            [said(26, 91, "unreported", "a", of=25), said(29, 92, "seat_withdrawn", "a")],
            [(30, "no_contact")],
        ),
    ],
)
def test_what_was_not_reported_is_not_absence(
    told: list[Fact], raises: list[tuple[int, str]]
) -> None:
    found = raised(ended([*facts(*REGULAR), *told], 31))

    assert [(day, kind) for day, kind, _ in found] == raises


def test_a_roster_never_taken_does_not_hush_silence_for_ever() -> None:
    told = [*facts(*REGULAR), said(26, 91, "unreported", "a", of=25)]

    assert raised(ended(told, 40)) == [(32, "no_contact", 1)]


def test_what_was_not_reported_is_logged_with_its_end() -> None:
    told = [
        *facts(*REGULAR),
        said(26, 91, "unreported", "a", of=25),
        said(27, 92, "unreported", "b", of=27),
        said(28, 93, "attended", "group", seat="a", of=25),
    ]
    record = Record(EMPTY, waiting=told)

    story = settle(record, range(START, START + 30), LADDER).story

    assert story.expected_absences() == [
        ("roster_not_taken", START + 25, START + 28),
        ("roster_not_taken", START + 27, None),
    ]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        # Listed from the day's end on, until it has been done; a session does not do it.
        (
            [said(24, 91, "step_overdue", "attendance_policy", of=22)],
            [(24, "raised", "policy_not_acknowledged", 3)],
        ),
        (
            [
                said(24, 91, "step_overdue", "attendance_policy", of=22),
                said(26, 92, "step_done", "attendance_policy"),
            ],
            [
                (24, "raised", "policy_not_acknowledged", 3),
                (26, "done", "policy_not_acknowledged", 3),
            ],
        ),
        # Another step that is done leaves it.
        (
            [
                said(24, 91, "step_overdue", "eligibility", of=22),
                said(26, 92, "step_done", "attendance_policy"),
            ],
            [(24, "raised", "eligibility_not_assessed", 3)],
        ),
        # What was done in time is nothing.
        ([said(20, 91, "step_done", "attendance_policy")], []),
    ],
)
def test_a_step_of_intake_that_is_overdue_is_listed_until_it_is_done(
    told: list[Fact], expected: list[tuple[int, str, str, int]]
) -> None:
    assert settled([*facts(*kept(*range(1, 35, 2))), *told], 30) == expected
