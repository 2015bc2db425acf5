"""A form is answered, scored, and where it is a safety matter someone hears of it at once."""

from typing import Any

from tests.journeys.clinic import Clinic, days_ago, today
from tests.parts import until

ZEROS = {str(item): 0 for item in range(1, 10)}


async def test_a_thought_of_death_in_a_form_is_a_level_0_alert(clinic: Clinic) -> None:
    person = await clinic.admitted()
    answers = ZEROS | {"1": 3, "2": 3, "9": 1}

    await clinic.say(
        "attendance",
        "record_answers",
        admission_id=str(person),
        instrument="phq_9",
        answers=answers,
    )

    concern = await clinic.concern(person, level=0)
    assert concern["kind"] == "safety_flag"
    [measure] = await clinic.get("attendance", f"/v1/admissions/{person}/measures")
    assert measure["answers"] == answers
    assert measure["scores"] == [{"scale": "phq_9", "score": 7, "band": "mild"}]
    [(_, told)] = [e for e in await clinic.told("attendance", person) if "measure" in e[0]]
    assert (told["instrument"], told["score"], told["safety"]) == ("phq_9", 7, True)
    assert "answers" not in told


async def test_a_form_with_a_wrong_answer_is_refused_by_its_item_and_leaves_nothing(
    clinic: Clinic,
) -> None:
    person = await clinic.admitted()
    await clinic.attended(person, 3)
    body = {
        "do": "record_answers",
        "key": "k",
        "occurred_at": f"{days_ago(1)}T10:00:00Z",
        "admission_id": str(person),
        "instrument": "phq_9",
    }

    answer = await clinic.post("attendance", body | {"answers": ZEROS | {"4": 9}})

    assert answer.status_code == 409
    assert answer.json()["errors"] == [{"field": "answers.4", "code": "answer_out_of_range"}]
    assert await clinic.get("attendance", f"/v1/admissions/{person}/measures") == []


async def test_forms_not_answered_in_time_are_listed_until_they_are(clinic: Clinic) -> None:
    person = await clinic.admitted(since_days=40)
    await clinic.say(
        "attendance",
        "record_answers",
        admission_id=str(person),
        instrument="phq_9",
        answers=ZEROS,
    )

    async def listed() -> list[dict[str, Any]]:
        path = f"/v1/sites/{clinic.site_id}/measures/overdue"
        found: list[dict[str, Any]] = await clinic.get("attendance", path, day=today())
        return found

    overdue = await until(listed, "attendance knows of the admission")

    assert [(o["admission_id"], o["instrument"], o["due_on"]) for o in overdue] == [
        (str(person), "bam_7_day", days_ago(33)),
        (str(person), "gad_7", days_ago(26)),
    ]
