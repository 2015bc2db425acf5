"""The clock from the referral to the first session, driven from outside."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.journeys.clinic import Clinic, days_ago
from tests.journeys.intake_desk import told
from tests.parts import until


async def sent(clinic: Clinic, hours: int, source: str) -> str:
    """Someone referred so many hours ago."""
    answer = await clinic.say(
        "intake",
        "receive_referral",
        site_id=clinic.site_id,
        time_zone="UTC",
        referral_source=source,
        occurred_at=(datetime.now(UTC) - timedelta(hours=hours)).isoformat(),
    )
    return str(answer["subject"])


async def admit(clinic: Clinic, person: str) -> None:
    await clinic.say(
        "intake",
        "complete_intake",
        admission_id=person,
        admitted_on=days_ago(3),
        program_id="iop-evening",
        weekly_minutes=540,
        sessions_per_week=3,
        eligibility_waived_for="assessed_elsewhere",
    )


async def clock_of(clinic: Clinic, person: str, state: str) -> dict[str, Any]:
    """Wait until the clock stands like this."""

    async def is_so() -> dict[str, Any] | None:
        found: dict[str, Any] = await clinic.get("intake", f"/v1/admissions/{person}/clock")
        return found if found["state"] == state else None

    return await until(is_so, f"the clock is {state}")


async def test_referrals_going_cold_are_listed_until_the_person_is_seen(clinic: Clinic) -> None:
    cold = await sent(clinic, 60, "inpatient")
    going = await sent(clinic, 30, "emergency_department")
    lost = await sent(clinic, 70, "self")
    await sent(clinic, 2, "self")
    path = f"/v1/sites/{clinic.site_id}/referrals-going-cold"
    await clinic.say("intake", "lose_referral", admission_id=lost, reason="not_reached")

    found = await clinic.get("intake", path)
    assert [(row["admission_id"], row["state"]) for row in found] == [
        (cold, "cold"),
        (going, "going_cold"),
    ]
    assert found[0]["referral_source"] == "inpatient"
    assert found[0]["hours_left"] < 0 < found[1]["hours_left"]

    for person in (cold, going):
        await admit(clinic, person)
        await clinic.attended(UUID(person), 0)
    await clock_of(clinic, cold, "late")
    await clock_of(clinic, going, "in_time")
    assert await clinic.get("intake", path) == []
    (kept,) = await told(clinic, going, "first_session_kept")
    assert (kept["in_time"], kept["first_session_on"]) == (True, days_ago(0))


async def test_a_correction_starts_the_clock_again(clinic: Clinic) -> None:
    person = await sent(clinic, 10, "self")
    await admit(clinic, person)
    key = uuid4().hex
    group = {"session_type": "group", "planned_on": days_ago(0), "planned_minutes": 180}
    seat: dict[str, object] = {"admission_id": person, "session_key": key}
    await clinic.say(
        "attendance",
        "record_attended",
        **seat,
        session=group,
        attended_on=days_ago(0),
        minutes=180,
    )
    await clock_of(clinic, person, "in_time")
    await clinic.say("attendance", "correct_attendance", **seat, now="no_show")

    assert (await clock_of(clinic, person, "running"))["first_session_on"] is None
    kept, undone = await told(clinic, person, "first_session_kept", "first_session_undone")
    assert kept["session_id"] == undone["session_id"]


async def test_the_end_of_the_day_tells_who_went_cold(clinic: Clinic) -> None:
    first = date(2024, 3, 4)

    def at(days: int, hour: int = 12) -> str:
        return f"{first + timedelta(days=days)}T{hour:02}:00:00Z"

    answer = await clinic.say(
        "intake",
        "receive_referral",
        site_id=clinic.site_id,
        time_zone="UTC",
        clock="replay",
        occurred_at=at(0),
        recorded_at=at(0),
    )
    person = str(answer["subject"])
    for days in range(3):
        day = (first + timedelta(days=days)).isoformat()
        for service in ("intake", "attendance"):
            await clinic.say(
                service, "close_day", site_id=clinic.site_id, day=day, occurred_at=at(days, 23)
            )

    (cold,) = await told(clinic, person, "referral_went_cold")
    assert (cold["due_at"], cold["hours"]) == (at(2), 48)
    (row,) = await clinic.get(
        "intake", f"/v1/sites/{clinic.site_id}/referrals-going-cold", at=at(2, 18)
    )
    assert (row["state"], row["hours_left"]) == ("cold", -6.0)
