"""Recurring sessions from outside: made ahead, over a change of clocks, skipped, moved, left."""

from typing import Any
from uuid import UUID, uuid4

from tests.journeys.clinic import OK, Clinic
from tests.parts import until

RULE = (
    "DTSTART:20260302T173000\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE\n"
    "EXDATE;VALUE=DATE:20260304\nRDATE:20260306T100000"
)
Body = dict[str, Any]


def on(day: str) -> Body:
    """Noon of a day of March 2026, in UTC."""
    at = f"2026-03-{day}T12:00:00Z"
    return {"occurred_at": at, "recorded_at": at}


def group(clinic: Clinic) -> Body:
    return {
        "site_id": clinic.site_id,
        "series_key": "evening-group",
        "track": "evening",
        "session_type": "group",
        "modality": "cbt",
        "topic": "relapse-triggers",
        "planned_minutes": 180,
        "recurrence": RULE,
    }


async def admitted(clinic: Clinic) -> str:
    """Someone admitted on the first of March, at a site in New York that plays history."""
    place = {"site_id": clinic.site_id, "time_zone": "America/New_York", "clock": "replay"}
    referral = await clinic.say("intake", "receive_referral", **place, **on("01"))
    person = str(referral["subject"])
    await clinic.say(
        "intake",
        "complete_intake",
        admission_id=person,
        admitted_on="2026-03-01",
        program_id="iop",
        weekly_minutes=540,
        sessions_per_week=3,
        **on("01"),
    )
    return person


async def starts(clinic: Clinic, first: str, last: str, *states: str) -> list[str]:
    path = f"/v1/sites/{clinic.site_id}/calendar"
    found = await clinic.get("attendance", path, first=f"2026-{first}", last=f"2026-{last}")
    return [e["starts_at"] for e in found if not states or e["state"] in states]


async def close(clinic: Clinic, day: str) -> None:
    await clinic.say(
        "attendance", "close_day", site_id=clinic.site_id, day=f"2026-{day}", **on("02")
    )


async def seats(clinic: Clinic, person: str) -> list[tuple[str, str, bool]]:
    found = await clinic.get("attendance", f"/v1/admissions/{person}/attendance")
    return [(s["held_on"][5:], s["status"], s["moved_to"] is not None) for s in found]


async def test_a_rule_makes_sessions_and_seats_ahead_in_local_time(clinic: Clinic) -> None:
    person = await admitted(clinic)
    about = {"site_id": clinic.site_id, "series_key": "evening-group", "admission_id": person}
    await clinic.say("attendance", "set_series", **group(clinic), **on("01"))
    await clinic.say("attendance", "join_series", **about, from_on="2026-03-02", **on("01"))

    assert await starts(clinic, "03-01", "03-11", "planned") == [
        "2026-03-02T17:30:00-05:00",
        "2026-03-06T10:00:00-05:00",
        "2026-03-09T17:30:00-04:00",
        "2026-03-11T17:30:00-04:00",
    ]
    days = {"first": "2026-03-01", "last": "2026-04-30"}
    shown = await clinic.get("attendance", f"/v1/sites/{clinic.site_id}/calendar", **days)
    assert {(e["state"], e["topic"]) for e in shown} == {
        ("planned", "relapse-triggers"),
        ("expected", "relapse-triggers"),
    }
    assert (await starts(clinic, "03-29", "04-30", "planned"))[-1:] == []
    assert (await starts(clinic, "03-29", "04-30", "expected"))[0] == "2026-03-30T17:30:00-04:00"
    days = [day for day, _, _ in await seats(clinic, person)]
    assert (days[:4], days[-1]) == (["03-02", "03-06", "03-09", "03-11"], "03-25")

    await close(clinic, "03-02")
    days = [day for day, _, _ in await seats(clinic, person)]
    assert days[-1] == "03-30"
    told = await clinic.told("attendance", UUID(person))
    asked = [e["planned_on"] for name, e in told if name == "attendance.roster_overdue.v1"]
    assert asked == ["2026-03-02"]


