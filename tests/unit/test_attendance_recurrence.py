"""When a recurring session is held: rules of RFC 5545 in a site's local time."""

from datetime import UTC, date, datetime

import pytest

from attendance import recurrence
from handrail.receipts import Rejected

NEW_YORK = "America/New_York"
EVENING = "DTSTART:20260302T173000\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE"
FIRST, LAST = date(2026, 3, 1), date(2026, 3, 18)


def days(text: str, holidays: str | None = None, last: date = LAST) -> list[str]:
    rule = recurrence.parse(text, NEW_YORK)
    return [f"{at:%m-%d %H:%M}" for at in recurrence.held_at(rule, holidays, FIRST, last)]


BOTH = ["03-02 17:30", "03-04 17:30", "03-09 17:30", "03-11 17:30", "03-16 17:30", "03-18 17:30"]


@pytest.mark.parametrize(
    ("what", "lines", "held"),
    [
        ("Mondays and Wednesdays", "", BOTH),
        ("one day left out", "\nEXDATE;VALUE=DATE:20260309", [*BOTH[:2], *BOTH[3:]]),
        ("one moment left out", "\nEXDATE:20260311T173000", [*BOTH[:3], *BOTH[4:]]),
        ("another hour is another moment", "\nEXDATE:20260311T090000", BOTH),
        ("a day added", "\nRDATE:20260306T100000", [*BOTH[:2], "03-06 10:00", *BOTH[2:]]),
        (
            "moved: left out and added",
            "\nEXDATE:20260304T173000\nRDATE;TZID=America/New_York:20260305T173000",
            [BOTH[0], "03-05 17:30", *BOTH[2:]],
        ),
    ],
)
def test_skipped_moved_and_added_dates(what: str, lines: str, held: list[str]) -> None:
    assert days(EVENING + lines) == held, what


@pytest.mark.parametrize(
    ("what", "rule", "held"),
    [
        ("three times", "FREQ=WEEKLY;COUNT=2", ["03-02 17:30", "03-09 17:30"]),
        ("until a day", "FREQ=WEEKLY;UNTIL=20260309T235959", ["03-02 17:30", "03-09 17:30"]),
        ("every other week", "FREQ=WEEKLY;INTERVAL=2", ["03-02 17:30", "03-16 17:30"]),
        ("second Tuesday", "FREQ=MONTHLY;BYDAY=2TU", ["03-10 17:30"]),
        ("on the 15th", "FREQ=MONTHLY;BYMONTHDAY=15", ["03-15 17:30"]),
        ("work days", "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;COUNT=3", ["03-02 17:30", "03-03 17:30", "03-04 17:30"]),
    ],
)  # fmt: skip
def test_rules_a_clinic_uses(what: str, rule: str, held: list[str]) -> None:
    assert days(f"DTSTART:20260302T173000\nRRULE:{rule}") == held, what


def test_a_date_without_a_rule_is_held_once() -> None:
    assert days("DTSTART:20260305T100000\nRDATE:20260310T100000") == ["03-05 10:00", "03-10 10:00"]


def test_nothing_is_held_on_a_public_holiday_unless_that_day_was_added() -> None:
    summer = "DTSTART:20260629T173000\nRRULE:FREQ=WEEKLY;BYDAY=MO,FR"
    assert "07-03 17:30" in days(summer, None, date(2026, 7, 10))
    assert "07-03 17:30" not in days(summer, "US", date(2026, 7, 10))
    assert "07-03 17:30" in days(summer + "\nRDATE:20260703T173000", "US", date(2026, 7, 10))
    with pytest.raises(Rejected) as refused:
        recurrence.require_calendar("US-ZZ")
    assert (refused.value.code, refused.value.field) == ("calendar_not_known", "holidays")


@pytest.mark.parametrize(
    ("what", "local", "moment"),
    [
        ("winter", "2026-03-04T17:30", datetime(2026, 3, 4, 22, 30, tzinfo=UTC)),
        ("summer", "2026-03-09T17:30", datetime(2026, 3, 9, 21, 30, tzinfo=UTC)),
        ("clocks jump over it", "2026-03-08T02:30", datetime(2026, 3, 8, 7, 30, tzinfo=UTC)),
        ("it comes twice", "2026-11-01T01:30", datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
    ],
)
def test_a_local_time_is_a_moment_also_when_clocks_change(
    what: str, local: str, moment: datetime
) -> None:
    assert recurrence.instant(datetime.fromisoformat(local), NEW_YORK) == moment, what


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("RRULE:FREQ=WEEKLY", "recurrence_unreadable"),
        ("DTSTART;VALUE=DATE:20260302", "recurrence_unreadable"),
        ("DTSTART:20260302T173000Z", "wrong_time_zone"),
        ("DTSTART;TZID=Europe/Paris:20260302T173000", "wrong_time_zone"),
        ("DTSTART:20260302T173000\nRRULE:FREQ=WEEKLY;UNTIL=20260401T000000Z", "wrong_time_zone"),
        ("DTSTART:20260302T173000\nRRULE:FREQ=SECONDLY", "recurrence_unreadable"),
        ("DTSTART:20260302T173000\nRRULE:FREQ=WEEKLY;BYHOUR=1", "recurrence_unreadable"),
        ("DTSTART:20260302T173000\nRRULE:FREQ=WEEKLY;COUNT=2001", "recurrence_unreadable"),
        ("DTSTART:20260302T173000\nRRULE:FREQ=WEEKLY;BYDAY=XX", "recurrence_unreadable"),
        ("DTSTART:20260302T173000\nRRULE:FREQ=MONTHLY;BYMONTHDAY=32", "recurrence_unreadable"),
        ("DTSTART:20260302T173000\nRRULE:FREQ=DAILY;INTERVAL=7;BYDAY=TU", "recurrence_unreadable"),
        ("DTSTART:20260302T173000\nEXDATE:tomorrow", "recurrence_unreadable"),
        ("DTSTART:20260302T173000\nSUMMARY:a name", "recurrence_unreadable"),
        ("DTSTART:99990302T173000", "recurrence_unreadable"),
        ("two words", "recurrence_unreadable"),
    ],
)
def test_what_is_no_rule_of_a_clinic_is_refused(text: str, code: str) -> None:
    with pytest.raises(Rejected) as refused:
        recurrence.parse(text, NEW_YORK)
    assert (refused.value.code, refused.value.field) == (code, "recurrence")
