"""Kafka, PostgreSQL or a service dies: a clear line, and it goes on when they are back."""

import asyncio
from uuid import UUID

import httpx
import pytest

from operate.home import SERVICES
from tests.journeys.clinic import Clinic, days_ago
from tests.parts import System, until


async def is_well(system: System) -> bool:
    return system.handrail("status").returncode == 0


@pytest.mark.parametrize("part", ["kafka", "postgres"])
async def test_no_miss_is_lost_while_a_part_is_away(
    clinic: Clinic, system: System, part: str
) -> None:
    asking = asyncio.create_task(ask_how_it_stands(clinic))
    person = await second_miss_while_away(clinic, system, part)

    assert len(await clinic.get("attendance", f"/v1/admissions/{person}/attendance")) == 2
    told = [name for name, _ in await clinic.told("attendance", person)]
    assert told.count("attendance.session_missed.v1") >= 2
    assert f"{part} was ended by signal 9" in system.home.log("supervisor").read_text()
    await until(lambda: is_well(system), "all is well again", 60)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert "Traceback" not in system.logs()


@pytest.mark.parametrize("service", SERVICES)
async def test_no_miss_is_lost_while_a_service_is_away(
    clinic: Clinic, system: System, service: str
) -> None:
    await second_miss_while_away(clinic, system, service)

    await until(lambda: is_well(system), "all is well again", 60)


async def second_miss_while_away(clinic: Clinic, system: System, name: str) -> UUID:
    """Someone whose second miss comes while this part or service is dead, and raises the alert."""
    person = await clinic.admitted()
    await clinic.missed(person, 4)
    await clinic.known_to_alerts(person)

    system.kill(name)
    await report_miss_until_taken(clinic, person)

    await clinic.concern(person, level=2, state="open")
    return person


async def ask_how_it_stands(clinic: Clinic) -> None:
    """Ask every service for ever, as a monitor does. Fails where one makes a mistake of its own."""
    while True:
        for service in SERVICES:
            answer = await clinic.client.get(clinic.url(service) + "/status")
            assert answer.status_code in (200, 503), answer.text


async def report_miss_until_taken(clinic: Clinic, person: UUID) -> None:
    """Send the same miss until it is taken, as a hospital's system would."""
    group = {"session_type": "group", "planned_on": days_ago(2), "planned_minutes": 180}
    body = {
        "do": "record_missed",
        "key": "again-and-again",
        "source": clinic.site_id,
        "occurred_at": f"{days_ago(2)}T18:00:00Z",
        "admission_id": str(person),
        "session": group,
        "kind": "no_show",
    }

    async def is_taken() -> bool:
        try:
            answer = await clinic.post("attendance", body)
        except httpx.TransportError:
            return False
        if answer.status_code == 503:
            assert answer.headers["retry-after"]
            assert answer.json()["title"] == "not ready"
        else:
            assert answer.status_code == 200, answer.text
        return answer.status_code == 200

    await until(is_taken, "the miss is taken", 60)
