"""The care team's own work, driven from outside: who has it, until when, and what comes next."""

from datetime import UTC, datetime, timedelta
from typing import Any

from alerts.policy import DEFAULT
from tests.journeys.clinic import Clinic, today

CONFLICT = 409


async def elevated(clinic: Clinic) -> dict[str, Any]:
    """A concern of level 2."""
    person = await clinic.admitted(since_days=5)
    await clinic.missed(person, 1)
    return await clinic.concern(person, level=2)


async def test_a_concern_is_given_to_someone_put_off_tried_and_never_just_clicked_away(
    clinic: Clinic,
) -> None:
    concern = await elevated(clinic)
    which = {"concern_id": concern["concern_id"]}
    assert concern["due_at"] < concern["escalate_at"]
    assert concern["policy_version"] == DEFAULT.version

    await clinic.say("alerts", "assign", **which, role="case_manager", member="m-204")
    later = (datetime.now(UTC) + timedelta(hours=30)).isoformat()
    reason = "next_session_agreed"
    await clinic.say("alerts", "snooze", **which, reason=reason, until=later)
    put_off = await clinic.get("alerts", f"/v1/concerns/{which['concern_id']}")
    assert put_off["assigned_to"] == "m-204"
    assert put_off["snooze_reason"] == reason
    assert datetime.fromisoformat(put_off["due_at"]) == datetime.fromisoformat(later)
    closing = {
        "do": "resolve",
        "key": "too-soon",
        "occurred_at": datetime.now(UTC).isoformat(),
        "ending": "exhausted",
    }
    refused = await clinic.post("alerts", closing | which)
    assert (refused.status_code, refused.json()["title"]) == (CONFLICT, "attempts missing")

    tried = {"channel": "phone", "outcome": "no_answer"}
    await clinic.say("alerts", "record_outreach", **which, **tried)
    found = await clinic.get("alerts", f"/v1/concerns/{which['concern_id']}")
    assert found["next_step"] == "try_another_channel"
    assert found["outreach"][0] == {**tried, "day": today().isoformat(), "party": "person"}


async def test_the_work_is_taken_off_while_absence_is_expected_and_comes_back(
    clinic: Clinic,
) -> None:
    concern = await elevated(clinic)
    person = concern["admission_id"]
    await clinic.say("intake", "put_on_hold", admission_id=person, reason="hospital")
    paused = await clinic.concern(person, paused="hospital")
    assert (paused["due_at"], paused["escalate_at"]) == (None, None)

    await clinic.say("intake", "resume", admission_id=person)
    assert (await clinic.concern(person, paused=None))["due_at"]


async def test_a_site_has_a_policy_of_its_own_from_a_day_on(clinic: Clinic) -> None:
    path = f"{clinic.url('alerts')}/v1/sites/{clinic.site_id}/policies"
    own = {
        "begins_on": (today() - timedelta(days=1)).isoformat(),
        "policy": {"version": "stricter-1", "early_days": 1},
    }
    wrong = await clinic.client.put(path, json=own | {"policy": {"dose_low": 3}})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["field"] == "body.policy.dose_low"
    for _ in range(2):
        assert (await clinic.client.put(path, json=own)).status_code == 200

    person = await clinic.admitted(since_days=5)
    await clinic.missed(person, 1)
    concern = await clinic.concern(person)
    assert (concern["level"], concern["policy_version"]) == (3, "stricter-1")
    assert concern["alerts"] == []
