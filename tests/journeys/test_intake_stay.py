"""From the queue to an end nobody takes lightly, driven from outside."""

from uuid import uuid4

from tests.journeys.clinic import Clinic, days_ago, today
from tests.journeys.intake_desk import referred, refused, told
from tests.parts import until

PROGRAM = {
    "weekly_minutes": 540,
    "track": "evening",
    "session_types": ["group", "individual"],
    "modes": ["in_person", "online"],
    "places": 12,
    "meets": [{"weekday": 1, "starts": "18:00", "ends": "21:00"}],
}


async def test_the_catalogue_says_what_there_is_and_nothing_of_a_person(clinic: Clinic) -> None:
    listed = {"site_id": clinic.site_id, "program_id": "iop-evening"} | PROGRAM
    assert await refused(clinic, "list_program", **listed) == (404, "site_id")
    person = await referred(clinic)
    assert await refused(clinic, "list_program", **listed | {"weekly_minutes": 300}) == (
        409,
        "weekly_minutes",
    )

    await clinic.say("intake", "list_program", **listed)
    (found,) = await clinic.get("intake", "/v1/programs", site_id=clinic.site_id)
    assert found.items() >= listed.items()
    assert found["level_of_care"] == "2.1"
    assert person not in str(found)

    await clinic.say("intake", "unlist_program", site_id=clinic.site_id, program_id="iop-evening")
    assert await clinic.get("intake", "/v1/programs", site_id=clinic.site_id) == []


async def test_the_queue_keeps_its_order_and_a_no_leads_somewhere(clinic: Clinic) -> None:
    first, second, urgent = [await referred(clinic) for _ in range(3)]
    for person in (first, second):
        await clinic.say("intake", "waitlist", admission_id=person, program_id="iop-evening")
    await clinic.say(
        "intake", "waitlist", admission_id=urgent, program_id="iop-evening", urgent=True
    )
    path = f"/v1/sites/{clinic.site_id}/waitlist"
    waiting = await clinic.get("intake", path, program_id="iop-evening")
    assert [row["admission_id"] for row in waiting] == [urgent, first, second]

    no = {"admission_id": first, "by": "programme", "reason": "not_eligible"}
    assert await refused(clinic, "decline_referral", **no) == (409, "referred_to")
    await clinic.say("intake", "decline_referral", **no, referred_to="3.5")
    await clinic.say("intake", "lose_referral", admission_id=second, reason="not_reached")
    assert [row["admission_id"] for row in await clinic.get("intake", path)] == [urgent]
    waited, declined = await told(clinic, first, "waitlisted", "intake_declined")
    assert (waited["program_id"], declined["referred_to"]) == ("iop-evening", "3.5")


async def test_a_plan_is_made_reviewed_and_certified_again(clinic: Clinic) -> None:
    person = str(await clinic.admitted(since_days=70))
    path = f"/v1/sites/{clinic.site_id}/plans-due"
    due = await clinic.get("intake", path, by=days_ago(0))
    assert [(row["what"], row["due_on"]) for row in due] == [
        ("plan", days_ago(70)),
        ("recertification", days_ago(10)),
    ]

    groups = {"session_type": "group", "sessions": 3, "minutes": 180}
    plan: dict[str, object] = {
        "admission_id": person,
        "weekly_minutes": 540,
        "sessions_per_week": 3,
        "doses": [groups],
        "goals": ["stay_in_treatment"],
        "review_on": days_ago(-28),
    }
    assert await refused(clinic, "change_plan", **plan | {"weekly_minutes": 600}) == (
        409,
        "weekly_minutes",
    )
    await clinic.say("intake", "change_plan", **plan)
    await clinic.say(
        "intake",
        "review_plan",
        admission_id=person,
        reviewed_on=days_ago(0),
        review_on=days_ago(-14),
    )
    await clinic.say(
        "intake", "mark_goal", admission_id=person, goal="stay_in_treatment", state="met"
    )
    await clinic.say(
        "intake",
        "recertify",
        admission_id=person,
        certified_on=days_ago(0),
        certifier_id=str(uuid4()),
    )

    assert await clinic.get("intake", path, by=days_ago(0)) == []
    later = await clinic.get("intake", path, by=days_ago(-14))
    assert [row["what"] for row in later] == ["plan_review"]
    one = await clinic.get("intake", f"/v1/admissions/{person}")
    assert one["chart"]["goals"] == [{"goal": "stay_in_treatment", "state": "met"}]
    names = ("plan_changed", "plan_reviewed", "goal_marked", "recertified")
    changed, *_, recertified = await told(clinic, person, *names)
    assert changed["doses"] == [groups]
    assert recertified["days_late"] == 10


