"""Moved, called off and made up, from outside."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.journeys.clinic import Clinic, days_ago


async def planned(clinic: Clinic, person: UUID | None, starts_at: datetime, **more: Any) -> str:
    """A group of three hours. Gives its identifier."""
    said = await clinic.say(
        "attendance",
        "schedule_session",
        **body_of(clinic, person, starts_at),
        **more,
    )
    return str(said["subject"])


def body_of(clinic: Clinic, person: UUID | None, starts_at: datetime) -> dict[str, Any]:
    return {
        "site_id": clinic.site_id,
        "session_key": uuid4().hex,
        "session_type": "group",
        "planned_on": starts_at.date().isoformat(),
        "starts_at": starts_at.isoformat(),
        "planned_minutes": 180,
        "roster": [str(person)] if person else [],
    }


async def test_a_miss_that_was_made_up_raises_no_concern_any_more(clinic: Clinic) -> None:
    person = await clinic.admitted()
    await clinic.attended(person, 9)
    await clinic.missed(person, 4)
    second = await clinic.missed(person, 2)
    await clinic.concern(person, level=2, state="open")
    day = days_ago(0)
    visit = await clinic.say(
        "attendance",
        "record_attended",
        admission_id=str(person),
        session={"session_type": "individual"},
        attended_on=day,
        minutes=180,
    )

    made_up = {"admission_id": str(person), "session_key": second}
    await clinic.say("attendance", "make_up", **made_up, made_up_in=visit["subject"])

    await clinic.concern(person, state="closed")
    seats = await clinic.get("attendance", f"/v1/admissions/{person}/attendance")
    assert visit["subject"] in [seat["made_up_in"] for seat in seats]


async def test_a_seat_is_swapped_and_nobody_is_booked_twice(clinic: Clinic) -> None:
    person = await clinic.admitted()
    await clinic.attended(person, 9)
    noon = (datetime.now(UTC) + timedelta(days=3)).replace(hour=12, minute=0)
    evening = await planned(clinic, person, noon, track="evening")
    by_day = await planned(clinic, None, noon + timedelta(days=1), track="day")
    again = body_of(clinic, person, noon + timedelta(hours=1))
    command = {"do": "schedule_session", "key": uuid4().hex, "occurred_at": noon.isoformat()}

    now = datetime.now(UTC).isoformat()
    refused = await clinic.post("attendance", command | again | {"occurred_at": now})
    about = {"admission_id": str(person)}
    await clinic.say("attendance", "move_seat", **about, session_id=evening, to_session_id=by_day)

    assert refused.status_code == 409
    assert refused.json()["errors"] == [{"field": "roster.0", "code": "double_booked"}]
    await clinic.say("attendance", "schedule_session", **again)
    seats = await clinic.get("attendance", f"/v1/admissions/{person}/attendance")
    assert by_day in [seat["moved_to"] for seat in seats]


async def test_a_site_says_how_much_notice_it_asks_for(clinic: Clinic) -> None:
    person = await clinic.admitted()
    await clinic.attended(person, 9)
    in_two_days = (datetime.now(UTC) + timedelta(days=2)).replace(hour=12, minute=0)
    first = await planned(clinic, person, in_two_days)
    second = await planned(clinic, person, in_two_days + timedelta(hours=4))
    about = {"admission_id": str(person), "reason": "illness"}

    await clinic.say("attendance", "cancel_seat", **about, session_id=first)
    policy = {"site_id": clinic.site_id, "late_cancellation_hours": 96}
    await clinic.say("attendance", "set_policy", **policy)
    await clinic.say("attendance", "cancel_seat", **about, session_id=second)

    read = await clinic.get("attendance", f"/v1/sites/{clinic.site_id}/policy")
    assert read == {"late_cancellation_hours": 96}
    rosters = [await clinic.get("attendance", f"/v1/sessions/{s}") for s in (first, second)]
    told = [session["roster"][0]["status"] for session in rosters]
    assert told == ["excused", "late_cancellation"]
