"""A group, a person and a seat for tests of attendance's rules: spell out only what a test is about."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from attendance.facts import Admission, Chair, Seat, Session, When
from handrail.receipts import Rejected

MONDAY, WEDNESDAY, FRIDAY = date(2024, 3, 4), date(2024, 3, 6), date(2024, 3, 8)
NEXT_MONDAY = date(2024, 3, 11)
NOON = datetime(2024, 3, 6, 12, tzinfo=UTC)
STARTS = datetime(2024, 3, 6, 18, tzinfo=UTC)

PERSON = Admission(UUID(int=1), "north", "admitted", admitted_on=MONDAY)
GROUP = Session(
    session_id=UUID(int=2),
    site_id="north",
    source="roster",
    session_key="evening-group",
    session_type="group",
    modality="cbt",
    mode="in_person",
    held_on=WEDNESDAY,
    planned_on=WEDNESDAY,
    starts_at=STARTS,
    planned_minutes=180,
    track="evening",
)
LATER = replace(
    GROUP,
    session_id=UUID(int=3),
    session_key="friday-group",
    held_on=FRIDAY,
    planned_on=FRIDAY,
    starts_at=STARTS + timedelta(days=2),
)


def chair(
    session: Session = GROUP,
    seat: Seat | None = None,
    *,
    admission: Admission = PERSON,
    at: datetime = NOON,
    today: date = WEDNESDAY,
) -> Chair:
    """A person at a session on Wednesday."""
    when: When = {"occurred_at": at, "recorded_at": at, "recorded_day": today}
    return Chair(session, admission, seat, when)


def refusal(act: object, *facts: object) -> tuple[str, str | None]:
    """The code and the field of a refusal."""
    assert callable(act)
    with pytest.raises(Rejected) as refused:
        act(*facts)
    return refused.value.code, refused.value.field
