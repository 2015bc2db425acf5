"""What becomes of a planned or missed seat, as tables a clinician can read."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

import pytest

from attendance import moves, rules
from attendance.facts import Said, Seat, Session
from handrail.events import attendance
from handrail.sites import Site
from tests.unit.seating import FRIDAY, GROUP, LATER, MONDAY, STARTS, WEDNESDAY, chair, refusal

PLANNED = rules.schedule(chair())[0]
MISSED = rules.record(chair(), Said("no_show"))[0]
SEEN = rules.record(chair(LATER, today=FRIDAY), Said("attended", minutes=180))[0]


@pytest.mark.parametrize(
    ("notice", "policy", "status"),
    [
        (timedelta(hours=24), 24, "excused"),
        (timedelta(hours=24) - timedelta(seconds=1), 24, "late_cancellation"),
        (timedelta(seconds=1), 24, "late_cancellation"),
        (timedelta(hours=47), 48, "late_cancellation"),
        (timedelta(seconds=1), 0, "excused"),
    ],
)
def test_notice_below_the_sites_policy_is_a_late_cancellation(
    notice: timedelta, policy: int, status: str
) -> None:
    there = chair(seat=PLANNED, at=STARTS - notice)
    assert moves.called_off(there, "illness", policy)[0].status == status


@pytest.mark.parametrize(
    ("session", "at", "code", "field"),
    [
        (GROUP, STARTS, "session_started", "occurred_at"),
        (replace(GROUP, starts_at=None), STARTS, "start_not_known", "session_key"),
    ],
)
def test_notice_needs_a_start_that_is_still_to_come(
    session: Session, at: datetime, code: str, field: str
) -> None:
    assert refusal(moves.called_off, chair(session, PLANNED, at=at), "unknown", 24) == (code, field)


@pytest.mark.parametrize(
    ("begins", "minutes", "is_free"),
    [
        (-180, 180, True),
        (-180, 181, False),
        (0, 180, False),
        (60, 30, False),
        (179, 60, False),
        (180, 60, True),
    ],
)
def test_nobody_sits_in_two_sessions_at_once(begins: int, minutes: int, is_free: bool) -> None:  # noqa: FBT001
    starts_at = STARTS + timedelta(minutes=begins)
    other = replace(LATER, starts_at=starts_at, planned_minutes=minutes)
    taken = moves.booked(GROUP)
    assert taken is not None
    if is_free:
        moves.require_free(other, [taken])
        return
    assert refusal(moves.require_free, other, [taken]) == ("double_booked", "admission_id")


NEW_YORK = Site("north", "America/New_York", "wall", MONDAY)


def hours(count: int) -> timezone:
    return timezone(timedelta(hours=count))


@pytest.mark.parametrize(
    ("starts_at", "planned_on", "code"),
    [
        (datetime(2024, 3, 6, 18, tzinfo=hours(-5)), WEDNESDAY, None),
        (datetime(2024, 3, 6, 23, tzinfo=UTC), WEDNESDAY, None),
        (datetime(2024, 3, 7, 3, tzinfo=UTC), WEDNESDAY, None),
        (datetime(2024, 3, 6, 18, tzinfo=hours(-4)), WEDNESDAY, "wrong_offset"),
        (datetime(2024, 3, 11, 18, tzinfo=hours(-4)), date(2024, 3, 11), None),
        (datetime(2024, 3, 11, 18, tzinfo=hours(-5)), date(2024, 3, 11), "wrong_offset"),
        (datetime(2024, 3, 6, 3, tzinfo=UTC), WEDNESDAY, "wrong_day"),
    ],
)
def test_a_start_has_the_sites_day_and_offset_also_when_clocks_change(
    starts_at: datetime, planned_on: date, code: str | None
) -> None:
    session = replace(GROUP, starts_at=starts_at, planned_on=planned_on)
    if code is None:
        moves.require_local(session, NEW_YORK)
        return
    assert refusal(moves.require_local, session, NEW_YORK) == (code, "starts_at")


@pytest.mark.parametrize(
    ("track", "event"),
    [
        ("evening", attendance.SessionRescheduled),
        (None, attendance.SessionRescheduled),
        ("day", attendance.SessionSwapped),
    ],
)
def test_a_planned_seat_is_rescheduled_or_swapped_to_the_other_track(
    track: str | None, event: type[attendance.SeatMoved]
) -> None:
    (old, told), (new, planned) = moves.moved(
        chair(seat=PLANNED), chair(replace(LATER, track=track)), []
    )

    assert type(told) is event
    assert (old.moved_to, new.status) == (LATER.session_id, "scheduled")
    assert isinstance(planned, attendance.SessionScheduled)
    assert refusal(rules.record, chair(seat=old), Said("no_show"))[0] == "seat_moved"


@pytest.mark.parametrize(
    ("what", "seat", "to", "there", "code"),
    [
        ("recorded", MISSED, LATER, None, "seat_not_planned"),
        ("moved before", replace(PLANNED, moved_to=UUID(int=9)), LATER, None, "seat_not_planned"),
        ("sits there", PLANNED, LATER, SEEN, "seat_already_there"),
        ("not held", PLANNED, replace(LATER, is_cancelled=True), None, "session_cancelled"),
        ("family", PLANNED, replace(LATER, session_type="family"), None, "other_session_type"),
        ("other site", PLANNED, replace(LATER, site_id="south"), None, "other_site"),
    ],
)
def test_a_move_that_cannot_be_is_refused(
    what: str, seat: Seat, to: Session, there: Seat | None, code: str
) -> None:
    assert refusal(moves.moved, chair(seat=seat), chair(to, there), [])[0] == code, what


def test_a_miss_that_was_made_up_is_told_and_can_be_corrected_back() -> None:
    seat, event = moves.made_up(chair(seat=MISSED), SEEN, False)  # noqa: FBT003

    assert isinstance(event, attendance.SessionMadeUp)
    assert (event.was, event.made_up_in, event.minutes) == ("no_show", LATER.session_id, 180)
    again, _ = rules.correct(chair(seat=seat), Said("no_show"))
    assert again.made_up_in is None


@pytest.mark.parametrize(
    ("seat", "visit", "used", "code", "field"),
    [
        (PLANNED, SEEN, False, "seat_not_missed", "admission_id"),
        (SEEN, SEEN, False, "seat_not_missed", "admission_id"),
        (replace(MISSED, made_up_in=UUID(int=9)), SEEN, False, "already_made_up", "admission_id"),
        (MISSED, None, False, "visit_not_attended", "made_up_in"),
        (MISSED, PLANNED, False, "visit_not_attended", "made_up_in"),
        (MISSED, SEEN, True, "visit_already_used", "made_up_in"),
    ],
)
def test_only_an_attended_visit_makes_up_one_miss(
    seat: Seat,
    visit: Seat | None,
    used: bool,  # noqa: FBT001
    code: str,
    field: str,
) -> None:
    assert refusal(moves.made_up, chair(seat=seat), visit, used) == (code, field)
