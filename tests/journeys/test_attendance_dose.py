"""Dose against plan as it is now, and what was known before a correction."""

from datetime import UTC, datetime

from tests.journeys.clinic import Clinic, days_ago


async def test_a_correction_changes_the_dose_and_keeps_what_was_known(clinic: Clinic) -> None:
    person = await clinic.admitted()
    key = await clinic.missed(person, 0)
    path = f"/v1/admissions/{person}"
    then = datetime.now(UTC).isoformat()
    before = await clinic.get("attendance", f"{path}/dose", day=days_ago(0))

    about = {"admission_id": str(person), "session_key": key}
    await clinic.say("attendance", "correct_attendance", **about, now="attended", minutes=120)

    after = await clinic.get("attendance", f"{path}/dose", day=days_ago(0))
    assert (before["minutes"], after["minutes"], after["planned_minutes"]) == (0, 120, 540)
    [knew] = await clinic.get("attendance", f"{path}/attendance", as_of=then)
    [knows] = await clinic.get("attendance", f"{path}/attendance")
    assert [knew["status"], knows["status"]] == ["no_show", "attended"]
    assert await clinic.get("attendance", f"{path}/attendance", as_of="2020-01-01T00:00:00Z") == []
