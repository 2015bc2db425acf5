"""What aftercare does with a hand-off and at a day's end, as tables a clinician can read."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from aftercare import commands, rules
from aftercare.rules import HandOff, When
from handrail.receipts import Rejected

STARTED = date(2024, 3, 1)
VISIT = date(2024, 3, 5)
NOON = datetime(2024, 3, 5, 12, tzinfo=UTC)
SAID = {"key": "k", "occurred_at": NOON}


def when(today: date = VISIT) -> When:
    """A moment on the day of the planned visit."""
    return {"occurred_at": NOON, "recorded_at": NOON, "recorded_day": today}


def start(first_visit_on: date = VISIT) -> HandOff:
    """A hand-off to outpatient care, started on the first of March."""
    command = commands.StartStepDown.model_validate(
        {
            **SAID,
            "admission_id": UUID(int=1),
            "destination": "outpatient",
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
        hand_off, events = rules.end_day(hand_off, STARTED + timedelta(days=n), NOON)
        for event in events:
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


def test_a_step_down_plans_calls_after_one_and_two_weeks_and_one_and_three_months() -> None:
    planned = [(f.follow_up_day, f.due_on) for f in start().follow_ups]

    assert planned == [(n, STARTED + timedelta(days=n)) for n in (7, 14, 30, 90)]


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

    hand_off, event = rules.decide(hand_off, FOLLOW_UP, when(STARTED + timedelta(days=11)))

    assert event.type == "aftercare.follow_up_completed.v1"
    assert hand_off == replace(hand_off, status="seen")
    assert hand_off.follow_ups[0].status == "completed"
