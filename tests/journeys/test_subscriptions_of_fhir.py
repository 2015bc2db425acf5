"""A hospital subscribes by FHIR with a client nobody here wrote, and hears what was consented to."""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from fhir.resources.R4B.appointment import Appointment
from fhir.resources.R4B.bundle import Bundle
from fhirpy import AsyncFHIRClient
from fhirpy.base.exceptions import ForbiddenError, OperationOutcome, ResourceNotFound

from tests.ear import Ear, listening
from tests.journeys.clinic import OK, Clinic
from tests.parts import until

GUIDE = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
TOPIC = "urn:handrail:subscription-topic:session-missed"
ALL = "system/Subscription.cruds"


@pytest.fixture
def ear() -> Iterator[Ear]:
    with listening(Ear()) as ear:
        yield ear


@pytest.fixture
async def registered(clinic: Clinic, ear: Ear) -> AsyncIterator[str]:
    """A hospital that the privacy officer entered; its identifier."""
    subscriber = str(uuid4())
    url = f"{clinic.url('intake')}/v1/subscribers/{subscriber}"
    wanted = {
        "site_id": clinic.site_id,
        "recipient_class": "hospital",
        "recipient": "general",
        "purpose": "treatment",
        "data_classes": ["status", "attendance"],
        "url": f"fhir+{ear.address}",
    }
    assert (await clinic.client.put(url, json=wanted)).status_code == OK
    yield subscriber
    await clinic.client.delete(url)


async def client(clinic: Clinic, registered: str, scope: str = ALL) -> AsyncFHIRClient:
    form = {
        "grant_type": "client_credentials",
        "handrail_role": "subscriber",
        # Consents decide, whatever the programme.
        "handrail_programs": "none-of-ours",
        "client_id": registered,
        "scope": scope,
    }
    answer = await clinic.client.post(f"{clinic.url('alerts')}/development/token", data=form)
    bearer = f"Bearer {answer.json()['access_token']}"
    return AsyncFHIRClient(f"{clinic.url('intake')}/fhir/R4", authorization=bearer)


def wanted(asking: AsyncFHIRClient, ear: Ear, content: str = "id-only") -> Any:
    """A Subscription to sessions missed."""
    return asking.resource(
        "Subscription",
        status="requested",
        reason="our patients in your programme",
        criteria=TOPIC,
        channel={
            "type": "rest-hook",
            "endpoint": ear.address,
            "payload": "application/fhir+json",
            "_payload": {
                "extension": [{"url": f"{GUIDE}/backport-payload-content", "valueCode": content}]
            },
            "header": ["Authorization: Bearer of-the-hospital"],
        },
    )


def heard(ear: Ear) -> list[dict[str, Any]]:
    """The status that begins each notification, by the names of its parameters."""
    bundles = [Bundle.model_validate_json(body) for _, body in ear.heard]
    return [{one.name: one for one in b.entry[0].resource.parameter} for b in bundles]


def events_of(status: dict[str, Any]) -> list[str]:
    """What each event of a notification names, besides its number and time."""
    event = status.get("notification-event")
    parts = event.part if event else []
    return [one.valueReference.identifier.value for one in parts if one.valueReference]


