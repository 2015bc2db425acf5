"""A session that nobody reports is asked for, and is nobody's miss."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from tests.journeys.clinic import Clinic
from tests.parts import until


async def test_a_roster_is_asked_for_once_and_is_no_miss(clinic: Clinic) -> None:
    person = await clinic.admitted()
    starts_at = datetime.now(UTC) - timedelta(hours=5)
    session = await clinic.say(
        "attendance",
        "schedule_session",
        site_id=clinic.site_id,
        session_key=uuid4().hex,
        session_type="group",
        planned_on=starts_at.date().isoformat(),
        starts_at=starts_at.isoformat(),
        planned_minutes=180,
        roster=[str(person)],
    )

    async def asked() -> bool:
        return "attendance.roster_overdue.v1" in dict(await clinic.told("attendance", person))

    await until(asked, "the roster is asked for")
    waiting = f"/v1/sites/{clinic.site_id}/rosters-overdue"
    [overdue] = await clinic.get("attendance", waiting)
    silent = await clinic.get("attendance", "/v1/silent-feeds", hours=0)
    entries = [{"admission_id": str(person), "status": "attended", "minutes": 170}]
    await clinic.say("attendance", "take_roster", session_id=session["subject"], entries=entries)

    assert (overdue["session_id"], overdue["seats_waiting"]) == (session["subject"], 1)
    assert clinic.site_id in [site["site_id"] for site in silent]
    assert await clinic.get("attendance", waiting) == []
    told = [name for name, _ in await clinic.told("attendance", person)]
    assert told.count("attendance.roster_overdue.v1") == 1
    assert "attendance.session_missed.v1" not in told
    assert await clinic.concerns(person) == []
