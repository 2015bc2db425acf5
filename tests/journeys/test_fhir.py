"""A FHIR client that nobody here wrote reads what the services say of a person."""

import json
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fhir.resources.R4B import get_fhir_model_class
from fhirpy import AsyncFHIRClient
from fhirpy.base.exceptions import ForbiddenError, ResourceNotFound

from tests.journeys.clinic import Clinic, days_ago
from tests.parts import until

KINDS = {
    "intake": (
        "EpisodeOfCare",
        "CareTeam",
        "Consent",
        "AuditEvent",
        "Subscription",
        "ServiceRequest",
    ),
    "attendance": ("Appointment", "Encounter"),
    "alerts": ("Flag", "Task", "Communication", "RiskAssessment"),
}

TAKEN = {"Appointment", "EpisodeOfCare"}


async def token(clinic: Clinic, role: str, scope: str, programs: str = "*") -> str:
    form = {
        "grant_type": "client_credentials",
        "handrail_role": role,
        "handrail_programs": programs,
        "scope": scope,
    }
    url = f"{clinic.url('alerts')}/development/token"
    answer = await clinic.client.post(url, data=form)
    return f"Bearer {answer.json()['access_token']}"


async def client(
    clinic: Clinic, service: str, role: str, scope: str, programs: str = "*"
) -> AsyncFHIRClient:
    bearer = await token(clinic, role, scope, programs)
    return AsyncFHIRClient(f"{clinic.url(service)}/fhir/R4", authorization=bearer)


async def told(
    clinic: Clinic, kind: str, person: UUID, programs: str = "*", **more: str
) -> list[dict[str, Any]]:
    """What a counsellor finds of a person; each resource is judged by the library."""
    service = next(name for name, kinds in KINDS.items() if kind in kinds)
    asking = await client(clinic, service, "counsellor", "user/*.read", programs)
    found = await asking.resources(kind).search(patient=str(person), **more).fetch_all()
    made = [one.serialize() for one in found]
    for one in made:
        get_fhir_model_class(kind).model_validate_json(json.dumps(one))
    return made


async def test_a_client_reads_a_person_in_all_three_services(clinic: Clinic) -> None:
    person = await clinic.admitted()
    staff = str(uuid4())
    await clinic.say(
        "intake",
        "assign_role",
        admission_id=str(person),
        role="primary_clinician",
        staff_id=staff,
        from_on=days_ago(0),
    )
    await clinic.granted(person, "status")
    await clinic.attended(person, 9)
    await clinic.missed(person, 3)
    await clinic.missed(person, 2)
    concern = await clinic.concern(person)
    await clinic.say(
        "alerts",
        "record_outreach",
        concern_id=concern["concern_id"],
        channel="phone",
        outcome="no_answer",
    )

    [episode] = await told(clinic, "EpisodeOfCare", person)
    [team] = await told(clinic, "CareTeam", person)
    [permit] = await told(clinic, "Consent", person, status="active")
    seats = await told(clinic, "Appointment", person)
    missed = await told(clinic, "Appointment", person, status="noshow", date=days_ago(2))
    [visit] = await told(clinic, "Encounter", person)
    [flag] = await told(clinic, "Flag", person, status="active")
    [task] = await told(clinic, "Task", person)
    [call] = await told(clinic, "Communication", person)

    assert episode["status"] == "active"
    assert team["participant"][0]["member"]["identifier"]["value"] == staff
    assert permit["provision"]["class"][0]["code"] == "status"
    assert sorted(one["status"] for one in seats) == ["fulfilled", "noshow", "noshow"]
    assert len(missed) == 1
    assert visit["length"]["value"] == 180
    assert flag["id"] == concern["concern_id"]
    assert task["status"] == "in-progress"
    assert call["partOf"][0]["reference"] == f"Task/{task['id']}"
    patient = episode["patient"]["identifier"]["value"]
    [same] = await told(clinic, "EpisodeOfCare", UUID(patient))
    assert same["id"] == str(person)


