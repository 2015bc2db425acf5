"""After the programme: handed on, followed up, taking part, and back in time; from outside."""

from collections import Counter
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.journeys.clinic import Clinic, days_ago
from tests.parts import until

TODAY = days_ago(0)
BEGAN = date(2024, 3, 1)


async def handed_on(clinic: Clinic, person: UUID, **facts: object) -> str:
    """A hand-off of this person. Gives its identifier."""
    words = {
        "destination": "outpatient",
        "receiver": "riverside-outpatient",
        "first_visit_on": days_ago(-3),
    }
    answer = await clinic.say(
        "aftercare", "start_step_down", admission_id=str(person), **words | facts
    )
    return str(answer["subject"])


async def say(clinic: Clinic, do: str, step_down: str, **facts: object) -> None:
    await clinic.say("aftercare", do, step_down_id=step_down, **facts)


async def refused(clinic: Clinic, do: str, **facts: object) -> tuple[int, str]:
    """The status and the field that a refusal names."""
    body = {"do": do, "key": uuid4().hex, "occurred_at": f"{TODAY}T00:00:00Z"} | facts
    answer = await clinic.post("aftercare", body)
    return answer.status_code, answer.json()["errors"][0]["field"]


async def told(clinic: Clinic, person: UUID, *names: str) -> list[dict[str, Any]]:
    """The events of these names about the person, in order, once each is there so many times."""
    wanted = Counter(f"aftercare.{name}.v1" for name in names)

    async def all_there() -> list[tuple[str, dict[str, Any]]] | None:
        found = await clinic.told("aftercare", person)
        return found if wanted <= Counter(name for name, _ in found) else None

    found = await until(all_there, f"{names} on Kafka")
    return [event for name, event in found if name in wanted]


async def test_a_warm_hand_off_ends_when_the_next_place_has_seen_the_person(
    clinic: Clinic,
) -> None:
    person = await clinic.admitted()
    step_down = await handed_on(clinic, person)
    tried = {"channel": "phone", "attempted_on": TODAY}
    await say(clinic, "attempt_hand_off", step_down, **tried, outcome="not_reached")
    await say(clinic, "attempt_hand_off", step_down, **tried, outcome="warm")
    await say(clinic, "plan_first_visit", step_down, first_visit_on=days_ago(-5))
    await say(clinic, "accept_step_down", step_down)
    await say(clinic, "keep_first_visit", step_down, visited_on=TODAY)

    one = await clinic.get("aftercare", f"/v1/step-downs/{step_down}")
    assert (one["status"], one["warm_on"]) == ("seen", TODAY)
    assert [a["outcome"] for a in one["chart"]["attempts"]] == ["not_reached", "warm"]
    *attempts, planned, kept = await told(
        clinic, person, "hand_off_attempted", "first_visit_planned", "first_visit_kept"
    )
    assert [a["attempts"] for a in attempts] == [1, 2]
    assert (planned["was"], planned["first_visit_on"]) == (days_ago(-3), days_ago(-5))
    assert (kept["days"], kept["in_time"]) == (0, True)


async def test_a_no_is_written_down_and_the_calls_go_on(clinic: Clinic) -> None:
    person = await clinic.admitted()
    step_down = await handed_on(clinic, person)
    no = {"by": "receiver", "reason": "no_place", "declined_on": TODAY}
    await say(clinic, "decline_step_down", step_down, **no)
    await say(clinic, "complete_follow_up", step_down, follow_up_day=7)

    open_ones = await clinic.get("aftercare", "/v1/step-downs", site_id=clinic.site_id, open=True)
    assert open_ones == []
    (declined,) = await told(clinic, person, "step_down_declined")
    assert declined.items() >= no.items()
    await say(clinic, "end_follow_up", step_down, reason="declined")
    one = await clinic.get("aftercare", f"/v1/step-downs/{step_down}")
    assert [f["status"] for f in one["follow_ups"]] == ["completed", *["called_off"] * 7]
    (ended,) = await told(clinic, person, "follow_up_ended")
    assert ended["reason"] == "declined"


