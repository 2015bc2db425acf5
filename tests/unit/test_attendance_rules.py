"""What attendance accepts and what it makes of it, as tables a clinician can read."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from attendance import rules
from attendance.commands import RecordContact, RecordMeasure, RecordScreen
from attendance.facts import Admission, Said, Seat, Session
from handrail.events import attendance, intake
from tests.unit.seating import (
    FRIDAY,
    GROUP,
    MONDAY,
    NEXT_MONDAY,
    NOON,
    PERSON,
    WEDNESDAY,
    chair,
    refusal,
)

FAMILY = replace(GROUP, session_type="family")
WALK_IN = replace(GROUP, session_type="individual", planned_on=None, planned_minutes=0)


def recorded(said: Said) -> Seat:
    """A seat that was recorded before."""
    return rules.record(chair(), said)[0]


HELD = replace(PERSON, status="on_hold", held_from=WEDNESDAY)
BACK = replace(PERSON, held_from=MONDAY, held_until=WEDNESDAY)


@pytest.mark.parametrize(
    ("what", "admission", "said", "becomes"),
    [
        ("came", PERSON, Said("attended", minutes=170), "session_attended"),
        ("did not come", PERSON, Said("no_show"), "session_missed"),
        ("called too late", PERSON, Said("late_cancellation"), "session_missed"),
        ("had leave for the day", PERSON, Said("excused"), "session_excused"),
        ("burst pipe", PERSON, Said("cancelled_by_program"), "session_cancelled_by_program"),
        ("in hospital since Wednesday", HELD, Said("no_show"), "session_excused"),
        ("in hospital, called too late", HELD, Said("late_cancellation"), "session_excused"),
        ("in hospital, came all the same", HELD, Said("attended", minutes=90), "session_attended"),
        ("out of hospital on Wednesday", BACK, Said("no_show"), "session_missed"),
    ],
)
def test_a_seat_becomes_what_was_said_of_it(
    what: str, admission: Admission, said: Said, becomes: str
) -> None:
    _, event = rules.record(chair(admission=admission), said)

    assert event.type == f"attendance.{becomes}.v1", what


CAME, MISSED = Said("attended", minutes=60), Said("no_show")
NOT_YET_IN = {"admission": replace(PERSON, admitted_on=FRIDAY)}
DISCHARGED = {"admission": replace(PERSON, status="discharged", ended_on=MONDAY)}
REFERRED = {"admission": Admission(UUID(int=1), "north")}
LOST = {"admission": Admission(UUID(int=1), "north", "lost", ended_on=MONDAY)}
FROM_SOUTH = {"admission": replace(PERSON, site_id="south")}
ON_FRIDAY = {"session": replace(GROUP, held_on=FRIDAY, planned_on=FRIDAY)}
UNPLANNED = {"session": WALK_IN}
NOT_HELD = {"session": replace(GROUP, is_cancelled=True)}


def stayed(minutes: int, left: int | None) -> Said:
    """So many minutes said; left so many minutes after joining at ten."""
    joined_at = NOON - timedelta(hours=2)
    left_at = None if left is None else joined_at + timedelta(minutes=left)
    return Said("attended", minutes=minutes, joined_at=joined_at, left_at=left_at)


ON_FRIDAY_CAME = Said("attended", FRIDAY, 60)
TOO_LONG = Said("attended", minutes=181)


@pytest.mark.parametrize(
    ("what", "facts", "said", "code", "field"),
    [
        ("came before", NOT_YET_IN, CAME, "before_admission", "attended_on"),
        ("missed before", NOT_YET_IN, MISSED, "before_admission", "planned_on"),
        ("came after discharge", DISCHARGED, CAME, "after_discharge", "attended_on"),
        ("missed after discharge", DISCHARGED, MISSED, "after_discharge", "planned_on"),
        ("intake not known yet", REFERRED, MISSED, "admission_unknown", "admission_id"),
        ("referral was lost", LOST, MISSED, "before_admission", "planned_on"),
        ("came on a day to come", {}, ON_FRIDAY_CAME, "in_the_future", "attended_on"),
        ("missed on a day to come", ON_FRIDAY, MISSED, "in_the_future", "planned_on"),
        ("181 of 180 minutes", {}, TOO_LONG, "minutes_above_session", "minutes"),
        ("a friend in the group", {}, Said("attended", guests=1), "guests_not_expected", "guests"),
        ("joined, and then", {}, stayed(60, left=None), "ends_before_it_begins", "left_at"),
        ("left before joining", {}, stayed(60, left=-1), "ends_before_it_begins", "left_at"),
        ("61 of 60 minutes there", {}, stayed(61, left=60), "minutes_above_stay", "minutes"),
        ("leaves at noon tomorrow", {}, stayed(60, left=1560), "in_the_future", "left_at"),
        ("missed no plan", UNPLANNED, MISSED, "planned_on_missing", "session.planned_on"),
        ("sits at another site", FROM_SOUTH, CAME, "other_site", "admission_id"),
        ("session not held", NOT_HELD, CAME, "session_cancelled", "session_key"),
    ],
)
def test_what_cannot_be_is_refused_and_names_the_field(
    what: str, facts: dict[str, Admission | Session], said: Said, code: str, field: str
) -> None:
    there = replace(chair(), **facts)  # type: ignore[arg-type]  # a table of differences

    assert refusal(rules.record, there, said) == (code, field), what


@pytest.mark.parametrize(
    ("what", "session", "said"),
    [
        ("all of it", GROUP, Said("attended", minutes=180)),
        ("all of the stay", GROUP, stayed(60, left=60)),
        ("family came", FAMILY, Said("attended", minutes=60, guests=3)),
        ("no planned length", WALK_IN, Said("attended", minutes=600)),
        ("on the day of admission", GROUP, Said("attended", MONDAY, 60)),
        (
            "cancels on Wednesday for Friday",
            replace(GROUP, held_on=FRIDAY, planned_on=FRIDAY),
            Said("late_cancellation"),
        ),
    ],
)
def test_what_is_unusual_but_possible_is_taken(what: str, session: Session, said: Said) -> None:
    seat, _ = rules.record(chair(session=session), said)

    assert seat.status == said.status, what


@pytest.mark.parametrize("before", [Said("attended", minutes=60), Said("no_show"), Said("excused")])
@pytest.mark.parametrize("again", [Said("attended", minutes=60), Said("no_show")])
def test_a_seat_is_recorded_once(before: Said, again: Said) -> None:
    there = chair(seat=recorded(before))

    assert refusal(rules.record, there, again) == ("seat_already_recorded", "admission_id")


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (Said("no_show"), Said("attended", minutes=170)),
        (Said("attended", minutes=170), Said("no_show")),
        (Said("attended", minutes=170), Said("attended", minutes=120)),
        (Said("late_cancellation"), Said("excused")),
    ],
)
def test_a_correction_tells_what_was_and_what_is_true(was: Said, now: Said) -> None:
    seat, event = rules.correct(chair(seat=recorded(was)), now)

    assert isinstance(event, attendance.AttendanceCorrected)
    assert (event.was, event.now, event.minutes) == (was.status, now.status, now.minutes)
    assert event.attended_on == (WEDNESDAY if now.status == "attended" else None)
    assert seat.version == 2


@pytest.mark.parametrize(
    ("what", "seat", "now", "code"),
    [
        ("nobody recorded it", None, CAME, "seat_not_recorded"),
        ("it says so already", recorded(MISSED), MISSED, "nothing_to_correct"),
        ("too long", recorded(MISSED), TOO_LONG, "minutes_above_session"),
        ("not yet", recorded(MISSED), ON_FRIDAY_CAME, "in_the_future"),
    ],
)
def test_a_correction_is_held_to_the_same_rules(
    what: str, seat: Seat | None, now: Said, code: str
) -> None:
    assert refusal(rules.correct, chair(seat=seat), now)[0] == code, what


def test_a_planned_seat_can_be_recorded_and_cancelled_but_not_corrected() -> None:
    seat, event = rules.schedule(chair())

    assert isinstance(event, attendance.SessionScheduled)
    assert rules.record(chair(seat=seat), Said("no_show"))[0].status == "no_show"
    assert rules.cancel(GROUP, seat, chair().when)[0].status == "cancelled_by_program"
    assert refusal(rules.correct, chair(seat=seat), Said("no_show"))[0] == "seat_not_recorded"


@pytest.mark.parametrize(
    "person",
    [
        Admission(UUID(int=1), "north"),
        PERSON,
        replace(PERSON, status="discharged", ended_on=MONDAY),
    ],
)
def test_screens_measures_and_contacts_count_from_referral_and_after_discharge(
    person: Admission,
) -> None:
    about = {"key": "k", "occurred_at": NOON, "admission_id": person.admission_id}
    said = [
        RecordScreen.model_validate({**about, "positives": ["cocaine"]}),
        RecordMeasure.model_validate({**about, "instrument": "phq-9", "score": 12}),
        RecordContact.model_validate({**about, "channel": "phone", "reached": False}),
    ]

    types = [rules.note(person, command, chair().when).type for command in said]

    assert types == [
        "attendance.screen_resulted.v1",
        "attendance.measure_scored.v1",
        "attendance.contact_recorded.v1",
    ]


def test_holds_and_ends_are_followed_by_the_day_they_happened() -> None:
    about = {
        "site_id": "north",
        "admission_id": PERSON.admission_id,
        **chair().when,
    }
    held = rules.follow(
        PERSON, intake.PutOnHold.model_validate({**about, "reason": "jail"}), WEDNESDAY
    )
    back = rules.follow(held, intake.Resumed.model_validate(about), NEXT_MONDAY)
    days = (MONDAY, WEDNESDAY, FRIDAY, NEXT_MONDAY)

    assert [held.is_held_on(day) for day in days] == [False, True, True, True]
    assert [back.is_held_on(day) for day in days] == [False, True, True, False]