async def test_the_risk_is_read_by_the_care_team_alone(clinic: Clinic) -> None:
    system = await client(clinic, "alerts", "system", "system/*.read")
    team = await client(clinic, "alerts", "supervisor", "user/RiskAssessment.rs")

    with pytest.raises(ForbiddenError, match="role"):
        await system.resources("RiskAssessment").fetch()
    assert isinstance(await team.resources("RiskAssessment").limit(1).fetch(), list)


async def test_another_programme_finds_nobody(clinic: Clinic) -> None:
    person = await clinic.admitted()
    await clinic.missed(person, 3)
    await clinic.missed(person, 2)
    concern = await clinic.concern(person)
    kinds = ("EpisodeOfCare", "CareTeam", "Appointment", "Flag", "Task")

    for kind in kinds:
        assert await told(clinic, kind, person, "iop-evening")
        assert await told(clinic, kind, person, "php-day") == []
        assert await told(clinic, kind, person, "") == []
    elsewhere = await client(clinic, "alerts", "counsellor", "user/*.read", "php-day")
    with pytest.raises(ResourceNotFound):
        await elsewhere.reference("Flag", concern["concern_id"]).to_resource()


async def test_pages_follow_each_other_without_holes_or_repeats(clinic: Clinic) -> None:
    person = await clinic.admitted()
    for day in range(1, 8):
        await clinic.missed(person, day)
    asking = await client(clinic, "attendance", "system", "system/Appointment.read")
    search = asking.resources("Appointment").search(patient=str(person)).limit(3)

    found = [one["id"] async for one in search]

    assert len(found) == len(set(found)) == 7
    assert found == sorted(found)
    first = await search.fetch_raw()
    assert [link["relation"] for link in first["link"]] == ["self", "next"]
    assert len(first["entry"]) == 3


async def test_what_has_not_changed_is_not_sent_again(clinic: Clinic) -> None:
    person = await clinic.admitted()
    url = f"{clinic.url('intake')}/fhir/R4/EpisodeOfCare/{person}"
    headers = {"authorization": await token(clinic, "system", "system/EpisodeOfCare.r")}

    first = await clinic.client.get(url, headers=headers)
    etag = first.headers["etag"]
    again = await clinic.client.get(url, headers=headers | {"if-none-match": etag})
    await clinic.say("intake", "put_on_hold", admission_id=str(person), reason="hospital")
    changed = await clinic.client.get(url, headers=headers | {"if-none-match": etag})

    assert first.headers["content-type"] == "application/fhir+json"
    assert (again.status_code, again.content) == (304, b"")
    assert (changed.status_code, changed.json()["status"]) == (200, "onhold")
    assert changed.headers["etag"] != etag == f'W/"{first.json()["meta"]["versionId"]}"'


@pytest.mark.parametrize(
    ("path", "scope", "status", "code"),
    [
        ("Appointment", None, 401, "login"),
        ("Appointment", "", 403, "forbidden"),
        ("Appointment", "system/Encounter.read", 403, "forbidden"),
        ("Appointment", "user/Appointment.read", 403, "forbidden"),
        ("Appointment", "system/Appointment.r", 403, "forbidden"),
        ("Appointment/x", "system/Appointment.s", 403, "forbidden"),
        ("Appointment/x", "system/Appointment.read", 404, "not-found"),
        ("Appointment?name=Smith", "system/*.read", 400, "invalid"),
        ("Appointment?date=never", "system/*.read", 400, "invalid"),
        ("Appointment?_count=no", "system/*.read", 400, "invalid"),
        ("Patient", "system/*.read", 404, "not-found"),
        ("Appointment/%00", "system/*.read", 404, "not-found"),
    ],
)
async def test_what_is_refused_is_an_outcome(
    clinic: Clinic, path: str, scope: str | None, status: int, code: str
) -> None:
    url = f"{clinic.url('attendance')}/fhir/R4/{path}"
    bearer = {} if scope is None else {"authorization": await token(clinic, "system", scope)}
    answer = await clinic.client.get(url, headers=bearer)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/fhir+json"
    said = answer.json()
    get_fhir_model_class("OperationOutcome").model_validate(said)
    assert said["issue"][0]["code"] == code
    assert "Smith" not in answer.text


