"""Another hospital's system listens, driven from outside: who is told what, and what is written."""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.ear import Ear, listening
from tests.journeys.clinic import OK, Clinic
from tests.parts import until


@pytest.fixture
def ear() -> Iterator[Ear]:
    with listening(Ear()) as ear:
        yield ear


@pytest.fixture
async def subscriber(clinic: Clinic, ear: Ear) -> AsyncIterator[tuple[str, str]]:
    """A hospital that wants to hear of attendance; its path and secret."""
    path = f"/v1/subscribers/{uuid4()}"
    wanted = {
        "site_id": clinic.site_id,
        "recipient_class": "hospital",
        "recipient": "general",
        "purpose": "treatment",
        "data_classes": ["status", "attendance"],
        "url": ear.address,
    }
    answer = await clinic.client.put(clinic.url("intake") + path, json=wanted)
    assert answer.status_code == OK, answer.text
    yield path, answer.json()["secret"]
    await clinic.client.delete(clinic.url("intake") + path)


async def hears(ear: Ear, secret: str, subject: str, kind: str) -> dict[str, Any]:
    """Wait until this was told of the one whom the subscriber knows by this name."""

    async def came() -> list[dict[str, Any]]:
        return [one for one in about(ear, secret, subject) if one["type"] == kind]

    return (await until(came, f"{kind} at the subscriber"))[0]


def about(ear: Ear, secret: str, subject: str) -> list[dict[str, Any]]:
    return [one for one in ear.verified(secret) if one["data"].get("subject") == subject]


async def name_of(clinic: Clinic, path: str, person: UUID) -> str:
    return str((await clinic.get("intake", f"{path}/subjects/{person}"))["subject"])


async def nothing_waits(clinic: Clinic, person: UUID) -> None:
    """What was said last of this person has been read, and decided."""

    async def is_so() -> bool:
        known = await clinic.get("intake", "/v1/subscribers", site_id=clinic.site_id)
        return not known[0]["waiting"]

    await clinic.concern(person)
    await until(is_so, "nothing waits")


async def test_a_hospital_hears_what_was_consented_to_until_it_is_revoked(
    clinic: Clinic, ear: Ear, subscriber: tuple[str, str]
) -> None:
    path, secret = subscriber
    person, silent, other = [await clinic.admitted(since_days=5) for _ in range(3)]
    own = await name_of(clinic, path, person)
    consent = await clinic.granted(person, "status", "attendance")
    await clinic.missed(silent, 1)
    await clinic.missed(person, 1)
    message = await hears(ear, secret, own, "attendance.session_missed.v1")
    assert message["notice"].startswith("42 CFR part 2 prohibits")
    assert message["consents"][0]["consent_id"] == consent
    assert message["data"]["facts"]["kind"] == "no_show"

    await clinic.say("intake", "put_on_hold", admission_id=str(person), reason="hospital")
    await hears(ear, secret, own, "intake.put_on_hold.v1")
    await clinic.say("intake", "revoke_consent", admission_id=str(person), consent_id=consent)
    told = len(about(ear, secret, own))
    await clinic.say("intake", "resume", admission_id=str(person))
    await clinic.missed(person, 0)
    await clinic.granted(other, "status", "attendance")
    await clinic.missed(other, 1)
    name = await name_of(clinic, path, other)
    await hears(ear, secret, name, "attendance.session_missed.v1")
    await nothing_waits(clinic, silent)

    assert len(about(ear, secret, own)) == told
    assert about(ear, secret, await name_of(clinic, path, silent)) == []
    numbers = [one["data"]["sequence"] for one in ear.verified(secret)]
    assert numbers == list(range(1, len(numbers) + 1))
    everything = "".join(body.decode() for _, body in ear.heard)
    assert not any(str(one) in everything for one in (person, silent, other))


async def test_a_person_is_told_who_heard_what_and_the_ledger_holds(
    clinic: Clinic, ear: Ear, subscriber: tuple[str, str]
) -> None:
    path, secret = subscriber
    person = await clinic.admitted(since_days=5)
    consent = await clinic.granted(person, "status", "attendance")
    await clinic.missed(person, 1)
    name, missed = await name_of(clinic, path, person), "attendance.session_missed.v1"
    await hears(ear, secret, name, missed)
    patient = (await clinic.get("intake", f"/v1/admissions/{person}"))["patient_id"]

    async def written() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await clinic.get(
            "intake", f"/v1/patients/{patient}/disclosures"
        )
        return [row for row in found if row["type"] == missed]

    [row] = await until(written, "the accounting")
    assert (row["what"], row["recipient"], row["purpose"]) == ("delivered", "general", "treatment")
    assert row["consents"][0]["consent_id"] == consent
    verified = clinic.system.handrail("audit", "verify")
    assert (verified.returncode, "rows hold" in verified.stdout) == (0, True)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("http://hospital.example/hook", "address_not_allowed"),
        # The Kafka of a home lets everybody read everything.
        ("kafka:", "kafka_guards_nothing"),
    ],
)
async def test_an_address_that_keeps_nothing_secret_is_refused_by_its_field(
    clinic: Clinic, address: str, why: str
) -> None:
    wanted = {
        "site_id": clinic.site_id,
        "recipient_class": "hospital",
        "recipient": "general",
        "purpose": "treatment",
        "data_classes": ["status"],
        "url": address,
    }
    url = f"{clinic.url('intake')}/v1/subscribers/{uuid4()}"
    answer = await clinic.client.put(url, json=wanted)

    assert answer.status_code == 409
    assert answer.json()["errors"] == [{"field": "url", "code": why}]
