"""What is noted around sessions: guests, the stay as evidence, barriers, contacts, screens."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from tests.journeys.clinic import Clinic, days_ago


async def test_family_comes_along_and_the_stay_is_kept_as_evidence(clinic: Clinic) -> None:
    person = str(await clinic.admitted())
    joined_at = datetime.now(UTC) - timedelta(hours=3)
    about = {"admission_id": person, "session_key": uuid4().hex}
    session = {
        "session_type": "family",
        "planned_on": days_ago(1),
        "planned_minutes": 120,
        "topic": "boundaries",
    }
    stay = {
        "joined_at": joined_at.isoformat(),
        "left_at": (joined_at + timedelta(hours=1)).isoformat(),
    }
    came = {"attended_on": days_ago(1), "mode": "online", "guests": 3} | stay

    too_long = await clinic.answer(
        "attendance", "record_attended", **about, **came, session=session, minutes=61
    )
    await clinic.say("attendance", "record_attended", **about, **came, session=session, minutes=60)

    assert too_long.status_code == 409
    assert too_long.json()["errors"] == [{"field": "minutes", "code": "minutes_above_stay"}]
    [seat] = await clinic.get("attendance", f"/v1/admissions/{person}/attendance")
    assert (seat["guests"], seat["minutes"], seat["mode"]) == (3, 60, "online")
    assert datetime.fromisoformat(seat["joined_at"]) == joined_at
    told = dict(await clinic.told("attendance", UUID(person)))
    attended = told["attendance.session_attended.v1"]
    assert (attended["guests"], attended["topic"], seat["topic"]) == (3, "boundaries", "boundaries")

    then = datetime.now(UTC).isoformat()
    await clinic.say("attendance", "correct_attendance", **about, now="attended", minutes=30)

    [knows] = await clinic.get("attendance", f"/v1/admissions/{person}/attendance")
    [knew] = await clinic.get("attendance", f"/v1/admissions/{person}/attendance", as_of=then)
    assert (knows["guests"], knows["minutes"], knows["joined_at"]) == (0, 30, None)
    assert knew == {name: seat[name] for name in knew}
    assert {"guests", "joined_at", "left_at", "mode", "left_early", "reason"} <= set(knew)


async def test_barriers_contacts_and_screens_are_read_back(clinic: Clinic) -> None:
    person = str(await clinic.admitted())
    about = {"admission_id": person}
    await clinic.say("attendance", "note_barrier", **about, barrier="childcare")
    await clinic.say("attendance", "note_barrier", **about, barrier="transport")
    await clinic.say("attendance", "lift_barrier", **about, barrier="transport")
    await clinic.say("attendance", "record_contact", **about, channel="text", reached=False)
    await clinic.say("attendance", "record_screen", **about, positives=["cocaine"])
    await clinic.missed(UUID(person), 1)
    again = {"do": "note_barrier", "key": uuid4().hex, "occurred_at": datetime.now(UTC).isoformat()}

    refused = await clinic.post("attendance", again | about | {"barrier": "childcare"})

    assert refused.json()["errors"] == [{"field": "barrier", "code": "barrier_already_noted"}]
    path = f"/v1/admissions/{person}"
    found = await clinic.get("attendance", f"{path}/barriers")
    stands = {b["barrier"]: b["lifted_at"] is None for b in found["barriers"]}
    assert stands == {"childcare": True, "transport": False}
    assert found["reasons_of_misses"] == [{"reason": "unknown", "misses": 1}]
    contacts = await clinic.get("attendance", f"{path}/contacts")
    assert [(c["channel"], c["reached"]) for c in contacts] == [("text", False)]
    screens = await clinic.get("attendance", f"{path}/screens")
    assert [s["positives"] for s in screens] == [["cocaine"]]
    nobody = await clinic.client.get(
        clinic.url("attendance") + f"/v1/admissions/{uuid4()}/contacts"
    )
    assert nobody.status_code == 404
    status = await clinic.get("attendance", "/status")
    assert clinic.site_id not in [feed["site_id"] for feed in status["silent_feeds"]]
