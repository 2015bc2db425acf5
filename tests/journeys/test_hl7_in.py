"""Another system speaks HL7 v2, driven from outside by MLLP and HTTP with a library of its own."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests import hl7_writer
from tests.hl7_writer import adt, code, fault, sent
from tests.journeys.clinic import OK, Clinic
from tests.journeys.hl7_system import PLACE, Records, entered
from tests.journeys.test_fhir import token


@pytest.fixture
async def records(clinic: Clinic) -> Records:
    return await entered(clinic)


async def test_a_visit_from_the_register_to_an_end_that_is_taken_back(records: Records) -> None:
    # An hour ago, which may be yesterday: nobody leaves before they came.
    began = datetime.now(UTC) - timedelta(minutes=60)

    def said(event: str, minutes: int, **more: Any) -> Any:
        return records.adt(event, "v1", at=began + timedelta(minutes=minutes), **more)

    assert await records.say(said("A04", 0, pv1_14="7")) == ["AA"]
    referred = await records.admission("referred")
    assert referred["referral_source"] == "emergency_department"

    assert await records.say(said("A01", 1, pv1_44=hl7_writer.stamp(began))) == ["AA"]
    admitted = await records.admission("admitted")
    assert admitted["admission_id"] == referred["admission_id"]
    came_on = began.date().isoformat()
    assert (admitted["program_id"], admitted["admitted_on"]) == ("iop-day", came_on)

    assert await records.say(said("A08", 2, pv1_3="EVE^1")) == ["AA"]
    assert (await records.admission("admitted"))["program_id"] == "iop-evening"
    assert await records.say(said("A21", 3)) == ["AA"]
    assert (await records.admission("on_hold"))["hold_reason"] == "leave"
    assert await records.say(said("A03", 4, pv1_36="07")) == ["AA"]
    assert (await records.admission("discharged"))["ended_for"] == "dropped_out"
    assert await records.say(said("A13", 5)) == ["AA"]
    assert (await records.admission("on_hold"))["ended_for"] is None
    assert await records.say(said("A22", 6), said("A11", 7)) == ["AA", "AA"]
    again = await records.admission("referred")
    assert again["admission_id"] == referred["admission_id"]

    told = await records.clinic.told("intake", UUID(referred["admission_id"]))
    assert [name.split(".")[1] for name, _ in told] == [
        *("referral_received", "intake_completed", "transferred", "put_on_hold", "discharged"),
        *("discharge_undone", "resumed", "admission_undone"),
    ]
    assert "Quill" not in records.clinic.system.logs()


async def test_an_end_taken_back_is_watched_again_and_an_admission_taken_back_is_not(
    records: Records,
) -> None:
    clinic, now = records.clinic, datetime.now(UTC)
    early = hl7_writer.stamp(now - timedelta(days=20))
    times = [now - timedelta(minutes=m) for m in (9, 8, 7)]
    assert await records.say(records.adt("A01", "v1", at=times[0], pv1_44=early)) == ["AA"]
    person = UUID((await records.admission("admitted"))["admission_id"])
    assert await records.say(records.adt("A03", "v1", at=times[1], pv1_36="01")) == ["AA"]
    assert await records.say(records.adt("A13", "v1", at=times[2])) == ["AA"]

    await clinic.missed(person, 3)
    await clinic.missed(person, 1)
    await clinic.concern(person, level=2, state="open")

    last = datetime.now(UTC) + timedelta(seconds=2)
    assert await records.say(records.adt("A11", "v1", at=last)) == ["AA"]
    assert (await clinic.concern(person, state="closed"))["ending"] == "discharged"


async def test_a_repeat_changes_nothing_and_an_older_message_is_kept_and_not_applied(
    records: Records,
) -> None:
    now = datetime.now(UTC)
    first = records.adt("A01", "v1", at=now - timedelta(minutes=9))
    late = records.adt("A21", "v1", at=now - timedelta(minutes=5))
    newer = records.adt("A22", "v1", at=now - timedelta(minutes=3))

    assert await records.say(first, first, newer, late, late) == ["AA"] * 5

    admission = await records.admission("admitted")
    told = await records.clinic.told("intake", UUID(admission["admission_id"]))
    assert [name.split(".")[1] for name, _ in told] == ["referral_received", "intake_completed"]


async def test_what_came_too_early_is_applied_when_its_visit_is_known(records: Records) -> None:
    now = datetime.now(UTC)
    end = records.adt("A03", "v1", at=now - timedelta(minutes=1), pv1_36="20")

    assert await records.say(end) == ["AE"]
    [kept] = await records.kept()
    assert (kept["error"], kept["place"]) == (204, "PV1-19")
    assert await records.say(records.adt("A01", "v1", at=now - timedelta(minutes=2))) == ["AA"]

    assert (await records.admission("discharged"))["ended_for"] == "died"
    assert await records.kept() == []


async def test_two_numbers_of_one_person_become_one(records: Records) -> None:
    await records.say(records.adt("A01", "v1"), records.adt("A01", "v2"))

    merge = adt("A40", records.names, person="p-v1", mrg_1="p-v2^^^NORTH^MR")
    assert await records.say(merge) == ["AA"]

    survivor, duplicate = await records.admission("admitted"), await records.admission("merged")
    assert duplicate["merged_into"] == survivor["admission_id"]
    assert duplicate["patient_id"] == survivor["patient_id"]


async def test_a_refusal_names_its_place_and_is_reviewed_driven_again_or_dropped(
    clinic: Clinic,
) -> None:
    records = await entered(clinic, terms={})
    port = clinic.system.home.ports()["intake_mllp"]
    [answer] = await sent(port, records.adt("A01", "v1"))

    assert (code(answer), fault(answer)) == ("AE", ("PV1^1^3", "103"))
    assert "Canary" not in answer.to_er7()
    assert "p-v1" not in answer.to_er7()
    [kept] = await records.kept()
    path = f"/v1/hl7/messages/{kept['message_id']}"
    content = await clinic.client.get(f"{clinic.url('intake')}{path}/content")
    assert "Canary^Quill" in content.text
    found = await clinic.get("intake", "/v1/admissions", site_id=clinic.site_id)
    assert found == []  # the referral that it would have opened went with it

    wanted = {
        "application": records.names[0],
        "facility": records.names[1],
        "time_zone": "UTC",
        "site_id": clinic.site_id,
        "terms": {"place": PLACE},
    }
    sender = f"{clinic.url('intake')}/v1/hl7/senders/{records.source}"
    assert (await clinic.client.put(sender, json=wanted)).status_code == OK
    # Whoever drives it again sees nothing of it, and need not be of its programme.
    headers = {"authorization": await token(clinic, "operator", "", "php-day")}
    driven = await clinic.client.post(f"{clinic.url('intake')}{path}/redrive", headers=headers)
    assert driven.json()["state"] == "applied"
    await records.admission("admitted")

    await records.say(records.adt("A03", "v9"))
    [other] = await records.kept()
    gone = await clinic.client.delete(
        f"{clinic.url('intake')}/v1/hl7/messages/{other['message_id']}"
    )
    assert gone.status_code == OK
    assert await records.kept() == []


async def test_a_hospital_pauses_whom_it_takes_in_and_is_never_told_who_is_known(
    clinic: Clinic,
) -> None:
    hospital = await entered(clinic, is_outside=True)
    person = await clinic.admitted()
    chart = await clinic.get("intake", f"/v1/admissions/{person}")
    roster = {"number": "h-1", "authority": "NORTH", "patient_id": chart["patient_id"]}
    path = f"{clinic.url('intake')}/v1/hl7/senders/{hospital.source}/persons"
    assert (await clinic.client.put(path, json=roster)).status_code == OK
    stranger = hospital.adt("A01", "x", person="h-2")

    now = datetime.now(UTC)
    goes_in = hospital.adt("A01", "x", person="h-1", at=now - timedelta(minutes=2))
    assert await hospital.say(goes_in, stranger) == ["AA", "AA"]
    assert (await hospital.admission("on_hold"))["hold_reason"] == "hospital"
    assert await hospital.say(hospital.adt("A03", "x", person="h-1")) == ["AA"]
    await hospital.admission("admitted")
    assert await hospital.say(hospital.adt("A40", "", person="h-1", mrg_1="h-3")) == ["AA"]


async def test_by_http_the_answer_is_the_same_acknowledgement(records: Records) -> None:
    url = f"{records.clinic.url('intake')}/v1/hl7/messages"
    headers = {"content-type": "application/hl7-v2"}

    async def posted(message: Any) -> tuple[int, str]:
        raw = message if isinstance(message, bytes) else message.to_er7().encode()
        answer = await records.clinic.client.post(url, content=raw, headers=headers)
        return answer.status_code, code(hl7_writer.read(answer.content))

    assert await posted(records.adt("A04", "v1")) == (200, "AA")
    assert await posted(records.adt("A03", "v7")) == (422, "AE")
    assert await posted(adt("A04", ("NOBODY", "HERE"), person="p", visit="v")) == (400, "AR")
    assert await posted(b"no message") == (400, "AR")


async def test_what_is_no_block_or_too_large_is_answered_and_cut_off(clinic: Clinic) -> None:
    port = clinic.system.home.ports()["intake_mllp"]
    for bytes_ in (b"MSH|no block\x1c\r", b"\x0bMSH|" + b"x" * (1024 * 1024 + 10) + b"\x1c\r"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(bytes_)
        block = await asyncio.wait_for(reader.readuntil(b"\x1c\r"), 20)
        assert code(hl7_writer.read(block[1:-2])) == "AR"
        assert await asyncio.wait_for(reader.read(), 20) == b""
        writer.close()
