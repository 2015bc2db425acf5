"""A scheduling system speaks SIU, driven from outside: seats are booked, moved, kept and missed."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests import hl7_writer
from tests.hl7_writer import Booking, code, fault, sent, siu
from tests.journeys.clinic import OK, Clinic
from tests.journeys.hl7_system import Records, entered
from tests.parts import until

KINDS = {"GRP": {"session_type": "group", "modality": "cbt"}}
TERMS = {
    "kinds": KINDS,
    "reasons": {"TRANS": "transport"},
    "by_programme": ["STAFF"],
}


@dataclass
class Scheduler:
    """It knows the visit that the programme's own records sent."""

    records: Records
    person: UUID

    @property
    def clinic(self) -> Clinic:
        return self.records.clinic

    def booking(self, *, hours: float) -> Booking:
        starts = datetime.now(UTC).replace(minute=0, second=0) + timedelta(hours=hours)
        return Booking("p-v1", "v1", uuid4().hex[:12], starts)

    async def say(self, event: str, booked: Booking, **more: Any) -> Any:
        """Send by MLLP; the answer."""
        port = self.clinic.system.home.ports()["attendance_mllp"]
        message = siu(event, self.records.names, booked, **more)
        return (await sent(port, message))[0]

    async def said(self, event: str, booked: Booking, **more: Any) -> None:
        """Send, and again until what it is about has come from intake."""

        async def is_taken() -> bool:
            answer = await self.say(event, booked, **more)
            assert code(answer) == "AA" or fault(answer)[1] == "204", answer.to_er7()
            return code(answer) == "AA"

        await until(is_taken, f"{event} is taken")

    async def seats(self) -> list[dict[str, Any]]:
        path = f"/v1/admissions/{self.person}/attendance"
        found = await self.clinic.get("attendance", path)
        return [seat for seat in found if not seat["moved_to"]]


@pytest.fixture
async def scheduler(clinic: Clinic) -> Scheduler:
    records = await entered(clinic)
    wanted = {
        "application": records.names[0],
        "facility": records.names[1],
        "time_zone": "UTC",
        "site_id": clinic.site_id,
        "terms": TERMS,
    }
    path = f"{clinic.url('attendance')}/v1/hl7/senders/{records.source}"
    assert (await clinic.client.put(path, json=wanted)).status_code == OK
    since = datetime.now(UTC) - timedelta(days=30)
    early = datetime.now(UTC) - timedelta(hours=1)
    admit = records.adt("A01", "v1", at=early, pv1_44=hl7_writer.stamp(since))
    assert await records.say(admit) == ["AA"]
    return Scheduler(records, UUID((await records.admission("admitted"))["admission_id"]))


async def test_an_appointment_is_booked_moved_and_called_off_by_either_side(
    scheduler: Scheduler,
) -> None:
    booked = scheduler.booking(hours=50)
    await scheduler.said("S12", booked)
    [seat] = await scheduler.seats()
    assert (seat["status"], seat["session_type"], seat["modality"], seat["planned_minutes"]) == (
        *("scheduled", "group", "cbt", 90),
    )

    later = replace(booked, starts=booked.starts + timedelta(days=2))
    await scheduler.said("S13", later)
    [moved] = await scheduler.seats()
    assert moved["planned_on"] == later.starts.date().isoformat()
    assert moved["session_id"] != seat["session_id"]
    await scheduler.said("S14", later)
    assert await scheduler.seats() == [moved]

    await scheduler.said("S15", later, sch_6="TRANS")
    [off] = await scheduler.seats()
    assert off["status"] == "excused"  # four days' notice

    other = scheduler.booking(hours=3)
    await scheduler.said("S12", other)
    await scheduler.said("S15", other, sch_6="STAFF")
    assert [s["status"] for s in await scheduler.seats()] == ["cancelled_by_program", "excused"]


async def test_who_does_not_come_is_missed_and_a_concern_says_so(scheduler: Scheduler) -> None:
    # One was never booked here: the no-show itself says when it would have been.
    for hours in (-50, -26):
        await scheduler.said("S26", scheduler.booking(hours=hours), sch_6="TRANS")

    assert [(s["status"], s["reason"]) for s in await scheduler.seats()] == [
        ("no_show", "transport")
    ] * 2
    concern = await scheduler.clinic.concern(scheduler.person, level=2, state="open")
    assert concern["kind"] == "misses_within_a_week"


async def test_what_is_said_later_corrects_what_was_said_before(scheduler: Scheduler) -> None:
    booked, now = scheduler.booking(hours=-5), datetime.now(UTC)
    await scheduler.said("S26", booked, at=now - timedelta(minutes=5))
    await scheduler.said("S14", booked, at=now - timedelta(minutes=3), sch_25="Complete")
    # Older than what was applied: answered, kept, and not applied.
    await scheduler.said("S26", booked, at=now - timedelta(minutes=4))

    [seat] = await scheduler.seats()
    assert (seat["status"], seat["minutes"], seat["version"]) == ("attended", 90, 2)
    await scheduler.said("S26", booked, at=now - timedelta(minutes=1))
    assert (await scheduler.seats())[0]["status"] == "no_show"


async def test_what_cannot_be_taken_is_said_by_place(scheduler: Scheduler) -> None:
    await scheduler.said("S12", scheduler.booking(hours=30))
    strange = replace(scheduler.booking(hours=60), service="XRAY")
    stranger = replace(scheduler.booking(hours=60), visit="v9", person="p-9")
    clash = scheduler.booking(hours=30)

    assert fault(await scheduler.say("S12", strange)) == ("AIS^1^3", "103")
    assert fault(await scheduler.say("S26", stranger)) == ("PV1^1^19", "204")
    assert fault(await scheduler.say("S12", clash)) == ("SCH^1^11", "207")
    assert fault(
        await scheduler.say("S12", scheduler.booking(hours=60), at=datetime(2099, 1, 1, tzinfo=UTC))
    ) == ("MSH^1^7", "102")
    assert len(await scheduler.seats()) == 1

    kept = await scheduler.clinic.get("attendance", "/v1/hl7/messages", limit=1000)
    ours = [one for one in kept if one["source"] == scheduler.records.source]
    assert {(one["kind"], one["error"], one["code"]) for one in ours} >= {
        ("SIU^S12", 103, ""),
        ("SIU^S26", 204, ""),
        ("SIU^S12", 207, "double_booked"),
        ("SIU^S12", 102, ""),
    }


async def test_adt_is_taken_by_intake_alone(scheduler: Scheduler) -> None:
    port = scheduler.clinic.system.home.ports()["attendance_mllp"]
    [answer] = await sent(port, scheduler.records.adt("A04", "v2"))

    assert (code(answer), fault(answer)) == ("AR", ("MSH^1^9", "200"))
