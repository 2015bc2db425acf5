"""What aftercare does with a hand-off and at a day's end, as tables a clinician can read."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from aftercare import commands, rules
from aftercare.facts import HandOff, When
from handrail.events import aftercare as events
from handrail.receipts import Rejected

STARTED = date(2024, 3, 1)
VISIT = date(2024, 3, 5)
NOON = datetime(2024, 3, 5, 12, tzinfo=UTC)
SAID = {"key": "k", "occurred_at": NOON}


def when(today: date = VISIT) -> When:
    """A moment on the day of the planned visit."""
    return {"occurred_at": NOON, "recorded_at": NOON, "recorded_day": today}


def start(first_visit_on: date = VISIT, destination: str = "outpatient") -> HandOff:
    """A hand-off started on the first of March."""
    command = commands.StartStepDown.model_validate(
        {
            **SAID,
            "admission_id": UUID(int=1),
            "destination": destination,
            "receiver": "riverside",
            "first_visit_on": first_visit_on,
        }
    )
    return rules.start("north", command, STARTED, when(STARTED))[0]


def command(do: str, **facts: object) -> commands.StepDownCommand:
    """A command about some hand-off."""
    (made,) = commands.COMMANDS.validate_python(
        [{**SAID, "do": do, "step_down_id": UUID(int=2), **facts}]
    )
    assert isinstance(made, commands.StepDownCommand)
    return made


ACCEPT = command("accept_step_down")
KEEP = command("keep_first_visit", visited_on=VISIT)
MISS = command("miss_first_visit")
RETURN = command("return_to_care")
FOLLOW_UP = command("complete_follow_up", follow_up_day=7)
WARM = command("attempt_hand_off", channel="phone", outcome="warm", attempted_on=VISIT)
ALONE = command("attempt_hand_off", channel="text", outcome="not_reached", attempted_on=VISIT)
PLAN = command("plan_first_visit", first_visit_on=VISIT + timedelta(days=2))
DECLINE = command("decline_step_down", by="receiver", reason="no_place", declined_on=VISIT)
ASK = command("ask_return", asked_on=VISIT, asked_by="person")
WITHDRAW = command("withdraw_return", withdrawn_on=VISIT)
THERAPY = {"kind": "therapy", "place": "oak-street"}
ALUMNI = {"kind": "alumni", "place": "thursday-group"}
ENROLL = command("enroll", **THERAPY, enrolled_on=VISIT)
LEAVE = command("end_enrollment", **THERAPY, ended_on=VISIT)
JOIN_ALUMNI = command("enroll", **ALUMNI, enrolled_on=VISIT)
OPT_IN = command("opt_in_alumni", opted_in_on=VISIT)
OPT_OUT = command("opt_out_alumni", opted_out_on=VISIT)
ITEM = command("set_plan_item", item="call-sponsor", kind="coping")
PRACTISED = command("set_plan_item", item="call-sponsor", kind="coping", state="practised")
END = command("end_follow_up", reason="declined")
TRIED = command(
    "attempt_follow_up",
    follow_up_day=7,
    channel="phone",
    outcome="not_reached",
    attempted_on=VISIT,
)


def after(*said: commands.StepDownCommand) -> HandOff:
    """The hand-off after these commands."""
    hand_off = start()
    for one in said:
        hand_off, _ = rules.decide(hand_off, one, when())
    return hand_off


def told(hand_off: HandOff, first: int, last: int) -> list[tuple[int, str, int | None]]:
    """What the day ends tell: (days after the start, event, follow-up)."""
    lines = []
    for n in range(first, last + 1):
        hand_off, ended = rules.end_day(hand_off, STARTED + timedelta(days=n), NOON)
        for event in ended:
            name = event.type.split(".")[1]
            lines.append((n, name, getattr(event, "follow_up_day", None)))
    return lines


@pytest.mark.parametrize(
    ("before", "then", "status"),
    [
        ((), ACCEPT, "accepted"),
        ((), KEEP, "seen"),
        ((), MISS, "missed"),
        ((ACCEPT,), KEEP, "seen"),
        ((ACCEPT,), MISS, "missed"),
        ((MISS,), KEEP, "seen"),
        ((MISS,), RETURN, "returned"),
        ((KEEP,), RETURN, "returned"),
        ((KEEP,), FOLLOW_UP, "seen"),
        ((MISS,), FOLLOW_UP, "missed"),
        ((), WARM, "started"),
        ((MISS,), PLAN, "started"),
        ((ACCEPT,), PLAN, "accepted"),
        ((ACCEPT,), DECLINE, "declined"),
        ((DECLINE,), KEEP, "seen"),
        ((DECLINE,), FOLLOW_UP, "declined"),
        ((DECLINE,), RETURN, "returned"),
        ((KEEP, ASK), RETURN, "returned"),
    ],
)
def test_a_hand_off_goes_on(
    before: tuple[commands.StepDownCommand, ...], then: commands.StepDownCommand, status: str
) -> None:
    assert after(*before, then).status == status


@pytest.mark.parametrize(
    ("before", "then"),
    [
        ((ACCEPT,), ACCEPT),
        ((MISS,), ACCEPT),
        ((KEEP,), KEEP),
        ((KEEP,), MISS),
        ((MISS,), MISS),
        ((RETURN,), RETURN),
        ((RETURN,), KEEP),
        ((RETURN,), FOLLOW_UP),
        ((FOLLOW_UP,), FOLLOW_UP),
        ((KEEP,), WARM),
        ((KEEP,), PLAN),
        ((KEEP,), DECLINE),
        ((RETURN,), ASK),
        ((RETURN,), ENROLL),
        ((RETURN,), ITEM),
        ((END,), FOLLOW_UP),
        ((END,), END),
    ],
)
def test_a_hand_off_does_not_go_back(
    before: tuple[commands.StepDownCommand, ...], then: commands.StepDownCommand
) -> None:
    with pytest.raises(Rejected) as refused:
        after(*before, then)

    assert refused.value.code == "wrong_status"


@pytest.mark.parametrize(
    ("what", "then", "today", "code", "field"),
    [
        (
            "seen before the step-down",
            command("keep_first_visit", visited_on=STARTED - timedelta(days=1)),
            VISIT,
            "before_step_down",
            "visited_on",
        ),
        (
            "seen tomorrow",
            command("keep_first_visit", visited_on=VISIT + timedelta(days=1)),
            VISIT,
            "in_the_future",
            "visited_on",
        ),
        (
            "missed a visit still to come",
            MISS,
            VISIT - timedelta(days=1),
            "in_the_future",
            "step_down_id",
        ),
        (
            "a call nobody planned",
            command("complete_follow_up", follow_up_day=8),
            VISIT,
            "follow_up_unknown",
            "follow_up_day",
        ),
    ],
)
def test_what_cannot_be_is_refused_and_names_the_field(
    what: str, then: commands.StepDownCommand, today: date, code: str, field: str
) -> None:
    with pytest.raises(Rejected) as refused:
        rules.decide(start(), then, when(today))

    assert (refused.value.code, refused.value.field) == (code, field), what


def test_a_first_visit_is_not_planned_before_the_step_down() -> None:
    with pytest.raises(Rejected) as refused:
        start(STARTED - timedelta(days=1))

    assert refused.value.field == "first_visit_on"


@pytest.mark.parametrize(
    ("destination", "days"),
    [
        ("outpatient", (7, 14, 30, 60, 90, 180, 270, 360)),
        ("alumni", (7, 14, 30, 60, 90, 180, 270, 360)),
        ("step_up", (7, 30)),
    ],
)
def test_a_hand_off_plans_calls_and_check_ups(destination: str, days: tuple[int, ...]) -> None:
    planned = [(f.follow_up_day, f.due_on) for f in start(destination=destination).follow_ups]

    assert planned == [(n, STARTED + timedelta(days=n)) for n in days]


@pytest.mark.parametrize(
    ("destination", "days", "in_time"),
    [
        ("outpatient", 0, True),
        ("outpatient", 7, True),
        ("outpatient", 8, False),
        ("step_up", 2, True),
        ("step_up", 3, False),
    ],
)
def test_the_next_place_sees_the_person_in_time(
    destination: str, days: int, *, in_time: bool
) -> None:
    seen = STARTED + timedelta(days=days)
    keep = command("keep_first_visit", visited_on=seen)

    _, (kept,) = rules.decide(start(destination=destination), keep, when(seen))

    assert isinstance(kept, events.FirstVisitKept)
    assert (kept.days, kept.in_time) == (days, in_time)


def test_a_hand_off_is_warm_once_both_teams_spoke_with_the_person() -> None:
    cold = after(ALONE)
    warm, (told,) = rules.decide(cold, WARM, when())

    assert (cold.warm_on, warm.warm_on) == (None, VISIT)
    assert isinstance(told, events.HandOffAttempted)
    assert told.attempts == 2


def test_a_missed_first_visit_can_have_another_day_and_be_missed_again() -> None:
    again = after(MISS, PLAN)

    assert again.first_visit_on == VISIT + timedelta(days=2)
    assert told(again, 5, 6) == [(6, "first_visit_missed", None)]


@pytest.mark.parametrize(
    ("what", "before", "then", "code", "field"),
    [
        ("alumni without asking", (), JOIN_ALUMNI, "not_opted_in", "kind"),
        ("out without in", (), OPT_OUT, "not_opted_in", "step_down_id"),
        ("in twice", (OPT_IN,), OPT_IN, "opted_in_already", "step_down_id"),
        ("the same place twice", (ENROLL,), ENROLL, "enrolled_already", "place"),
        ("leaving what never was", (), LEAVE, "not_enrolled", "place"),
        ("leaving twice", (ENROLL, LEAVE), LEAVE, "not_enrolled", "place"),
        ("asking twice", (ASK,), ASK, "asked_already", "step_down_id"),
        ("withdrawing nothing", (), WITHDRAW, "not_asked", "step_down_id"),
        ("withdrawing twice", (ASK, WITHDRAW), WITHDRAW, "not_asked", "step_down_id"),
        (
            "planned in the past",
            (),
            command("plan_first_visit", first_visit_on=VISIT - timedelta(days=1)),
            "in_the_past",
            "first_visit_on",
        ),
        (
            "back before it was asked for",
            (ASK,),
            command("return_to_care", returned_on=VISIT - timedelta(days=1)),
            "before_asked",
            "returned_on",
        ),
    ],
)
def test_life_after_has_its_rules(
    what: str,
    before: tuple[commands.StepDownCommand, ...],
    then: commands.StepDownCommand,
    code: str,
    field: str,
) -> None:
    with pytest.raises(Rejected) as refused:
        after(*before, then)

    assert (refused.value.code, refused.value.field) == (code, field), what


def test_who_leaves_the_alumni_leaves_their_group_and_keeps_the_therapy() -> None:
    left, told = rules.decide(after(OPT_IN, JOIN_ALUMNI, ENROLL), OPT_OUT, when())

    assert left.alumni_since is None
    assert {e.kind: e.ended_on for e in left.chart.enrollments} == {
        "alumni": VISIT,
        "therapy": None,
    }
    assert [e.type.split(".")[1] for e in told] == ["alumni_opted_out", "enrollment_ended"]


def test_an_item_of_the_plan_has_one_state() -> None:
    assert [(i.item, i.state) for i in after(ITEM, PRACTISED).chart.plan] == [
        ("call-sponsor", "practised")
    ]


@pytest.mark.parametrize(
    ("days", "in_time"),
    [(0, True), (2, True), (3, False)],
)
def test_a_return_is_fast_within_two_days(days: int, *, in_time: bool) -> None:
    back = VISIT + timedelta(days=days)
    _, (returned,) = rules.decide(
        after(ASK), command("return_to_care", returned_on=back), when(back)
    )

    assert isinstance(returned, events.ReturnedToCare)
    assert (returned.days, returned.in_time) == (days, in_time)


def test_a_call_without_an_answer_is_counted_and_the_call_stays_open() -> None:
    tried = after(TRIED, TRIED)
    _, (done,) = rules.decide(tried, FOLLOW_UP, when())

    assert tried.follow_ups[0].status == "planned"
    assert isinstance(done, events.FollowUpCompleted)
    assert done.attempts == 2


def test_after_a_merge_the_survivor_is_told_of() -> None:
    moved = replace(start(), survivor_id=UUID(int=9))
    told = rules.move(moved, UUID(int=1), when())

    assert told is not None
    assert told.admission_id == UUID(int=9)
    assert rules.move(start(), UUID(int=1), when()) is None


CALLS = [
    (7, "follow_up_due", 7),
    (10, "follow_up_overdue", 7),
    (14, "follow_up_due", 14),
    (17, "follow_up_overdue", 14),
]


@pytest.mark.parametrize(
    ("what", "hand_off", "lines"),
    [
        ("nobody wrote anything", start(), [(4, "first_visit_missed", None), *CALLS]),
        ("accepted, and then nothing", after(ACCEPT), [(4, "first_visit_missed", None), *CALLS]),
        ("seen at the next place", after(KEEP), CALLS),
        ("the miss was recorded already", after(MISS), CALLS),
        ("called in the first week", after(KEEP, FOLLOW_UP), CALLS[2:]),
        ("returned to care", after(MISS, RETURN), []),
        ("a return that does not come", after(KEEP, ASK), [(6, "return_overdue", None), *CALLS]),
        ("a return no longer wanted", after(KEEP, ASK, WITHDRAW), CALLS),
        ("declined by the next place", after(DECLINE), CALLS),
        ("wants no more calls", after(KEEP, END), []),
    ],
)
def test_the_end_of_a_day_tells_what_did_not_happen(
    what: str, hand_off: HandOff, lines: list[tuple[int, str, int | None]]
) -> None:
    assert told(hand_off, 0, 20) == lines, what


def test_days_that_were_skipped_are_caught_up_in_order() -> None:
    lines = told(start(), 17, 17)

    assert lines == [(17, "first_visit_missed", None), *((17, *line[1:]) for line in CALLS)]


def test_a_call_that_is_overdue_can_still_be_made() -> None:
    hand_off = after(KEEP)
    for n in range(11):
        hand_off, _ = rules.end_day(hand_off, STARTED + timedelta(days=n), NOON)

    hand_off, (event,) = rules.decide(hand_off, FOLLOW_UP, when(STARTED + timedelta(days=11)))

    assert event.type == "aftercare.follow_up_completed.v1"
    assert hand_off == replace(hand_off, status="seen")
    assert hand_off.follow_ups[0].status == "completed"
