"""Commands that cannot be: a problem document names the field, and nothing is half done."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.journeys.clinic import OK, Clinic, days_ago, today
from tests.parts import until

Body = dict[str, Any]
REFUSED, UNUSABLE, NOT_FOUND = 409, 422, 404


def session(clinic: Clinic, hour: int, **fields: object) -> Body:
    """A session of tomorrow."""
    starts_at = datetime.combine(today(), datetime.min.time(), UTC) + timedelta(days=1, hours=hour)
    return {
        "do": "schedule_session",
        "site_id": clinic.site_id,
        "session_key": uuid4().hex,
        "session_type": "group",
        "planned_on": starts_at.date().isoformat(),
        "starts_at": starts_at.isoformat(),
        "planned_minutes": 180,
    } | fields


async def post(clinic: Clinic, body: Body) -> tuple[int, str, str]:
    """Status, code and field of the answer."""
    about = {"key": uuid4().hex, "occurred_at": datetime.now(UTC).isoformat()}
    answer = await clinic.post("attendance", about | body)
    if answer.status_code == OK:
        return OK, "", ""
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["title"]
    assert problem["detail"]
    assert problem["status"] == answer.status_code
    [named, *_] = problem["errors"]
    return answer.status_code, problem["type"].rpartition(":")[2], named["field"]


async def test_a_bad_command_names_its_field_and_changes_nothing(clinic: Clinic) -> None:
    here, gone = str(await clinic.admitted(since_days=10)), str(await clinic.admitted())
    planned = session(clinic, 9, roster=[here])
    booked = await clinic.say("attendance", do=planned.pop("do"), **planned)
    past = {"session_type": "group", "planned_on": days_ago(1), "planned_minutes": 180}
    seat = {"admission_id": here, "session": past}
    came = {"do": "record_attended", "attended_on": days_ago(1), "minutes": 180} | seat
    missed = {"do": "record_missed", "kind": "no_show"} | seat
    await clinic.attended(UUID(gone), 5)
    await clinic.say(
        "intake", "discharge", admission_id=gone, reason="completed", discharged_on=days_ago(3)
    )

    async def is_over() -> bool:
        after = await post(clinic, came | {"admission_id": gone, "minutes": 1441})
        told = await post(
            clinic, came | {"admission_id": gone, "session": past | {"planned_minutes": 1}}
        )
        return after[0] == UNUSABLE and told[1] == "after_discharge"

    await until(is_over, "attendance knows of the discharge")
    before = await everything(clinic, here, gone)
    roster = {"do": "take_roster", "session_id": booked["subject"]}
    good = {"admission_id": here, "status": "excused"}
    refusals: list[tuple[str, Body, int, str, str]] = [
        ("in two sessions at once", session(clinic, 10, roster=[here]), REFUSED, "double_booked", "roster.0"),
        ("181 of 180 minutes", came | {"minutes": 181}, REFUSED, "minutes_above_session", "minutes"),
        ("1,441 minutes", came | {"minutes": 1441}, UNUSABLE, "invalid_input", "body.record_attended.minutes"),
        ("before admission", came | {"attended_on": days_ago(11)}, REFUSED, "before_admission", "attended_on"),
        ("missed before admission", missed | {"session": past | {"planned_on": days_ago(11)}}, REFUSED, "before_admission", "planned_on"),
        ("after discharge", came | {"admission_id": gone}, REFUSED, "after_discharge", "attended_on"),
        ("planned after discharge", session(clinic, 9, roster=[gone]), REFUSED, "after_discharge", "roster.0"),
        ("no such person", came | {"admission_id": str(uuid4())}, NOT_FOUND, "admission_unknown", "admission_id"),
        ("no such reason", missed | {"reason": "lazy"}, UNUSABLE, "invalid_input", "body.record_missed.reason"),
        ("no such type", session(clinic, 9, session_type="party"), UNUSABLE, "invalid_input", "body.schedule_session.session_type"),
        ("no such modality", session(clinic, 9, modality="magic"), UNUSABLE, "invalid_input", "body.schedule_session.modality"),
        ("another zone's offset", session(clinic, 9, starts_at=f"{today() + timedelta(days=1)}T09:00:00+02:00"), REFUSED, "wrong_offset", "starts_at"),
        ("another day", session(clinic, 9, planned_on=days_ago(0)), REFUSED, "wrong_day", "starts_at"),
        ("no offset", session(clinic, 9, starts_at=f"{today()}T09:00:00"), UNUSABLE, "invalid_input", "body.schedule_session.starts_at"),
        ("a rule in another zone", {"do": "set_series", "site_id": clinic.site_id, "series_key": "s", "session_type": "group", "planned_minutes": 60, "recurrence": "DTSTART;TZID=Asia/Tokyo:20300101T090000"}, REFUSED, "wrong_time_zone", "recurrence"),
        ("a roster with one mistake", roster | {"entries": [good, {"admission_id": gone, "status": "attended"}]}, REFUSED, "after_discharge", "entries.1"),
        ("a roster with one twice", roster | {"entries": [good, good]}, REFUSED, "named_twice", "entries.1.admission_id"),
        ("a command nobody knows", {"do": "promote"}, UNUSABLE, "invalid_input", "body"),
    ]  # fmt: skip

    found = [(what, *(await post(clinic, body))) for what, body, *_ in refusals]

    assert found == [(what, status, code, field) for what, _, status, code, field in refusals]
    assert await everything(clinic, here, gone) == before


async def everything(clinic: Clinic, *people: str) -> list[object]:
    """Seats, sessions and events, as others read them."""
    seats = [await clinic.get("attendance", f"/v1/admissions/{p}/attendance") for p in people]
    days = [(today() + timedelta(days=n)).isoformat() for n in (-11, -1, 0, 1)]
    sessions = [
        await clinic.get("attendance", "/v1/sessions", site_id=clinic.site_id, day=day)
        for day in days
    ]
    series = await clinic.get("attendance", f"/v1/sites/{clinic.site_id}/series")
    told = [await clinic.told("attendance", UUID(p)) for p in people]
    return [seats, sessions, series, told]
