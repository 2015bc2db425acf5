"""The plan and the team, as tables staff can read."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from handrail.receipts import Moment, Rejected
from handrail.sites import Site
from intake import commands, rules
from intake.facts import Admission, Chart, Goal, Matter, Member
from intake.rules import catalogue, plan, team

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
TODAY = date(2026, 3, 5)
ADMITTED = TODAY - timedelta(days=30)
ANN, BEN, CAT = UUID(int=1), UUID(int=2), UUID(int=3)
IN_CARE = Admission(
    UUID(int=9),
    UUID(int=8),
    "north",
    "admitted",
    "self",
    NOON,
    admitted_on=ADMITTED,
    recertify_by=ADMITTED + timedelta(days=60),
    instrument="asam",
    edition="4",
    level_of_care="2.1",
    weekly_minutes=540,
)


def day(ahead: int) -> date:
    return TODAY + timedelta(days=ahead)


def said(do: str, **facts: Any) -> Any:
    return commands.COMMANDS.validate_python(
        [{"do": do, "key": "k", "occurred_at": NOON, "admission_id": UUID(int=9), **facts}]
    )[0]


def decide(about: Admission, do: str, **facts: Any) -> Any:
    return rules.decide(Matter(about, NOON, NOON, TODAY), said(do, **facts))


def refused(about: Admission, do: str, **facts: Any) -> tuple[str, str | None]:
    with pytest.raises(Rejected) as told:
        decide(about, do, **facts)
    return told.value.code, told.value.field


GROUPS = {"session_type": "group", "sessions": 3, "minutes": 180}
TALK = {"session_type": "individual", "sessions": 1, "minutes": 60}
DOSE = {"weekly_minutes": 600, "sessions_per_week": 4, "doses": [GROUPS, TALK]}


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        (DOSE | {"weekly_minutes": 601}, ("dose_differs", "weekly_minutes")),
        (DOSE | {"sessions_per_week": 3}, ("dose_differs", "sessions_per_week")),
        (DOSE | {"doses": [GROUPS, GROUPS]}, ("dose_twice", "doses")),
        (DOSE | {"review_on": TODAY}, ("not_ahead", "review_on")),
        ({"weekly_minutes": 480, "sessions_per_week": 3}, ("hours_outside_level", "weekly_minutes")),
    ],
)  # fmt: skip
def test_a_plan_that_does_not_add_up_is_refused_by_field(
    facts: dict[str, Any], refusal: tuple[str, str]
) -> None:
    assert refused(IN_CARE, "change_plan", **facts) == refusal


def test_a_plan_says_dose_by_type_goals_and_review() -> None:
    met = Chart(goals=(Goal(goal="sleep", state="met"), Goal(goal="gone")))
    now, (event,) = decide(
        replace(IN_CARE, chart=met), "change_plan", **DOSE, goals=["sleep", "work"], review_on=day(28)
    )  # fmt: skip

    assert now.review_on == day(28)
    assert [(g.goal, g.state) for g in now.chart.goals] == [("sleep", "met"), ("work", "open")]
    assert [d.sessions for d in now.chart.doses] == [3, 1]
    assert event.model_dump(mode="json")["doses"] == [GROUPS, TALK]


def test_a_goal_is_marked_and_an_unknown_one_refused() -> None:
    person = replace(IN_CARE, chart=Chart(goals=(Goal(goal="sleep"),)))

    now, _ = decide(person, "mark_goal", goal="sleep", state="met")
    assert now.chart.goals[0].state == "met"
    assert refused(person, "mark_goal", goal="work", state="met") == ("goal_unknown", "goal")


@pytest.mark.parametrize(
    ("on", "until", "late"),
    [(day(0), day(60), 0), (day(-1), day(59), 0)],
)
def test_a_certification_lasts_sixty_days(on: date, until: date, late: int) -> None:
    now, (event,) = decide(IN_CARE, "recertify", certified_on=on, certifier_id=ANN)

    assert now.recertify_by == until
    assert event.days_late == late


@pytest.mark.parametrize(("ran_out", "late"), [(0, 0), (1, 1), (5, 5)])
def test_how_late_a_certification_was_is_told(ran_out: int, late: int) -> None:
    person = replace(IN_CARE, recertify_by=day(-ran_out))

    _, (event,) = decide(person, "recertify", certified_on=TODAY, certifier_id=ANN)
    assert event.days_late == late


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        ({"certified_on": day(1)}, ("in_the_future", "certified_on")),
        ({"certified_on": day(-31)}, ("before_admission", "certified_on")),
    ],
)
def test_a_certification_out_of_place_is_refused(
    facts: dict[str, Any], refusal: tuple[str, str]
) -> None:
    assert refused(IN_CARE, "recertify", certifier_id=ANN, **facts) == refusal


@pytest.mark.parametrize(
    ("status", "review_on", "recertify_by", "due"),
    [
        ("admitted", None, day(1), ["plan"]),
        ("admitted", day(0), day(1), ["plan_review"]),
        ("on_hold", day(1), day(0), ["recertification"]),
        ("admitted", day(-1), day(-1), ["plan_review", "recertification"]),
        ("admitted", day(1), day(1), []),
        ("discharged", None, day(-1), []),
    ],
)
def test_what_is_due_of_a_plan(
    status: str, review_on: date | None, recertify_by: date, due: list[str]
) -> None:
    person = replace(IN_CARE, status=status, review_on=review_on, recertify_by=recertify_by)

    assert [what for what, _ in plan.due(person, TODAY)] == due


HOLDS = Member(role="case_manager", staff_id=ANN, from_on=day(-9))
COVER = Member(role="case_manager", staff_id=BEN, from_on=day(1), until_on=day(3), covers=ANN)
WITH_TEAM = replace(IN_CARE, chart=Chart(team=(HOLDS, COVER)))


@pytest.mark.parametrize(
    ("on", "who"),
    [(-10, None), (-9, ANN), (0, ANN), (1, BEN), (3, BEN), (4, ANN)],
)
def test_the_cover_stands_in_on_its_days(on: int, who: UUID | None) -> None:
    for members in ((HOLDS, COVER), (COVER, HOLDS)):
        assert team.on_duty(members, day(on)).get("case_manager") == who


@pytest.mark.parametrize(
    ("do", "facts", "refusal"),
    [
        ("assign_role", {"staff_id": ANN, "from_on": TODAY}, ("role_held", "staff_id")),
        ("assign_role", {"staff_id": CAT, "from_on": day(-10)}, ("before_holder", "from_on")),
        ("cover_role", {"staff_id": ANN, "from_on": TODAY, "until_on": TODAY}, ("covers_self", "staff_id")),
        ("cover_role", {"staff_id": CAT, "from_on": day(9), "until_on": day(8)}, ("ends_before_it_begins", "until_on")),
        ("cover_role", {"staff_id": CAT, "from_on": day(-3), "until_on": day(-1)}, ("in_the_past", "until_on")),
        ("cover_role", {"staff_id": CAT, "from_on": day(3), "until_on": day(5)}, ("covered_already", "from_on")),
        ("release_role", {"staff_id": CAT, "released_on": TODAY}, ("member_unknown", "staff_id")),
    ],
)  # fmt: skip
def test_a_role_is_refused_by_field(
    do: str, facts: dict[str, Any], refusal: tuple[str, str]
) -> None:
    assert refused(WITH_TEAM, do, role="case_manager", **facts) == refusal


def test_an_empty_role_has_no_cover() -> None:
    said_now = {"role": "peer", "staff_id": CAT, "from_on": TODAY, "until_on": day(1)}

    assert refused(WITH_TEAM, "cover_role", **said_now) == ("role_empty", "role")


def test_a_role_is_handed_over_with_its_covers_ended() -> None:
    now, events = decide(WITH_TEAM, "assign_role", role="case_manager", staff_id=CAT, from_on=TODAY)

    assert [member.staff_id for member in now.chart.team] == [CAT]
    assert [event.type.split(".")[1] for event in events] == [
        "care_team_member_released",
        "care_team_member_released",
        "care_team_member_assigned",
    ]


def test_a_released_cover_leaves_the_holder() -> None:
    now, _ = decide(WITH_TEAM, "release_role", role="case_manager", staff_id=BEN, released_on=TODAY)

    assert now.chart.team == (HOLDS,)


LISTED = {
    "site_id": "north",
    "program_id": "iop",
    "weekly_minutes": 540,
    "session_types": ["group"],
    "places": 12,
}


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"weekly_minutes": 300}, "weekly_minutes"),
        ({"level_of_care": "7"}, "level_of_care"),
        ({"instrument": "locus", "edition": "20", "level_of_care": "3"}, "instrument"),
        ({"meets": [{"weekday": 1, "starts": "18:00", "ends": "18:00"}]}, "meets"),
    ],
)
def test_a_programme_that_cannot_be_is_refused_by_field(facts: dict[str, Any], field: str) -> None:
    site = Site("north", "UTC", "wall", day(-1))
    listed = commands.COMMANDS.validate_python(
        [{"do": "list_program", "key": "k", "occurred_at": NOON, **LISTED, **facts}]
    )[0]
    assert isinstance(listed, commands.ListProgram)

    with pytest.raises(Rejected) as told:
        catalogue.list_program(site, listed, Moment(NOON, TODAY))
    assert told.value.field == field
