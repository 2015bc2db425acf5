"""What a roster's form says, as a table a nurse can read."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from alerts.page import roster
from alerts.page.roster import Slip
from handrail.sites import Site

ONE, OTHER = "11111111-0000-4000-8000-000000000000", "22222222-0000-4000-8000-000000000000"
SESSION = UUID(int=7)
STARTS = "2026-11-02T23:00:00+00:00"


def session(**of_one: object) -> dict[str, Any]:
    blank = {"status": "scheduled", "minutes": 0, "minutes_late": 0, "moved_to": None}
    seats = [{"admission_id": ONE, **blank, **of_one}, {"admission_id": OTHER, **blank}]
    return {
        "session_id": str(SESSION),
        "planned_minutes": 180,
        "starts_at": STARTS,
        "roster": seats,
    }


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"status": "attended"}, {"minutes": 180, "minutes_late": 0, "left_early": False}),
        ({"status": "attended", "late": "20"}, {"minutes": 160, "minutes_late": 20}),
        ({"status": "attended", "late": "20", "minutes": "90"}, {"minutes": 90}),
        ({"status": "attended", "late": "300"}, {"minutes": 0, "minutes_late": 300}),
        (
            {"status": "attended", "early": "1", "minutes": " 60 "},
            {"minutes": 60, "left_early": True},
        ),
        ({"status": "no_show", "minutes": "nonsense"}, {"status": "no_show"}),
        ({"status": "late_cancellation"}, {"status": "late_cancellation"}),
        ({"status": "excused"}, {"status": "excused"}),
    ],
)
def test_what_is_typed_is_what_is_said(typed: dict[str, str], said: dict[str, Any]) -> None:
    fields = {f"{name}.{ONE}": value for name, value in typed.items()}
    [entry] = roster.entries(roster.seats_of(session(), fields), 180)
    assert entry["admission_id"] == ONE
    assert {name: entry[name] for name in said} == said


@pytest.mark.parametrize(
    ("fields", "code", "place"),
    [
        ({}, "nobody_marked", None),
        ({"status.99999999-0000-4000-8000-000000000000": "attended"}, "nobody_marked", None),
        ({f"status.{OTHER}": "present"}, "field_unknown", 1),
        ({f"status.{OTHER}": "attended", f"minutes.{OTHER}": "-5"}, "minutes_unclear", 1),
        ({f"status.{ONE}": "attended", f"late.{ONE}": "\u0665"}, "minutes_unclear", 0),
        ({f"status.{ONE}": "attended", f"minutes.{ONE}": "1441"}, "minutes_unclear", 0),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_seat(
    fields: dict[str, str], code: str, place: int | None
) -> None:
    with pytest.raises(Slip) as slip:
        roster.entries(roster.seats_of(session(), fields), 180)
    assert (slip.value.code, slip.value.place) == (code, place)


def test_who_moved_elsewhere_does_not_sit_here() -> None:
    [seat] = roster.seats_of(session(moved_to=str(SESSION)), {})
    assert seat.admission_id == OTHER


@pytest.mark.parametrize(
    ("clock", "now", "times"),
    [
        ("wall", "2026-11-03T00:30:00", {"occurred_at": "2026-11-03T00:30:00+00:00"}),
        ("wall", "2026-11-03T09:00:00", {"occurred_at": "2026-11-03T02:00:00+00:00"}),
        (
            "replay",
            "2031-01-01T00:00:00",
            {
                "occurred_at": "2026-11-03T11:59:59.999999+00:00",
                "recorded_at": "2026-11-03T11:59:59.999999+00:00",
            },
        ),
    ],
)
def test_a_roster_speaks_of_the_sessions_end(clock: str, now: str, times: dict[str, str]) -> None:
    site = Site("north", "UTC", clock, date(2026, 11, 2))
    said = [{"admission_id": ONE, "status": "excused"}]
    body = roster.command(session(), said, site, datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert {name: body[name] for name in body if name.endswith("_at")} == times


def test_the_same_words_have_the_same_key_and_others_another() -> None:
    said = [{"admission_id": ONE, "status": "excused"}]
    other = [{"admission_id": ONE, "status": "no_show"}]
    assert roster.key_of(SESSION, said) == roster.key_of(SESSION, [dict(reversed(said[0].items()))])
    assert roster.key_of(SESSION, said) != roster.key_of(SESSION, other)
    assert roster.key_of(SESSION, said) != roster.key_of(UUID(int=8), said)
    assert len(roster.key_of(SESSION, said)) <= 128