async def test_a_session_is_moved_or_skipped_and_the_series_changed_and_left(
    clinic: Clinic,
) -> None:
    person = await admitted(clinic)
    about = {"site_id": clinic.site_id, "series_key": "evening-group", "admission_id": person}
    await clinic.say("attendance", "set_series", **group(clinic), **on("01"))
    await clinic.say("attendance", "join_series", **about, from_on="2026-03-02", **on("01"))
    path = f"/v1/sites/{clinic.site_id}/calendar"
    made = await clinic.get("attendance", path, first="2026-03-01", last="2026-03-18")
    named = {e["held_on"]: e["session_id"] for e in made}

    await clinic.say("attendance", "cancel_session", session_id=named["2026-03-09"], **on("02"))
    moved = await clinic.say(
        "attendance",
        "move_session",
        session_id=named["2026-03-11"],
        to_planned_on="2026-03-12",
        to_starts_at="2026-03-12T18:00:00-04:00",
        **on("02"),
    )
    await clinic.say("attendance", "leave_series", **about, left_on="2026-03-16", **on("02"))

    assert await seats(clinic, person) == [
        ("03-02", "scheduled", False),
        ("03-06", "scheduled", False),
        ("03-09", "cancelled_by_program", False),
        ("03-11", "scheduled", True),
        ("03-12", "scheduled", False),
        ("03-16", "scheduled", False),
    ]
    roster = await clinic.get("attendance", f"/v1/sessions/{moved['subject']}")
    assert [seat["admission_id"] for seat in roster["roster"]] == [person]
    later = group(clinic) | {"recurrence": "DTSTART:20260303T173000\nRRULE:FREQ=WEEKLY"}
    await clinic.say("attendance", "set_series", **later, **on("03"))
    held = await starts(clinic, "03-03", "03-18", "planned")
    assert [start[5:10] for start in held] == ["03-03", "03-10", "03-12", "03-17"]
    assert ("03-16", "scheduled", False) not in await seats(clinic, person)
    told = [e for n, e in await clinic.told("attendance", UUID(person)) if "withdrawn" in n]
    assert {e["reason"] for e in told} == {"left_series", "series_changed"}


async def test_seats_planned_after_a_discharge_are_taken_away(clinic: Clinic) -> None:
    person, other = await admitted(clinic), await admitted(clinic)
    await clinic.say("attendance", "set_series", **group(clinic), **on("01"))
    about = {"site_id": clinic.site_id, "series_key": "evening-group", "from_on": "2026-03-02"}
    for one in (person, other):
        await clinic.say("attendance", "join_series", **about, admission_id=one, **on("01"))
    visit = {"session_type": "individual", "planned_minutes": 50, "planned_on": "2026-03-10"}
    start = {"session_key": uuid4().hex, "starts_at": "2026-03-10T09:00:00-04:00"}
    there = {"site_id": clinic.site_id, "roster": [person], **visit, **start}
    await clinic.say("attendance", "schedule_session", **there, **on("01"))

    end = {"reason": "completed", "discharged_on": "2026-03-06"}
    await clinic.say("intake", "discharge", admission_id=person, **end, **on("02"))
    await ended(clinic, person)
    await close(clinic, "03-02")

    assert [day for day, _, _ in await seats(clinic, person)] == ["03-02", "03-06"]
    assert ("03-09", "scheduled", False) in await seats(clinic, other)
    told = await clinic.told("attendance", UUID(person))
    gone = [e for name, e in told if name == "attendance.seat_withdrawn.v1"]
    assert {e["reason"] for e in gone} == {"left_care"}
    assert {"2026-03-09", "2026-03-10"} <= {e["planned_on"] for e in gone}
    await close(clinic, "03-30")
    assert [day for day, _, _ in await seats(clinic, person)] == ["03-02", "03-06"]


