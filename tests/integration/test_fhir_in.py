"""What other systems write in FHIR: the map, and that it counts once, in order, or not at all."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from handrail.personal.vault import Vault
from operate.home import Home
from operate.parts.postgres import Postgres
from tests.integration.fhir_desk import (
    FhirDesk,
    appointment,
    bundle,
    encounter,
    hearing,
    patient,
)
from tests.integration.kit import pool_of_its_own

NOW = datetime.now(UTC)
REASONS = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"


@pytest.fixture
async def desk(attendance_template: tuple[Postgres, Home], vault: Vault) -> AsyncIterator[FhirDesk]:
    pool = await pool_of_its_own(attendance_template, "attendance")
    async with hearing(pool, vault, 40) as made:
        yield made
    await asyncio.wait_for(pool.close(), 10)


def off(code: str, system: str = REASONS) -> dict[str, Any]:
    return {"cancelationReason": {"coding": [{"system": system, "code": code}]}}


def before(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


# What is said of an appointment `a`, in the order of its coming, and what then is of its seat.
MAP: dict[str, tuple[list[tuple[str, dict[str, Any]]], list[str]]] = {
    "booked": ([("booked", {})], ["scheduled"]),
    "not yet booked": ([("proposed", {}), ("pending", {}), ("waitlist", {})], []),
    "moved": ([("booked", {"at": before(9)}), ("booked", {"hours": 80})], ["scheduled"]),
    "called off in time": ([("booked", {"at": before(9)}), ("cancelled", {})], ["excused"]),
    "called off late": (
        [("booked", {"at": before(9), "hours": 3}), ("cancelled", {"hours": 3})],
        ["late_cancellation"],
    ),
    "called off by the programme": (
        [("booked", {"at": before(9), "hours": 3}), ("cancelled", {"hours": 3} | off("prov-pers"))],
        ["cancelled_by_program"],
    ),
    "called off in the sender's own words": (
        [("booked", {"at": before(9)}), ("cancelled", off("STAFF", "urn:x"))],
        ["cancelled_by_program"],
    ),
    "booked again": (
        [("booked", {"at": before(9)}), ("cancelled", {"at": before(8)}), ("booked", {})],
        ["excused", "scheduled"],
    ),
    "called off and never booked": ([("cancelled", {})], []),
    "missed, never booked before": ([("noshow", {"hours": -3})], ["no_show"]),
    "kept": ([("fulfilled", {"hours": -3})], ["attended"]),
    "arrived, not yet kept": ([("arrived", {"hours": -1})], ["scheduled"]),
    "checked in, not yet kept": ([("checked-in", {"hours": -1})], ["scheduled"]),
    "missed, then kept after all": (
        [("noshow", {"hours": -3, "at": before(9)}), ("fulfilled", {"hours": -3})],
        ["attended"],
    ),
    "older news comes late": (
        [("fulfilled", {"hours": -3}), ("noshow", {"hours": -3, "at": before(9)})],
        ["attended"],
    ),
    "entered in error before": (
        [("booked", {"at": before(9)}), ("entered-in-error", {})],
        ["cancelled_by_program"],
    ),
    "entered in error after": (
        [("noshow", {"hours": -3, "at": before(9)}), ("entered-in-error", {"hours": -3})],
        ["cancelled_by_program"],
    ),
    "missed, then booked: what was recorded stays": (
        [("noshow", {"hours": -3, "at": before(9)}), ("booked", {"hours": -3})],
        ["no_show"],
    ),
}


async def test_an_appointment_is_a_seat(desk: FhirDesk) -> None:
    for person, (case, (said, seats)) in enumerate(MAP.items()):
        for status, more in said:
            answer = await desk.send(appointment(f"a{person}", person, status, **more))
            assert answer[0] in (200, 201), (case, answer)
        assert sorted(await desk.seats(person)) == sorted(seats), case


async def test_an_encounter_says_how_long_whichever_comes_first(desk: FhirDesk) -> None:
    async def minutes(person: int) -> list[tuple[str, int]]:
        rows = await desk.pool.fetch(
            "select status, minutes from seats where admission_id = ('00000000-0000-0000-0000-' ||"
            " lpad(to_hex($1::int), 12, '0'))::uuid",
            person + 1,
        )
        return [tuple(row) for row in rows]

    stay = {"hours": -3, "minutes": 70}
    # Booked, then kept: the minutes are the stay's.
    await desk.send(appointment("a1", 1, "booked", hours=-3, at=before(9)))
    assert (await desk.send(encounter("e1", 1, "finished", booked="a1", **stay)))[0] == 201
    assert await minutes(1) == [("attended", 70)]
    # Fulfilled first, then the stay, also when the stay was said earlier.
    await desk.send(appointment("a2", 2, "fulfilled", hours=-3))
    early = {"meta": {"lastUpdated": before(5).isoformat()}}
    await desk.send(encounter("e2", 2, "finished", booked="a2", **stay, **early))
    assert await minutes(2) == [("attended", 70)]
    # The stay comes before its appointment: it waits, and is tried again.
    status, why = await desk.send(encounter("e3", 3, "finished", booked="a3", **stay))
    assert (status, why["issue"][0]["code"]) == (422, "not-found")
    assert why["issue"][0]["expression"] == ["Encounter.appointment[0]"]
    await desk.send(appointment("a3", 3, "booked", hours=-3, at=before(9)))
    [kept] = await desk.pool.fetch("select message_id from hl7_messages where state = 'kept'")
    assert (await desk.spoken.desk.redrive(kept["message_id"]))["state"] == "applied"
    assert await minutes(3) == [("attended", 70)]
    # An older no-show does not undo a stay, nor is one undone by it.
    await desk.send(appointment("a3", 3, "noshow", hours=-3, at=before(8)))
    assert await minutes(3) == [("attended", 70)]
    # A visit that nobody booked, mended, and taken back.
    await desk.send(encounter("e4", 4, "in-progress", **stay))
    assert await minutes(4) == []
    await desk.send(encounter("e4", 4, "finished", **stay))
    await desk.send(encounter("e4", 4, "finished", hours=-3, minutes=80))
    assert await minutes(4) == [("attended", 80)]
    await desk.send(encounter("e4", 4, "entered-in-error", **stay))
    assert await minutes(4) == [("cancelled_by_program", 0)]
    # Of a booked one somebody has to say anew what became of it.
    await desk.send(encounter("e1", 1, "entered-in-error", booked="a1", **stay))
    assert await minutes(1) == [("scheduled", 0)]
    # Longer than the session, and online.
    await desk.send(appointment("a5", 5, "booked", hours=-3, at=before(9)))
    long = encounter("e5", 5, "finished", booked="a5", hours=-3, minutes=100)
    _, held = await desk.send(long | {"class": {"code": "VR"}})
    assert (held["length"]["value"], held["class"]["code"]) == (90, "VR")


async def test_the_same_again_changes_nothing(desk: FhirDesk) -> None:
    made = appointment("a1", 1, "booked")
    answers = [await desk.send(made) for _ in range(3)]
    at = await desk.client.put("/fhir/R4/Appointment?identifier=urn:oid:2.999.1|a1", json=made)

    assert [status for status, _ in answers] == [201, 200, 200]
    assert answers[0][1] == answers[1][1] == at.json()
    assert await desk.pool.fetchval("select count(*) from outbox") == 1
    # A new moment, the same content: applied, and nothing to be done.
    assert (await desk.send(appointment("a1", 1, "booked")))[0] == 200
    assert await desk.pool.fetchval("select count(*) from outbox") == 1
    stored = await desk.pool.fetch("select h::text from hl7_messages h")
    assert not [row for row in stored if "2.999" in row["h"]]


async def test_a_transaction_is_taken_wholly_or_not_at_all(desk: FhirDesk) -> None:
    good = appointment("a1", 1, "booked", hours=-3, at=before(9))
    stay = encounter("e1", 1, "finished", hours=-3, minutes=60, booked="a1")
    clash = appointment("a2", 1, "booked", hours=-3)

    status, why = await desk.send(bundle("transaction", stay, good, clash), "")
    assert (status, why["issue"][0]["details"]["text"]) == (422, "double_booked")
    assert why["issue"][0]["expression"] == ["Bundle.entry[2].resource.start"]
    assert await desk.seats(1) == []
    status, done = await desk.send(bundle("transaction", stay, good), "")
    assert [one["response"]["status"] for one in done["entry"]] == ["201 Created"] * 2
    assert await desk.seats(1) == ["attended"]
    kept = await desk.pool.fetch("select kind, place, code from hl7_messages where state = 'kept'")
    assert [tuple(row) for row in kept] == [
        ("Bundle", "Bundle.entry[2].resource.start", "double_booked")
    ]


async def test_a_batch_is_taken_one_by_one(desk: FhirDesk) -> None:
    bad = appointment("a2", 2, "booked") | {"start": "soon"}
    stranger = appointment("a3", 99, "booked")
    made = bundle("batch", appointment("a1", 1, "booked"), bad, stranger)
    _, done = await desk.send(made, "")

    assert [one["response"]["status"][:3] for one in done["entry"]] == ["201", "400", "422"]
    places = [one["response"]["outcome"]["issue"][0]["expression"] for one in done["entry"][1:]]
    assert places == [["Bundle.entry[1].resource.start"], ["Bundle.entry[2].resource.participant"]]
    assert await desk.seats(1) == ["scheduled"]


async def test_a_message_with_its_patient_beside_is_answered_by_a_message(desk: FhirDesk) -> None:
    head = {
        "resourceType": "MessageHeader",
        "id": "m1",
        "eventUri": "urn:x:booked",
        "source": {"endpoint": "urn:x"},
    }
    person = {"resourceType": "Patient", "identifier": [patient(1)["identifier"]]}
    booked = appointment("a1", 1, "booked")
    booked["participant"] = [{"actor": {"reference": "urn:uuid:p"}, "status": "accepted"}]
    made = {
        "resourceType": "Bundle",
        "type": "message",
        "identifier": {"system": "urn:x", "value": "1"},
        "entry": [
            {"fullUrl": "urn:uuid:h", "resource": head},
            {"fullUrl": "urn:uuid:p", "resource": person},
            {"fullUrl": "urn:uuid:a", "resource": booked},
        ],
    }
    status, reply = await desk.send(made, "")
    assert (status, reply["entry"][0]["resource"]["response"]["identifier"]) == (200, "m1")
    assert await desk.seats(1) == ["scheduled"]

    made["entry"][2]["resource"] = booked | {"status": "cancelled"}
    status, why = await desk.send(made, "")
    assert (status, why["issue"][0]["code"]) == (409, "duplicate")


# What is wrong with an Appointment; the answer's status, the place, and the code of the issue.
WRONG: list[tuple[dict[str, Any], int, str, str]] = [
    ({"participant": []}, 400, "Appointment.participant", "required"),
    ({"participant": [{"actor": patient(1), "status": "accepted"}] * 2}, 400, "Appointment.participant", "code-invalid"),
    ({"start": None}, 422, "Appointment.start", "required"),
    ({"end": None}, 422, "Appointment.end", "required"),
    ({"status": "gone"}, 422, "Appointment.status", "code-invalid"),
    ({"Quill": 1}, 400, "Appointment", "value"),
    ({"identifier": [{"Quill": 1}]}, 400, "Appointment.identifier[0]", "value"),
    ({"identifier": []}, 400, "Appointment.identifier", "required"),
    ({"minutesDuration": "Quill"}, 400, "Appointment.minutesDuration", "value"),
    ({"minutesDuration": 9999}, 422, "Appointment.end", "code-invalid"),
    ({"meta": {"lastUpdated": "2099-01-01T00:00:00Z"}}, 422, "Appointment.meta.lastUpdated", "value"),
    ({"meta": {"lastUpdated": "2026-11-02T23:59:60Z"}}, 400, "Appointment.meta.lastUpdated", "value"),
    ({"resourceType": "Quill"}, 400, "resourceType", "code-invalid"),
]  # fmt: skip


async def test_what_cannot_be_taken_is_said_by_place_and_kept(desk: FhirDesk) -> None:
    for more, status, place, code in WRONG:
        whole = appointment("a1", 1, "booked") | more
        made = {name: value for name, value in whole.items() if value is not None}
        told, why = await desk.send(made, "/Appointment")

        issue = why["issue"][0]
        assert (told, issue["expression"], issue["code"]) == (status, [place], code)
        assert "Quill" not in str(why)
        assert "2.999" not in str(why)
        last = "select message_id, place from hl7_messages order by heard_at desc limit 1"
        kept = await desk.pool.fetchrow(last)
        assert kept["place"] == place
        raw, media_type = await desk.spoken.desk.content(kept["message_id"])
        assert orjson.loads(raw) == orjson.loads(orjson.dumps(made))
        assert media_type == "application/fhir+json"
    count = await desk.pool.fetchval("select count(*) from hl7_messages where state = 'kept'")
    assert count == len(WRONG)
    assert await desk.pool.fetchval("select count(*) from outbox") == 0
