"""What journeys through intake say and hear."""

from typing import Any
from uuid import UUID, uuid4

from tests.journeys.clinic import Clinic, days_ago
from tests.parts import until


async def referred(clinic: Clinic) -> str:
    """Someone sent by an emergency department."""
    answer = await clinic.say(
        "intake",
        "receive_referral",
        site_id=clinic.site_id,
        time_zone="UTC",
        referral_source="emergency_department",
    )
    return str(answer["subject"])


async def refused(clinic: Clinic, do: str, **fields: object) -> tuple[int, str]:
    """The status and the field that a refusal names."""
    body = {"do": do, "key": uuid4().hex, "occurred_at": f"{days_ago(0)}T00:00:00Z"} | fields
    answer = await clinic.post("intake", body)
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["errors"][0]["field"]


async def told(clinic: Clinic, person: str, *names: str) -> list[dict[str, Any]]:
    """The events of these names about the person, as a subscriber reads them."""
    wanted = {f"intake.{name}.v1" for name in names}

    async def all_there() -> list[dict[str, Any]] | None:
        found = [(n, e) for n, e in await clinic.told("intake", UUID(person)) if n in wanted]
        return [e for _, e in found] if {n for n, _ in found} == wanted else None

    return await until(all_there, f"{wanted} on Kafka")