async def test_the_planned_places_of_a_person_recorded_twice_go_to_one_and_back(
    clinic: Clinic,
) -> None:
    kept, twice = await admitted(clinic), await admitted(clinic)
    await clinic.say("attendance", "set_series", **group(clinic), **on("01"))
    about = {"site_id": clinic.site_id, "series_key": "evening-group", "from_on": "2026-03-02"}
    await clinic.say("attendance", "join_series", **about, admission_id=twice, **on("01"))
    visit = {"session_type": "individual", "planned_minutes": 50, "planned_on": "2026-03-10"}
    start = {"session_key": uuid4().hex, "starts_at": "2026-03-10T09:00:00-04:00"}
    there = {"site_id": clinic.site_id, "roster": [twice], **visit, **start}
    await clinic.say("attendance", "schedule_session", **there, **on("01"))
    before = await seats(clinic, twice)
    pair = {"admission_id": kept, "duplicate_id": twice}

    await clinic.say("intake", "merge_admissions", **pair, **on("05"))
    await sits(clinic, kept, [seat for seat in before if seat[0] >= "03-05"])
    assert await seats(clinic, twice) == [seat for seat in before if seat[0] < "03-05"]
    assert ("03-10", "scheduled", False) in await seats(clinic, kept)

    await clinic.say("intake", "unmerge_admissions", **pair, **on("08"))
    await sits(clinic, twice, [seat for seat in before if not "03-05" <= seat[0] < "03-08"])
    assert await seats(clinic, kept) == [("03-06", "scheduled", False)]
    told = [n.split(".")[1] for n, _ in await clinic.told("attendance", UUID(twice))]
    assert (told.count("series_left"), told.count("series_joined")) == (1, 2)


async def sits(clinic: Clinic, person: str, expected: list[tuple[str, str, bool]]) -> None:
    """Wait until these are the person's seats."""

    async def are_so() -> bool:
        return await seats(clinic, person) == expected

    await until(are_so, "attendance has heard of it")


async def ended(clinic: Clinic, person: str) -> None:
    """Wait until attendance knows of the discharge."""

    async def is_refused() -> bool:
        seat = {"admission_id": person, "session_key": uuid4().hex, "key": uuid4().hex}
        visit = {"session": {"session_type": "group"}, "attended_on": "2026-03-07", "minutes": 60}
        early = {"do": "record_attended"} | visit | seat | on("02")
        answer = await clinic.post("attendance", early)
        assert answer.status_code != OK
        return "after_discharge" in answer.text

    await until(is_refused, "attendance knows of the discharge")


async def test_what_the_calendar_cannot_hold_is_refused_by_field(clinic: Clinic) -> None:
    person = await admitted(clinic)
    good = {"do": "set_series", **group(clinic), **on("01")}
    await clinic.say("attendance", "set_series", **group(clinic), **on("01"))
    join = {
        "do": "join_series",
        "site_id": clinic.site_id,
        "series_key": "evening-group",
        "admission_id": person,
        "from_on": "2026-03-02",
        **on("01"),
    }
    other = group(clinic) | {"series_key": "other-group"}
    await clinic.say("attendance", "set_series", **other, **on("01"))
    # Sent again until attendance has heard of the admission.
    await clinic.say("attendance", **(join | {"series_key": "other-group"}))
    before = await seats(clinic, person)
    refusals = [
        (good | {"recurrence": "DTSTART:20260302T173000Z"}, 409, "recurrence"),
        (good | {"recurrence": "RRULE:FREQ=WEEKLY"}, 409, "recurrence"),
        (good | {"recurrence": "SUMMARY:x"}, 422, "body.set_series.recurrence"),
        (good | {"holidays": "US-ZZ"}, 409, "holidays"),
        (good | {"site_id": "nowhere"}, 404, "site_id"),
        (join, 409, "admission_id"),
        (join | {"series_key": "no-such"}, 404, "series_key"),
        (join | {"from_on": "2026-02-01"}, 409, "from_on"),
        (join | {"until_on": "2026-03-01"}, 409, "until_on"),
    ]
    for body, status, field in refusals:
        answer = await clinic.post("attendance", body | {"key": uuid4().hex})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (status, field), body
    assert await seats(clinic, person) == before
