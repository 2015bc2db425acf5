"""Who has to do what by when: the attempt plan, staffed hours and escalation, as tables."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from alerts import duty, plan, staffed
from alerts.duty import NOT_DONE, NOT_TAKEN_ON, Duty, Step
from alerts.plan import Attempt
from alerts.policy import DEFAULT, POLICIES, Policy

ZONE = ZoneInfo("America/New_York")
WHERE = (DEFAULT, ZONE)
MONDAY = date(2026, 11, 2)


def local(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of that week, `day` 0 being Monday."""
    return datetime(2026, 11, 2 + day, hour, minute, tzinfo=ZONE).astimezone(UTC)


@pytest.mark.parametrize(
    ("level", "raised", "due", "escalates"),
    [
        # Safety: one hour and one more, day and night, on Sunday too.
        (0, local(0, 10), local(0, 11), local(0, 12)),
        (0, local(6, 2), local(6, 3), local(6, 4)),
        # High: the same day; the director by the next.
        (1, local(0, 8), local(0, 16), local(1, 8)),
        (1, local(0, 20), local(1, 16), local(2, 8)),
        # Elevated: a day; the supervisor after two. Nobody works on Saturday.
        (2, local(0, 10), local(1, 10), local(2, 10)),
        (2, local(4, 16), local(7, 8), local(8, 8)),
        # Watch: on the list; it rises at the second miss, nobody is told before.
        (3, local(0, 10), local(2, 10), None),
    ],
)
def test_a_deadline_falls_into_staffed_time_but_for_safety(
    level: int, raised: datetime, due: datetime, escalates: datetime | None
) -> None:
    begun = duty.begin(level, raised, WHERE)

    assert (begun.due_at, begun.escalate_at) == (due, escalates)


def test_nobody_is_told_that_it_was_not_taken_on_once_it_was() -> None:
    begun = duty.begin(2, local(0, 10), WHERE)
    taken = duty.acknowledge(begun, local(0, 11), WHERE)

    assert duty.why_late(begun, local(2, 10)) == NOT_TAKEN_ON
    assert duty.why_late(taken, local(2, 10)) == NOT_DONE
    tried = duty.attempt(taken, Step("verify_return", 72), local(0, 12), WHERE)
    assert duty.why_late(tried, local(2, 10)) is None
    assert tried.due_at == local(3, 12)


def test_an_escalation_is_told_once_and_an_acknowledgement_after_it_begins_a_new_wait() -> None:
    late = duty.begin(0, local(0, 10), WHERE)
    told = duty.escalate(late)

    assert duty.why_late(told, local(3, 0)) is None
    taken = duty.acknowledge(told, local(0, 13), WHERE)
    assert duty.why_late(taken, local(0, 13)) is None
    assert duty.why_late(taken, local(0, 14)) == NOT_DONE


def test_a_snooze_ends_and_a_pause_takes_everything_off_but_safety() -> None:
    snoozed = duty.snooze(duty.begin(1, local(0, 9), WHERE), local(1, 9), local(0, 9), WHERE)
    assert duty.why_late(snoozed, local(1, 8)) is None
    assert duty.why_late(snoozed, local(3, 9)) == NOT_DONE
    paused = duty.pause(snoozed)
    assert (paused.due_at, duty.why_late(paused, local(5, 9))) == (None, None)
    assert duty.resume(paused, local(4, 9), WHERE).due_at == local(4, 17)
    safety = duty.begin(0, local(0, 9), WHERE)
    assert duty.pause(safety) == safety


@pytest.mark.parametrize(
    ("tried", "has_support", "step"),
    [
        ([("phone", "no_answer", 0)], False, "try_another_channel"),
        ([("phone", "left_neutral_message", 0)], False, "try_another_channel"),
        ([("phone", "no_answer", 0), ("text", "no_answer", 1)], False, "try_again"),
        ([("phone", "bad_number", 0)], False, "find_another_way"),
        ([("phone", "bad_number", 0)], True, "ask_support_person"),
        (
            [("phone", "no_answer", 0), ("text", "no_answer", 1), ("phone", "no_answer", 2)],
            True,
            "ask_support_person",
        ),
        (
            [("phone", "no_answer", 0), ("text", "no_answer", 1), ("phone", "no_answer", 2)],
            False,
            "send_letter",
        ),
        (
            [
                ("phone", "no_answer", 0),
                ("text", "no_answer", 1),
                ("phone", "no_answer", 2),
                ("letter", "left_neutral_message", 3),
            ],
            False,
            "review",
        ),
        ([("phone", "reached_returning", 0)], False, "verify_return"),
        ([("phone", "reached_undecided", 0)], False, "call_again"),
        ([("phone", "found_in_hospital", 0)], False, "ask_about_release"),
        ([("phone", "moved", 0)], False, "offer_transfer"),
        ([("phone", "died", 0)], False, "review"),
    ],
)
def test_the_outcome_sets_the_next_step(
    tried: list[tuple[str, str, int]],
    has_support: bool,  # noqa: FBT001  # a column of the table
    step: str,
) -> None:
    attempts = [Attempt(c, o, MONDAY + timedelta(days=day)) for c, o, day in tried]

    assert plan.next_step(attempts, DEFAULT, has_support=has_support).code == step


def test_attempts_of_one_day_or_one_channel_are_not_all_that_was_agreed() -> None:
    calls = [Attempt("phone", "no_answer", MONDAY + timedelta(days=n)) for n in range(3)]

    assert not plan.has_tried_enough(calls, DEFAULT)
    assert plan.has_tried_enough([*calls[:2], replace(calls[2], channel="text")], DEFAULT)
    assert not plan.has_tried_enough(
        [replace(call, channel=c) for call, c in zip(calls[:1] * 3, "abc", strict=True)], DEFAULT
    )


def test_a_closure_is_no_staffed_day() -> None:
    closed = replace(DEFAULT, closures=(date(2026, 11, 3),))

    assert staffed.next_staffed(local(0, 18), closed, ZONE) == local(2, 8)
    assert staffed.staffed_days(MONDAY, MONDAY + timedelta(days=6), closed) == 4


@pytest.mark.parametrize(
    "wrong",
    [
        {"opens": "18:00", "closes": "08:00"},
        {"snooze_hours": [1, 24, 24, 24]},
        {"first_attempt_hours": [2, 8, 24, 48]},
        {"push_to_level": 0},
        {"tells": [[], ["supervisor"], ["supervisor"], ["list"]]},
        {"no_such_number": 1},
    ],
)
def test_a_policy_cannot_hush_safety_or_hold_a_number_that_makes_no_sense(
    wrong: dict[str, object],
) -> None:
    with pytest.raises(ValidationError):
        POLICIES.validate_python(wrong)


def test_a_policy_survives_its_own_writing_down() -> None:
    assert POLICIES.validate_json(POLICIES.dump_json(DEFAULT)) == DEFAULT
    assert Policy() == DEFAULT
    assert Duty(2).step == "call"
