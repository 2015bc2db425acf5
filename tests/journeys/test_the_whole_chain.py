"""From the referral to the next place, driven from outside."""

from uuid import UUID

from tests.journeys.clinic import Clinic, days_ago
from tests.journeys.visitor import page_of
from tests.parts import until


async def test_nobody_is_let_go_from_the_first_miss_to_the_next_place(clinic: Clinic) -> None:
    person = await clinic.admitted()
    await clinic.attended(person, 9)

    await clinic.missed(person, 4)
    second = await clinic.missed(person, 2)
    concern = await clinic.concern(person, level=2, state="open")
    assert concern["reasons"] == ["missed 2 sessions within 7 days"]
    assert [alert["level"] for alert in concern["alerts"]] == [2]
    await clinic_page_shows(clinic, person, "Missed 2 sessions within 7 days")

    await clinic.say(
        "attendance",
        "correct_attendance",
        admission_id=str(person),
        session_key=second,
        now="attended",
        minutes=180,
    )
    withdrawn = await clinic.concern(person, state="closed")
    assert withdrawn["spell"] == 1
    assert all(alert["withdrawn_at"] for alert in withdrawn["alerts"])
    await clinic_page_is_without(clinic, person)

    await clinic.missed(person, 1)
    await clinic.missed(person, 0)
    again = await clinic.concern(person, level=2, state="open", spell=2)
    await clinic.say(
        "alerts",
        "record_outreach",
        concern_id=again["concern_id"],
        channel="phone",
        outcome="reached_returning",
    )
    assert (await clinic.concern(person, spell=2))["attempts"] == 1
    await clinic.attended(person, 0)
    assert (await clinic.concern(person, state="closed", spell=2))["ending"] == "returned"

    step_down = await clinic.say(
        "aftercare",
        "start_step_down",
        admission_id=str(person),
        destination="outpatient",
        receiver="riverside-outpatient",
        first_visit_on=days_ago(0),
    )
    followed = await clinic.get("aftercare", f"/v1/step-downs/{step_down['subject']}")
    days = [f["follow_up_day"] for f in followed["follow_ups"]]
    assert days == [7, 14, 30, 60, 90, 180, 270, 360]
    await clinic.say(
        "intake",
        "discharge",
        admission_id=str(person),
        reason="transferred",
        discharged_on=days_ago(0),
    )
    await clinic.say("aftercare", "miss_first_visit", step_down_id=step_down["subject"])
    third = await clinic.concern(person, level=2, state="open", spell=3)
    assert third["kind"] == "first_visit_missed"
    await clinic.say(
        "aftercare",
        "keep_first_visit",
        step_down_id=step_down["subject"],
        visited_on=days_ago(0),
    )
    closed = await clinic.concern(person, state="closed", spell=3)
    assert closed["ending"] == "transferred_and_seen"

    async def all_told() -> bool:
        return len(await clinic.told("alerts", person)) >= len(STORY)

    await until(all_told, "the whole story on Kafka")
    told = [name for name, _ in await clinic.told("alerts", person)]
    assert told == STORY


STORY = [
    f"alerts.{what}.v1"
    for what in (
        "concern_opened",
        "alert_raised",
        "concern_withdrawn",
        "concern_opened",
        "alert_raised",
        "outreach_recorded",
        "concern_resolved",
        "concern_opened",
        "alert_raised",
        "concern_resolved",
    )
]


async def test_an_alert_says_why_and_whom_to_everyone_who_listens(clinic: Clinic) -> None:
    person = await clinic.admitted(since_days=5)
    await clinic.missed(person, 1)
    concern = await clinic.concern(person, level=2)

    async def raised() -> list[dict[str, object]]:
        told = await clinic.told("alerts", person)
        return [event for name, event in told if name == "alerts.alert_raised.v1"]

    [event] = await until(raised, "the alert on Kafka")
    assert event["reasons"] == ["early_miss"]
    assert event["tells"] == ["primary_clinician", "case_manager"]
    assert event["concern_id"] == concern["concern_id"]
    assert event["site_id"] == clinic.site_id
    risk = await clinic.get("alerts", f"/v1/admissions/{person}/risk")
    assert sum(r["points"] for r in risk["reasons"]) == risk["score"]


async def test_a_safety_flag_is_raised_at_once_and_a_session_does_not_end_it(
    clinic: Clinic,
) -> None:
    person = await clinic.admitted()
    await clinic.say(
        "attendance",
        "record_measure",
        admission_id=str(person),
        instrument="c-ssrs",
        score=4,
        safety=True,
    )
    concern = await clinic.concern(person, level=0, state="open")
    await clinic.attended(person, 0)
    await clinic.say("alerts", "acknowledge", concern_id=concern["concern_id"])

    assert (await clinic.concern(person, level=0))["state"] == "acknowledged"


async def test_the_same_command_sent_twice_is_one_miss(clinic: Clinic) -> None:
    person = await clinic.admitted()
    body = {"key": "once", "occurred_at": f"{days_ago(1)}T18:00:00Z"}
    group = {"session_type": "group", "planned_on": days_ago(1), "planned_minutes": 180}
    about = {"admission_id": str(person), "session": group, "kind": "no_show"}

    results = [await clinic.say("attendance", "record_missed", **about, **body) for _ in range(3)]

    assert [result["status"] for result in results] == ["applied", "duplicate", "duplicate"]
    assert len({result["subject"] for result in results}) == 1
    attendance = await clinic.get("attendance", f"/v1/admissions/{person}/attendance")
    assert len(attendance) == 1


async def clinic_page_shows(clinic: Clinic, person: UUID, words: str) -> None:
    text = await page_of(clinic)
    assert str(person)[:8] in text
    assert words in text


async def clinic_page_is_without(clinic: Clinic, person: UUID) -> None:
    text = await page_of(clinic)
    assert str(person)[:8] not in text
    assert "Nobody is waiting for a call." in text
