"""What cannot be used is refused with what, where and what to do; nothing repeats it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from operate.home import SERVICES
from tests.journeys.clinic import Clinic, days_ago
from tests.parts import System

CANARY = "Canary Jane Roe 555-0100"
NOW = datetime.now(UTC).isoformat()
NOBODY = str(uuid4())
REFERRAL = {
    "do": "receive_referral",
    "key": "r",
    "occurred_at": NOW,
    "site_id": "north",
    "time_zone": "UTC",
}


@pytest.mark.parametrize(
    ("service", "body", "status", "field"),
    [
        ("intake", REFERRAL | {"time_zone": CANARY}, 409, "time_zone"),
        ("intake", REFERRAL | {"site_id": CANARY}, 422, "body.receive_referral.site_id"),
        ("intake", REFERRAL | {CANARY: 1}, 422, "body.receive_referral.(unknown field)"),
        ("intake", REFERRAL | {"occurred_at": CANARY}, 422, "body.receive_referral.occurred_at"),
        ("intake", {"do": CANARY}, 422, "body"),
        ("intake", CANARY, 422, "body"),
        ("intake", [], 422, "body"),
        ("attendance", {"do": "record_contact", "channel": CANARY}, 422, None),
        ("aftercare", {"do": "accept_step_down", "step_down_id": CANARY}, 422, None),
        ("alerts", {"do": "acknowledge", "concern_id": CANARY}, 422, None),
    ],
)
async def test_a_field_that_cannot_be_used_is_named(
    clinic: Clinic, service: str, body: Any, status: int, field: str | None
) -> None:
    answer = await clinic.post(service, body)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["detail"]
    assert problem["errors"]
    if field:
        assert problem["errors"][0]["field"] == field
    assert CANARY not in answer.text


@pytest.mark.parametrize(
    ("service", "command", "code"),
    [
        ("intake", {"do": "resume", "admission_id": NOBODY}, "admission_unknown"),
        (
            "attendance",
            {"do": "record_contact", "admission_id": NOBODY, "channel": "phone", "reached": True},
            "admission_unknown",
        ),
        ("aftercare", {"do": "accept_step_down", "step_down_id": NOBODY}, "step_down_unknown"),
        ("alerts", {"do": "acknowledge", "concern_id": NOBODY}, "concern_unknown"),
    ],
)
async def test_what_nobody_has_heard_of_is_a_404_that_says_so(
    clinic: Clinic, service: str, command: dict[str, Any], code: str
) -> None:
    answer = await clinic.post(service, command | {"key": "k", "occurred_at": NOW})

    assert answer.status_code == 404
    assert answer.json()["type"] == f"urn:handrail:problem:{code}"


async def test_a_date_far_ahead_is_refused(clinic: Clinic) -> None:
    person = await clinic.admitted()
    await clinic.attended(person, 3)
    ahead = (datetime.now(UTC) + timedelta(days=400)).isoformat()
    body = {"do": "record_contact", "key": "k", "channel": "phone", "reached": True}

    answer = await clinic.post(
        "attendance", body | {"admission_id": str(person), "occurred_at": ahead}
    )

    assert answer.status_code == 409
    assert answer.json()["errors"] == [{"field": "occurred_at", "code": "in_the_future"}]


async def test_one_bad_command_of_many_holds_up_none_of_the_others(clinic: Clinic) -> None:
    person = await clinic.admitted()
    good = {
        "do": "record_contact",
        "occurred_at": NOW,
        "channel": "phone",
        "reached": True,
    }
    batch = [
        good | {"key": "a", "admission_id": str(person)},
        good | {"key": "b", "admission_id": NOBODY},
        good | {"key": "c", "admission_id": str(person)},
        good | {"key": "a", "admission_id": str(person)},
    ]
    await clinic.attended(person, 3)

    answer = await clinic.post("attendance", batch, "/v1/commands")

    results = [(r["key"], r["status"], r["code"]) for r in answer.json()]
    assert results == [
        ("a", "applied", None),
        ("b", "rejected", "admission_unknown"),
        ("c", "applied", None),
        ("a", "duplicate", None),
    ]


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(clinic: Clinic) -> None:
    async def pieces() -> Any:
        for _ in range(6):
            yield b" " * 1024 * 1024

    url = clinic.url("intake") + "/v1/commands"
    whole = await clinic.client.post(url, content=b" " * 5 * 1024 * 1024)
    in_pieces = await clinic.client.post(url, content=pieces())

    assert [whole.status_code, in_pieces.status_code] == [413, 413]


async def test_an_unknown_page_and_a_wrong_method_are_problem_documents(clinic: Clinic) -> None:
    for service in SERVICES:
        missing = await clinic.client.get(clinic.url(service) + "/v1/nothing")
        wrong = await clinic.client.delete(clinic.url(service) + "/v1/command")
        assert [missing.status_code, wrong.status_code] == [404, 405]
        assert missing.headers["content-type"] == "application/problem+json"
        assert wrong.json()["title"]


async def test_every_service_describes_itself(clinic: Clinic) -> None:
    for service in SERVICES:
        described = await clinic.get(service, "/openapi.json")
        assert "/v1/command" in described["paths"]
        assert "/v1/commands" in described["paths"]
        assert (await clinic.client.get(clinic.url(service) + "/health/live")).status_code == 200
        ready = await clinic.client.get(clinic.url(service) + "/health/ready")
        assert ready.json()["ready"] is True


async def test_nothing_of_what_was_sent_is_in_any_log(clinic: Clinic, system: System) -> None:
    person = await clinic.admitted()
    key = "canary-key-77"
    await clinic.post("intake", REFERRAL | {"key": key, "time_zone": CANARY})
    body = {"do": "record_missed", "key": key, "occurred_at": NOW, "kind": CANARY}
    await clinic.post("attendance", body)
    await clinic.post("attendance", [body], "/v1/commands")
    await clinic.missed(person, 1)
    await clinic.client.get(clinic.url("alerts") + "/v1/concerns", params={"site_id": CANARY})
    await clinic.client.get(clinic.url("alerts") + f"/v1/concerns/{CANARY}")

    logs = system.logs()
    assert "service" in logs
    for word in (CANARY, "Canary", "555-0100", key, str(person), "Traceback"):
        assert word not in logs


async def test_a_replayed_moment_is_refused_where_the_wall_clock_rules(clinic: Clinic) -> None:
    person = await clinic.admitted()
    await clinic.attended(person, 3)
    body = {"do": "record_contact", "key": "k", "channel": "phone", "reached": True}

    answer = await clinic.post(
        "attendance",
        body | {"admission_id": str(person), "occurred_at": NOW, "recorded_at": NOW},
    )
    closing = await clinic.post(
        "attendance", {}, f"/v1/sites/{clinic.site_id}/days/{days_ago(1)}/close"
    )

    assert answer.json()["errors"][0]["code"] == "recorded_at_not_allowed"
    assert closing.json()["title"] == "site on wall clock"