async def test_a_hospital_subscribes_hears_asks_again_and_ends_it(
    clinic: Clinic, ear: Ear, registered: str
) -> None:
    asking = await client(clinic, registered)
    person, silent = [await clinic.admitted(since_days=5) for _ in range(2)]
    consent = await clinic.granted(person, "attendance")
    made = wanted(asking, ear)
    await made.save()
    assert made["status"] == "requested"
    assert "header" not in made["channel"]

    async def is_active() -> bool:
        found = await asking.reference("Subscription", made["id"]).to_resource()
        return bool(found["status"] == "active")

    await until(is_active, "the handshake is answered")
    await clinic.missed(silent, 1)
    await clinic.missed(person, 1)

    async def told() -> list[dict[str, Any]]:
        return [one for one in heard(ear) if "notification-event" in one]

    [event] = await until(told, "the missed session at the hospital")
    own = await clinic.get("intake", f"/v1/subscribers/{registered}/subjects/{person}")
    assert own["subject"] in events_of(event)
    assert consent in events_of(event)
    assert ear.heard[0][0]["authorization"] == "Bearer of-the-hospital"
    assert str(person) not in "".join(body.decode() for _, body in ear.heard)

    seats = await read(clinic, registered, event)
    assert [one["status"] for one in seats] == ["noshow"]
    path = f"Subscription/{made['id']}"
    status = await asking.execute(f"{path}/$status", method="get")
    [entry] = Bundle.model_validate(status).entry
    assert {one.name: one for one in entry.resource.parameter}["status"].valueCode == "active"
    again = await asking.execute(f"{path}/$events", method="get", params={"eventsSinceNumber": "1"})
    assert len(numbers(again)) == 1
    await clinic.say("intake", "revoke_consent", admission_id=str(person), consent_id=consent)
    asked = {"name": "eventsSinceNumber", "valueString": "1"}
    body = {"resourceType": "Parameters", "parameter": [asked]}
    assert numbers(await asking.execute(f"{path}/$events", data=body)) == []
    await is_accounted_for(clinic, person)

    await made.delete()
    with pytest.raises(ResourceNotFound):
        await asking.reference("Subscription", made["id"]).to_resource()


def numbers(answer: Any) -> list[str]:
    bundle = Bundle.model_validate(answer)
    events = [one for one in bundle.entry[0].resource.parameter if one.part]
    return [event.part[0].valueString for event in events]


async def read(clinic: Clinic, registered: str, event: dict[str, Any]) -> list[dict[str, Any]]:
    """What the notification's focus stands for."""
    reader = await client(clinic, registered, "system/Appointment.r")
    headers = {"authorization": reader.authorization}
    references = [one.valueReference for one in event["notification-event"].part]
    seats = [one.reference for one in references if one and one.type == "Appointment"]
    answers = [await clinic.client.get(one, headers=headers) for one in seats]
    return [Appointment.model_validate(one.json()).model_dump() for one in answers]


async def is_accounted_for(clinic: Clinic, person: UUID) -> None:
    """The person's accounting has what was sent and what was asked for, which may be meanwhile."""
    patient = (await clinic.get("intake", f"/v1/admissions/{person}"))["patient_id"]

    async def accounted() -> bool:
        rows = await clinic.get("intake", f"/v1/patients/{patient}/disclosures")
        return sorted(row.get("asked", "") for row in rows) == ["", "$events", "Appointment"]

    await until(accounted, "all three are in the accounting")


async def test_what_a_subscriber_may_not_ask_for_is_refused_as_an_outcome(
    clinic: Clinic, ear: Ear, registered: str
) -> None:
    asking = await client(clinic, registered)
    with pytest.raises(OperationOutcome, match="content not allowed"):
        await wanted(asking, ear, "full-resource").save()
    reading = await client(clinic, registered, "system/Subscription.read")
    with pytest.raises(ForbiddenError, match="scope"):
        await wanted(reading, ear).save()
    stranger = await client(clinic, str(uuid4()))
    with pytest.raises(ResourceNotFound, match="registration unknown"):
        await wanted(stranger, ear).save()
    mine = wanted(asking, ear)
    await mine.save()
    with pytest.raises(ResourceNotFound):
        await stranger.execute(f"Subscription/{mine['id']}/$events", method="get")
    assert await stranger.resources("Subscription").fetch_all() == []


async def test_what_can_be_subscribed_to_is_said(clinic: Clinic) -> None:
    said = (await clinic.client.get(f"{clinic.url('intake')}/fhir/R4/metadata")).json()
    [about] = [one for one in said["rest"][0]["resource"] if one["type"] == "Subscription"]

    assert TOPIC in [one["valueCanonical"] for one in about["extension"]]
    assert [one["name"] for one in about["operation"]] == ["status", "events"]
    assert {one["code"] for one in about["interaction"]} == {
        *("read", "search-type", "create", "update", "delete")
    }