async def test_what_can_be_read_and_what_is_taken_is_said(clinic: Clinic) -> None:
    for service, kinds in KINDS.items():
        base = f"{clinic.url(service)}/fhir/R4"
        said = (await clinic.client.get(f"{base}/metadata")).json()
        assert said["fhirVersion"] == "4.0.1"
        assert [one["type"] for one in said["rest"][0]["resource"]] == list(kinds)
        for method in ("POST", "PUT", "DELETE"):
            answer = await clinic.client.request(method, f"{base}/{kinds[0]}", json={})
            is_taken = kinds[0] in TAKEN and method != "DELETE"
            refused = httpx.codes.UNAUTHORIZED if is_taken else httpx.codes.METHOD_NOT_ALLOWED
            assert answer.status_code == refused


async def test_the_ledger_and_subscriptions_are_for_who_looks_after_them(clinic: Clinic) -> None:
    officer = await client(clinic, "intake", "privacy_officer", "user/*.read")
    subscriber = str(uuid4())
    wanted = {
        "site_id": clinic.site_id,
        "recipient_class": "hospital",
        "recipient": "general",
        "purpose": "treatment",
        "data_classes": ["status"],
        "url": "https://hospital.example/hook",
    }
    url = f"{clinic.url('intake')}/v1/subscribers/{subscriber}"
    assert (await clinic.client.put(url, json=wanted)).status_code == 200
    try:
        found = await officer.resources("Subscription").search(_id=subscriber).fetch_all()
        counsellor = await client(clinic, "intake", "counsellor", "user/*.read")
        rows = await officer.resources("AuditEvent").fetch_all()
        with pytest.raises(ForbiddenError, match="role"):
            await counsellor.resources("AuditEvent").fetch()
    finally:
        await clinic.client.delete(url)

    assert [one["status"] for one in found] == ["active"]
    assert "hospital.example" not in json.dumps([one.serialize() for one in found])
    assert any(subscriber in json.dumps(one.serialize()) for one in rows)


async def test_a_risk_stands_for_each_day_that_is_over(clinic: Clinic) -> None:
    day, at = days_ago(3), f"{days_ago(3)}T09:00:00Z"
    then: dict[str, object] = {"occurred_at": at, "recorded_at": at}
    referral = await clinic.say(
        "intake",
        "receive_referral",
        site_id=clinic.site_id,
        time_zone="UTC",
        clock="replay",
        **then,
    )
    person = UUID(referral["subject"])
    await clinic.say(
        "intake",
        "complete_intake",
        admission_id=str(person),
        admitted_on=day,
        program_id="iop-evening",
        weekly_minutes=540,
        sessions_per_week=3,
        **then,
    )
    for service in ("intake", "attendance", "aftercare"):

        async def is_closed(service: str = service) -> bool:
            path = f"/v1/sites/{clinic.site_id}/days/{day}/close"
            return (await clinic.post(service, None, path)).status_code == httpx.codes.OK

        await until(is_closed, f"{service} closes the day")

    async def assessed() -> list[dict[str, Any]]:
        return await told(clinic, "RiskAssessment", person, "iop-evening", date=day)

    [risk] = await until(assessed, "the day is assessed")
    assert risk["occurrenceDateTime"] == day
    assert [0 < one["probabilityDecimal"] < 1 for one in risk["prediction"]] == [True, True]
    assert await told(clinic, "RiskAssessment", person, "php-day") == []
    team = await client(clinic, "alerts", "supervisor", "user/RiskAssessment.r")
    again = await team.reference("RiskAssessment", risk["id"]).to_resource()
    assert again["id"] == risk["id"]
