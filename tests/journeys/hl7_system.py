"""Another system that speaks HL7 v2, as journeys meet it."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.hl7_writer import adt, code, sent
from tests.journeys.clinic import OK, Clinic
from tests.parts import until

PLACE = {"program_id": "iop-day", "weekly_minutes": 540, "sessions_per_week": 3}


@dataclass
class Records:
    """The programme's own records, which send ADT."""

    clinic: Clinic
    names: tuple[str, str]
    source: str

    async def say(self, *messages: Any) -> list[str]:
        """Send by MLLP; the codes of the answers."""
        port = self.clinic.system.home.ports()["intake_mllp"]
        return [code(answer) for answer in await sent(port, *messages)]

    def adt(self, event: str, visit: str, **more: Any) -> Any:
        return adt(event, self.names, visit=visit, **{"person": f"p-{visit}"} | more)

    async def admission(self, status: str) -> dict[str, Any]:
        """Wait until the one admission of this site is like this."""

        async def is_so() -> dict[str, Any] | None:
            found = await self.clinic.get("intake", "/v1/admissions", site_id=self.clinic.site_id)
            there = [one for one in found if one["status"] == status]
            return there[0] if there else None

        return await until(is_so, f"an admission that is {status}")

    async def kept(self) -> list[dict[str, Any]]:
        found = await self.clinic.get("intake", "/v1/hl7/messages", limit=1000)
        return [one for one in found if one["source"] == self.source]


async def entered(clinic: Clinic, **more: object) -> Records:
    source, names = f"ehr-{uuid4().hex[:8]}", (f"EHR{uuid4().hex[:6]}", "NORTH")
    terms = {"place": PLACE, "units": {"EVE": PLACE | {"program_id": "iop-evening"}}}
    wanted = {
        "application": names[0],
        "facility": names[1],
        "site_id": clinic.site_id,
        "time_zone": "UTC",
        "terms": terms,
    }
    path = f"{clinic.url('intake')}/v1/hl7/senders/{source}"
    answer = await clinic.client.put(path, json=wanted | more)
    assert answer.status_code == OK, answer.text
    return Records(clinic, names, source)