async def test_a_step_up_is_a_hand_off_that_has_to_be_fast(clinic: Clinic) -> None:
    person = await clinic.admitted()
    up = {"destination": "step_up", "receiver": "county-inpatient", "first_visit_on": TODAY}
    step_up = await handed_on(clinic, person, **up)

    (started,) = await told(clinic, person, "step_down_started")
    assert started["see_by"] == days_ago(-2)
    one = await clinic.get("aftercare", f"/v1/step-downs/{step_up}")
    assert [f["follow_up_day"] for f in one["follow_ups"]] == [7, 30]


async def test_alumni_opt_in_and_everything_taken_part_in_has_a_beginning_and_an_end(
    clinic: Clinic,
) -> None:
    person = await clinic.admitted()
    step_down = await handed_on(clinic, person)
    group = {"kind": "alumni", "place": "thursday-group"}
    asked: dict[str, object] = {"step_down_id": step_down, **group, "enrolled_on": TODAY}
    assert await refused(clinic, "enroll", **asked) == (409, "kind")

    await say(clinic, "opt_in_alumni", step_down, opted_in_on=TODAY)
    await say(clinic, "enroll", step_down, **group, enrolled_on=TODAY)
    for kind in ("therapy", "community", "check_up", "resource"):
        await say(clinic, "enroll", step_down, kind=kind, place="oak-street", enrolled_on=TODAY)
    alumni = await clinic.get("aftercare", f"/v1/sites/{clinic.site_id}/alumni")
    assert [row["admission_id"] for row in alumni] == [str(person)]

    await say(
        clinic, "end_enrollment", step_down, kind="resource", place="oak-street", ended_on=TODAY
    )
    await say(clinic, "opt_out_alumni", step_down, opted_out_on=TODAY)
    assert await clinic.get("aftercare", f"/v1/sites/{clinic.site_id}/alumni") == []
    ended = await told(clinic, person, "alumni_opted_in", "alumni_opted_out", "enrollment_ended")
    assert [e.get("kind") for e in ended] == [None, "resource", None, "alumni"]
    assert len(await told(clinic, person, "enrolled")) == 5


async def test_the_relapse_prevention_plan_has_items_with_a_state(clinic: Clinic) -> None:
    person = await clinic.admitted()
    step_down = await handed_on(clinic, person)
    item = {"item": "call-sponsor", "kind": "coping"}
    await say(clinic, "set_plan_item", step_down, **item)
    await say(clinic, "set_plan_item", step_down, item="payday", kind="trigger")
    await say(clinic, "set_plan_item", step_down, **item, state="practised")

    one = await clinic.get("aftercare", f"/v1/step-downs/{step_down}")
    assert [(i["item"], i["state"]) for i in one["chart"]["plan"]] == [
        ("payday", "open"),
        ("call-sponsor", "practised"),
    ]
    items = await told(clinic, person, *["plan_item_set"] * 3)
    assert [i["state"] for i in items] == ["open", "open", "practised"]


async def test_who_asks_to_come_back_is_waited_for(clinic: Clinic) -> None:
    person = await clinic.admitted()
    step_down = await handed_on(clinic, person)
    path = f"/v1/sites/{clinic.site_id}/returns-waiting"
    ask = {"asked_on": TODAY, "asked_by": "person"}
    await say(clinic, "ask_return", step_down, **ask)
    await say(clinic, "withdraw_return", step_down, withdrawn_on=TODAY)
    assert await clinic.get("aftercare", path) == []

    await say(clinic, "ask_return", step_down, **ask)
    (waiting,) = await clinic.get("aftercare", path)
    assert (waiting["return_due_on"], waiting["is_overdue"]) == (days_ago(-2), False)
    again = str(await clinic.admitted())
    await say(clinic, "return_to_care", step_down, returned_on=TODAY, readmitted_as=again)

    assert await clinic.get("aftercare", path) == []
    *_, back = await told(clinic, person, "return_asked", "return_withdrawn", "returned_to_care")
    assert (back["readmitted_as"], back["in_time"]) == (again, True)


