"""Is this care enough, can the person come, and who may be told: driven from outside."""

from uuid import uuid4

from tests.journeys.clinic import Clinic, days_ago
from tests.journeys.intake_desk import referred, refused, told


async def test_who_needs_more_than_this_care_is_referred_up(clinic: Clinic) -> None:
    person = await referred(clinic)
    path = f"/v1/sites/{clinic.site_id}/intakes-due"
    (due,) = await clinic.get("intake", path)
    assert due == {
        "admission_id": person,
        "missing": ["eligibility", "attendance_policy"],
        "due_on": None,
    }

    answers: dict[str, object] = {
        "admission_id": person,
        "needs_24h_supervision": True,
        "symptoms_stable": True,
        "home_safe": True,
        "home_supportive": True,
    }
    admit: dict[str, object] = {
        "admission_id": person,
        "admitted_on": days_ago(0),
        "program_id": "iop-evening",
        "weekly_minutes": 540,
        "sessions_per_week": 3,
    }
    assert await refused(clinic, "complete_intake", **admit) == (409, "eligibility_waived_for")
    await clinic.say("intake", "assess_eligibility", **answers)
    assert await refused(clinic, "complete_intake", **admit) == (409, "admission_id")
    await clinic.say("intake", "assess_eligibility", **answers | {"needs_24h_supervision": False})
    await clinic.say(
        "intake",
        "acknowledge_policy",
        admission_id=person,
        policy="attendance-2026-1",
        acknowledged_on=days_ago(0),
    )
    assert await refused(clinic, "complete_intake", **admit | {"weekly_minutes": 500}) == (
        409,
        "weekly_minutes",
    )
    await clinic.say("intake", "complete_intake", **admit)

    assert await clinic.get("intake", path) == []
    names = ("eligibility_assessed", "attendance_policy_acknowledged", "intake_completed")
    no, yes, *_ = await told(clinic, person, *names)
    assert (no["eligible"], no["refer_to"]) == (False, "residential")
    assert yes["eligible"]


async def test_who_is_admitted_unassessed_has_a_stated_reason_and_stays_on_the_list(
    clinic: Clinic,
) -> None:
    person = str(await clinic.admitted())

    due = await clinic.get("intake", f"/v1/sites/{clinic.site_id}/intakes-due")
    missing = ["eligibility", "attendance_policy"]
    assert due == [{"admission_id": person, "missing": missing, "due_on": days_ago(33)}]
    (admitted,) = await told(clinic, person, "intake_completed")
    assert admitted["eligibility_waived_for"] == "assessed_elsewhere"


async def test_a_programme_says_why_it_does_not_fit_the_week(clinic: Clinic) -> None:
    person = await referred(clinic)
    await clinic.say(
        "intake",
        "list_program",
        site_id=clinic.site_id,
        program_id="iop-evening",
        weekly_minutes=540,
        session_types=["group"],
        places=12,
        meets=[{"weekday": day, "starts": "18:00", "ends": "21:00"} for day in (1, 3, 5)],
    )
    work = {"kind": "work", "weekday": 3, "starts": "10:00", "ends": "19:00"}
    await clinic.say("intake", "set_constraints", admission_id=person, constraints=[work])
    await clinic.say(
        "intake", "set_access", admission_id=person, transport="needs_ride", online="preferred"
    )

    path = f"/v1/admissions/{person}/misfits"
    found = await clinic.get("intake", path, program_id="iop-evening")
    assert [(f["code"], (f["window"] or {}).get("weekday")) for f in found] == [
        ("transport_to_arrange", None),
        ("work", 3),
    ]
    upside_down = work | {"ends": "09:00"}
    assert await refused(
        clinic, "set_constraints", admission_id=person, constraints=[upside_down]
    ) == (409, "constraints")
    week, access = await told(
        clinic, person, "schedule_constraints_changed", "access_needs_changed"
    )
    assert week["constraints"] == [work]
    assert access["transport"] == "needs_ride"


async def test_supports_and_consents_are_each_their_own(clinic: Clinic) -> None:
    person = await referred(clinic)
    willing, unwilling, consent = (str(uuid4()) for _ in range(3))
    for support, yes in ((willing, True), (unwilling, False)):
        await clinic.say(
            "intake",
            "name_support",
            admission_id=person,
            support_id=support,
            relation="sibling",
            may_contact=yes,
        )
    path = f"/v1/admissions/{person}/supports"
    may = await clinic.get("intake", path, may_contact=True)
    assert [support["support_id"] for support in may] == [willing]
    changed = {"admission_id": person, "support_id": willing}
    await clinic.say("intake", "change_support_consent", **changed, may_contact=False)
    assert await clinic.get("intake", path, may_contact=True) == []
    await clinic.say("intake", "remove_support", **changed)
    assert [s["support_id"] for s in await clinic.get("intake", path)] == [unwilling]

    grant: dict[str, object] = {
        "admission_id": person,
        "consent_id": consent,
        "recipient_class": "payer",
        "recipient": "county-health-plan",
        "purpose": "payment",
        "data_classes": ["status", "dose"],
        "from_on": days_ago(0),
    }
    assert await refused(clinic, "grant_consent", **grant | {"data_classes": ["risk"]}) == (
        409,
        "data_classes",
    )
    await clinic.say("intake", "grant_consent", **grant)
    path = f"/v1/admissions/{person}/consents"
    assert [c["consent_id"] for c in await clinic.get("intake", path, on=days_ago(0))] == [consent]
    assert await clinic.get("intake", path, on=days_ago(1)) == []
    less = {"admission_id": person, "consent_id": consent, "data_classes": ["dose"]}
    await clinic.say("intake", "narrow_consent", **less)
    [left] = await clinic.get("intake", path, on=days_ago(0))
    assert left["data_classes"] == ["dose"]
    await clinic.say("intake", "lose_referral", admission_id=person, reason="not_reached")
    await clinic.say("intake", "revoke_consent", admission_id=person, consent_id=consent)
    assert await clinic.get("intake", path, on=days_ago(0)) == []

    names = (
        "support_named",
        "support_consent_changed",
        "support_removed",
        "consent_granted",
        "consent_narrowed",
        "consent_revoked",
    )
    events = await told(clinic, person, *names)
    assert [event.get("may_contact") for event in events[:3]] == [True, False, False]
    assert [event["data_classes"] for event in events[-3:-1]] == [["status", "dose"], ["dose"]]
    assert events[-1]["consent_id"] == consent
