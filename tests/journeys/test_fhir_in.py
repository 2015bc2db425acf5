"""A client that nobody here wrote writes appointments and visits, and reads them back."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from fhirpy import AsyncFHIRClient
from fhirpy.base.exceptions import ForbiddenError, OperationOutcome

from tests import hl7_writer
from tests.journeys.clinic import OK, Clinic
from tests.journeys.hl7_system import entered
from tests.parts import until

NUMBERS, PERSONS = "urn:oid:2.999.1", "urn:oid:2.999.2"
KIND = "Appointment"
CAN = "system/Appointment.crus system/Encounter.crus"


@dataclass
class Scheduler:
    """A scheduling system; the programme's own records told of its person by HL7 v2."""

    clinic: Clinic
    name: str
    person: UUID

    async def client(self, scope: str = CAN, name: str | None = None) -> AsyncFHIRClient:
        form = {
            "grant_type": "client_credentials",
            "handrail_role": "system",
            "handrail_programs": "*",
            "scope": scope,
            "client_id": name or self.name,
        }
        url = f"{self.clinic.url('alerts')}/development/token"
        token = (await self.clinic.client.post(url, data=form)).json()["access_token"]
        base = f"{self.clinic.url('attendance')}/fhir/R4"
        return AsyncFHIRClient(base, authorization=f"Bearer {token}")

    def appointment(self, status: str, *, hours: float) -> dict[str, Any]:
        starts_at = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        starts_at += timedelta(hours=hours)
        person = {"type": "Patient", "identifier": {"system": PERSONS, "value": "p-v1"}}
        return {
            "identifier": [{"system": NUMBERS, "value": uuid4().hex}],
            "status": status,
            "start": starts_at.isoformat(),
            "end": (starts_at + timedelta(minutes=90)).isoformat(),
            "participant": [{"actor": person, "status": "accepted"}],
        }


@pytest.fixture
async def scheduler(clinic: Clinic) -> Scheduler:
    records = await entered(clinic)
    wanted = {
        "client": records.source,
        "time_zone": "UTC",
        "site_id": clinic.site_id,
        "terms": {"kind": {"session_type": "group"}, "systems": {PERSONS: "NORTH"}},
    }
    path = f"{clinic.url('attendance')}/v1/hl7/senders/{records.source}"
    assert (await clinic.client.put(path, json=wanted)).status_code == OK
    since = hl7_writer.stamp(datetime.now(UTC) - timedelta(days=30))
    assert await records.say(records.adt("A01", "v1", pv1_44=since)) == ["AA"]
    person = UUID((await records.admission("admitted"))["admission_id"])
    return Scheduler(clinic, records.source, person)


async def test_a_scheduling_system_writes_appointments_and_reads_them_back(
    scheduler: Scheduler,
) -> None:
    client = await scheduler.client()
    booked = client.resource(KIND, **scheduler.appointment("booked", hours=50))

    async def is_taken() -> bool:
        try:
            await booked.save()
        except OperationOutcome as why:
            # Its admission is on its way.
            return why.resource["issue"][0]["code"] != "not-found"
        return True

    await until(is_taken, "the admission is known")
    again = await client.reference("Appointment", booked.id).to_resource()
    assert (again["status"], again["start"][:13]) == ("booked", booked["start"][:13])
    booked["status"] = "cancelled"
    await booked.save()
    again = await client.reference("Appointment", booked.id).to_resource()
    assert again["cancelationReason"]["text"] == "excused"  # two days' notice

    missed = [scheduler.appointment("noshow", hours=hours) for hours in (-50, -26)]
    name = missed[0]["identifier"][0]
    search = client.resources("Appointment").search(identifier=f"{name['system']}|{name['value']}")
    assert (await search.update(client.resource(KIND, **missed[0])))[1]
    assert not (await search.update(client.resource(KIND, **missed[0])))[1]
    request = {"method": "POST", "url": "Appointment"}
    entries = [{"resource": {"resourceType": KIND} | missed[1], "request": request}]
    done = await client.resource("Bundle", type="transaction", entry=entries).save()
    assert done["entry"][0]["response"]["status"] == "201 Created"
    mine = client.resources("Appointment").search(patient=str(scheduler.person))
    assert len(await mine.search(status="noshow").fetch_all()) == 2
    concern = await scheduler.clinic.concern(scheduler.person, level=2, state="open")
    assert concern["kind"] == "misses_within_a_week"


async def test_who_may_not_write_or_is_not_entered_is_told_so(scheduler: Scheduler) -> None:
    made = scheduler.appointment("booked", hours=50)
    for scope, name in (
        ("system/*.read", None),
        ("system/Appointment.c", None),
        ("system/Encounter.cu", None),
        (CAN, "nobody"),
    ):
        client = await scheduler.client(scope, name)
        with pytest.raises(ForbiddenError):
            await client.resource(KIND, **made).save()
    client = await scheduler.client()
    with pytest.raises(OperationOutcome) as told:
        await client.resource(KIND, **made | {"start": "soon"}).save()
    assert told.value.resource["issue"][0]["expression"] == ["Appointment.start"]
    kept = await scheduler.clinic.get("attendance", "/v1/hl7/messages", limit=1000)
    ours = [one for one in kept if one["place"] == "Appointment.start"]
    assert (ours[0]["protocol"], ours[0]["kind"]) == ("fhir", "unreadable")
    said = await client.execute("metadata", method="get")
    appointment = said["rest"][0]["resource"][0]
    codes = {one["code"] for one in appointment["interaction"]}
    assert codes == {"read", "search-type", "create", "update"}