async def test_a_year_of_calls_is_listed_where_nobody_makes_them(clinic: Clinic) -> None:
    person = await replayed_person(clinic)
    moment = {"occurred_at": f"{BEGAN}T12:00:00Z", "recorded_at": f"{BEGAN}T12:00:00Z"}
    step_down = await handed_on(clinic, person, **moment, first_visit_on=BEGAN.isoformat())
    await say(clinic, "keep_first_visit", step_down, **moment, visited_on=BEGAN.isoformat())
    await say(
        clinic, "ask_return", step_down, **moment, asked_on=BEGAN.isoformat(), asked_by="staff"
    )
    tried = {"follow_up_day": 7, "channel": "phone", "outcome": "not_reached"}
    await say(
        clinic,
        "attempt_follow_up",
        step_down,
        **moment,
        **tried,
        attempted_on=BEGAN.isoformat(),
    )
    path = f"/v1/sites/{clinic.site_id}/follow-ups-overdue"
    seen = {}
    for days in (9, 10, 17, 33, 63, 93, 183, 273, 363):
        day = BEGAN + timedelta(days=days)
        closed = await clinic.post(
            "aftercare", None, f"/v1/sites/{clinic.site_id}/days/{day}/close"
        )
        assert closed.status_code == 200, closed.text
        seen[days] = [row["follow_up_day"] for row in await clinic.get("aftercare", path)]

    due = (7, 14, 30, 60, 90, 180, 270, 360)
    assert seen == {9: []} | {day + 3: list(due[: n + 1]) for n, day in enumerate(due)}
    first, *_ = await clinic.get("aftercare", path)
    assert (first["due_on"], first["attempts"]) == (str(BEGAN + timedelta(days=7)), 1)
    rest = await clinic.get(
        "aftercare", path, after_due_on=first["due_on"], after=first["step_down_id"]
    )
    assert [row["follow_up_day"] for row in rest] == list(due[1:])
    overdue = await told(clinic, person, "follow_up_overdue")
    assert [e["follow_up_day"] for e in overdue] == list(due)
    (late,) = await told(clinic, person, "return_overdue")
    assert late["see_by"] == str(BEGAN + timedelta(days=2))
    (waiting,) = await clinic.get("aftercare", f"/v1/sites/{clinic.site_id}/returns-waiting")
    assert waiting["is_overdue"]


async def replayed_person(clinic: Clinic) -> UUID:
    """Someone of a site that plays history."""
    answer = await clinic.say(
        "intake",
        "receive_referral",
        site_id=clinic.site_id,
        time_zone="UTC",
        clock="replay",
        occurred_at=f"{BEGAN}T09:00:00Z",
        recorded_at=f"{BEGAN}T09:00:00Z",
    )
    return UUID(answer["subject"])


async def test_two_records_of_one_person_have_one_aftercare(clinic: Clinic) -> None:
    kept, twice = await clinic.admitted(), await clinic.admitted()
    step_down = await handed_on(clinic, twice)
    pair: dict[str, object] = {"admission_id": str(kept), "duplicate_id": str(twice)}
    await clinic.say("intake", "merge_admissions", **pair)

    (moved,) = await told(clinic, kept, "hand_off_moved")
    assert (moved["from_admission_id"], moved["step_down_id"]) == (str(twice), step_down)
    one = await clinic.get("aftercare", f"/v1/step-downs/{step_down}")
    assert one["admission_id"] == str(kept)
    start: dict[str, object] = {
        "admission_id": str(twice),
        "destination": "therapy",
        "receiver": "oak-street",
        "first_visit_on": TODAY,
    }
    assert await refused(clinic, "start_step_down", **start) == (409, "admission_id")
    await say(clinic, "keep_first_visit", step_down, visited_on=TODAY)
    await told(clinic, kept, "first_visit_kept")

    await clinic.say("intake", "unmerge_admissions", **pair)
    (back,) = await told(clinic, twice, "hand_off_moved")
    assert back["from_admission_id"] == str(kept)


async def test_nobody_calls_a_person_who_died(clinic: Clinic) -> None:
    person = await clinic.admitted()
    step_down = await handed_on(clinic, person)
    await clinic.say(
        "intake", "discharge", admission_id=str(person), reason="died", discharged_on=TODAY
    )

    (ended,) = await told(clinic, person, "follow_up_ended")
    assert ended["reason"] == "died"
    one = await clinic.get("aftercare", f"/v1/step-downs/{step_down}")
    assert {f["status"] for f in one["follow_ups"]} == {"called_off"}