async def test_the_team_has_roles_and_covers(clinic: Clinic) -> None:
    person = str(await clinic.admitted())
    holder, cover = str(uuid4()), str(uuid4())
    role = {"admission_id": person, "role": "primary_clinician"}
    away: dict[str, object] = {"from_on": days_ago(-1), "until_on": days_ago(-3)}
    assert await refused(clinic, "cover_role", **role, staff_id=cover, **away) == (409, "role")
    await clinic.say("intake", "assign_role", **role, staff_id=holder, from_on=days_ago(5))
    await clinic.say("intake", "cover_role", **role, staff_id=cover, **away)

    path = f"/v1/admissions/{person}/team"
    stands = [await clinic.get("intake", path, on=days_ago(-n)) for n in (0, 1, 3, 4)]
    assert [found["primary_clinician"] for found in stands] == [holder, cover, cover, holder]
    await clinic.say("intake", "release_role", **role, staff_id=holder, released_on=days_ago(0))
    assert await clinic.get("intake", path, on=days_ago(0)) == {}
    names = ("care_team_member_assigned", "care_team_member_released")
    assert len(await told(clinic, person, *names)) == 4


async def test_the_facility_ends_a_stay_only_after_attempts_and_by_a_supervisor(
    clinic: Clinic,
) -> None:
    person, supervisor = str(await clinic.admitted()), str(uuid4())
    await clinic.say("intake", "transfer", admission_id=person, program_id="iop-day", track="day")
    await clinic.say("intake", "put_on_hold", admission_id=person, reason="hospital")
    assert (await clinic.get("intake", f"/v1/admissions/{person}"))["hold_reason"] == "hospital"
    await clinic.say("intake", "resume", admission_id=person)
    end: dict[str, object] = {
        "admission_id": person,
        "reason": "terminated_by_facility",
        "discharged_on": today().isoformat(),
    }
    path = f"/v1/admissions/{person}/facility-discharge"
    lacks = await clinic.get("intake", path, on=days_ago(0))
    assert [item["field"] for item in lacks] == ["reason", "supervisor_id"]
    assert await refused(clinic, "discharge", **end) == (409, "reason")

    for days, channel in ((5, "phone"), (3, "text"), (1, "phone")):
        await clinic.say(
            "intake",
            "log_attempt",
            admission_id=person,
            channel=channel,
            outcome="not_reached",
            attempted_on=days_ago(days),
        )
    assert await refused(clinic, "discharge", **end) == (409, "supervisor_id")
    await clinic.say(
        "intake",
        "assign_role",
        admission_id=person,
        role="supervisor",
        staff_id=supervisor,
        from_on=days_ago(5),
    )
    assert await clinic.get("intake", path, on=days_ago(0), supervisor_id=supervisor) == []
    await clinic.say("intake", "discharge", **end, supervisor_id=supervisor)

    assert (await clinic.get("intake", f"/v1/admissions/{person}"))["status"] == "discharged"
    names = ("transferred", "put_on_hold", "resumed", "attempt_logged", "discharged")
    moved, held, *_, ended = await told(clinic, person, *names)
    assert held["reason"] == "hospital"
    assert moved["program_id"] == "iop-day"
    assert (ended["attempts"], ended["supervisor_id"]) == (3, supervisor)


async def test_a_level_of_care_names_its_instrument_and_has_its_hours(clinic: Clinic) -> None:
    person = str(await clinic.admitted())
    level: dict[str, object] = {"admission_id": person, "instrument": "asam", "edition": "4"}
    less = level | {"level_of_care": "1.5"}
    assert await refused(clinic, "change_level_of_care", **less) == (409, "weekly_minutes")
    assert await refused(clinic, "change_level_of_care", **level, level_of_care="3.9") == (
        409,
        "level_of_care",
    )
    locus = {"admission_id": person, "instrument": "locus", "edition": "20", "level_of_care": "3"}
    assert await refused(clinic, "change_level_of_care", **locus) == (409, "instrument")
    await clinic.say(
        "intake", "change_level_of_care", **less, weekly_minutes=120, sessions_per_week=1
    )

    one = await clinic.get("intake", f"/v1/admissions/{person}")
    assert (one["level_of_care"], one["edition"], one["weekly_minutes"]) == ("1.5", "4", 120)
    changed, plan = await told(clinic, person, "level_of_care_changed", "plan_changed")
    assert (changed["instrument"], changed["edition"]) == ("asam", "4")
    assert plan["weekly_minutes"] == 120


async def test_a_stay_in_which_nobody_was_seen_for_long_is_to_be_ended(clinic: Clinic) -> None:
    never, seen = await clinic.admitted(since_days=91), await clinic.admitted(since_days=91)
    await clinic.admitted(since_days=90)
    await clinic.attended(seen, 2)
    path = f"/v1/sites/{clinic.site_id}/stays-to-end"

    async def is_known() -> bool:
        return len(await clinic.get("intake", path, by=days_ago(0))) == 1

    await until(is_known, "intake has heard of the visit")
    (row,) = await clinic.get("intake", path, by=days_ago(0))
    assert (row["admission_id"], row["last_seen_on"]) == (str(never), None)
    later = await clinic.get("intake", path, by=days_ago(-89))
    assert {one["last_seen_on"] for one in later} == {None, days_ago(2)}

    end = {"reason": "dropped_out", "discharged_on": days_ago(0)}
    await clinic.say("intake", "discharge", admission_id=str(never), **end)
    assert await clinic.get("intake", path, by=days_ago(0)) == []
