"""A sender speaks of a stay of another site: it is answered as if nobody knew that stay."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import hl7
import pytest

from attendance.sources import siu
from handrail.desk.letter import Letter
from handrail.fhir.asked import ADMISSION
from handrail.hl7.dialect import Hl7, Part
from handrail.personal.vault import Vault
from operate.home import Home
from operate.parts.postgres import Postgres
from tests import hl7_writer
from tests.integration.fhir_desk import (
    FhirDesk,
    appointment,
    encounter,
    hearing,
    of_a_stay,
    patient,
)
from tests.integration.kit import pool_of_its_own

REFUSED, MADE, CHANGED = 422, 201, 200
HERE, ELSEWHERE, NOBODY = 0, 1, 2
# Of NOBODY intake says a stay that attendance has not heard of; of any other number, nothing.
MEANT = {HERE: UUID(int=1), ELSEWHERE: UUID(int=2), NOBODY: UUID(int=99)}
MOVE = "update admissions set site_id = $2 where admission_id = $1"
STAY = "select site_id, status from admissions order by referred_at, site_id"


@pytest.fixture
async def seats(
    attendance_template: tuple[Postgres, Home], vault: Vault
) -> AsyncIterator[FhirDesk]:
    """Two people in care, the second of another site."""
    pool = await pool_of_its_own(attendance_template, "attendance")
    async with hearing(pool, vault, 2) as made:
        await pool.execute(MOVE, MEANT[ELSEWHERE], "south")
        yield made
    await asyncio.wait_for(pool.close(), 10)


def said_of_a_seat(number: str, whom: dict[str, Any]) -> list[dict[str, Any]]:
    """All that may be said of it first."""
    participant = [{"actor": whom | {"type": "Patient"}, "status": "accepted"}]
    told = [("booked", 50.0), ("noshow", -3.0), ("fulfilled", -5.0), ("cancelled", 60.0)]
    return [
        appointment(f"{number}{status}", 0, status, hours=hours, participant=participant)
        for status, hours in told
    ] + [encounter(f"{number}visit", 0, "finished", hours=-8, minutes=90, subject=whom)]


def by_our_name(admission_id: UUID) -> dict[str, Any]:
    return {"identifier": {"system": ADMISSION, "value": str(admission_id)}}


@pytest.mark.parametrize("by", ["our identifier", "the sender's number"])
async def test_a_seat_of_anothers_stay_is_refused_as_one_of_a_stay_nobody_knows(
    seats: FhirDesk, by: str
) -> None:
    async def answers(person: int) -> list[tuple[int, dict[str, Any]]]:
        whom = by_our_name(MEANT[person]) if by == "our identifier" else patient(person)
        return [await seats.send(one) for one in said_of_a_seat(f"{person}", whom)]

    elsewhere = await answers(ELSEWHERE)
    assert {status for status, _ in elsewhere} == {REFUSED}
    assert elsewhere == await answers(NOBODY)
    assert await seats.pool.fetchval("select count(*) from sessions") == 0

    assert [status for status, _ in await answers(HERE)] == [MADE] * 3 + [CHANGED, MADE]


async def test_an_siu_about_anothers_stay_is_refused_as_one_that_nobody_knows(
    seats: FhirDesk,
) -> None:
    async def meant(letter: Letter) -> UUID | None:
        return MEANT.get(int(letter.message.value("PV1", 19)))

    part = Part("SIU", frozenset(siu.BY_EVENT), siu.subject, siu.apply, siu.moment, meant)
    spoken = Hl7(seats.spoken.desk, part)

    async def answer(person: int) -> tuple[str, str]:
        """Its code, and what was wrong."""
        starts = datetime.now(UTC) + timedelta(hours=50)
        booked = hl7_writer.Booking(f"p{person}", str(person), uuid4().hex[:9], starts)
        raw = str(hl7_writer.siu("S12", ("EHR", "NORTH"), booked).to_er7()).encode()
        found = hl7.parse((await spoken.answer(raw)).decode())
        why = str(found.segment("ERR")) if "ERR" in str(found) else ""
        return str(found.extract_field("MSA", 1, 1)), why

    code, why = await answer(ELSEWHERE)
    assert (code, why) == await answer(NOBODY) == await answer(3)
    assert (code, "204" in why) == ("AE", True)
    assert (await answer(HERE))[0] == "AA"


async def test_a_stay_of_another_site_is_refused_as_one_that_nobody_knows(stays: FhirDesk) -> None:
    at = datetime.now(UTC) - timedelta(hours=2)
    await stays.send(of_a_stay("EpisodeOfCare", 1, "active", at))
    there = await stays.pool.fetchval("select admission_id from admissions")
    await stays.pool.execute(MOVE, there, "south")

    def said(kind: str, status: str, whose: UUID) -> dict[str, Any]:
        called = by_our_name(whose)["identifier"]
        return of_a_stay(kind, 2, status, at + timedelta(hours=1), identifier=[called])

    for kind, status in (
        *(("EpisodeOfCare", word) for word in ("planned", "active", "onhold", "finished")),
        *(("EpisodeOfCare", "cancelled"), ("ServiceRequest", "active")),
        ("ServiceRequest", "revoked"),
    ):
        elsewhere = await stays.send(said(kind, status, there))
        assert elsewhere == await stays.send(said(kind, status, uuid4()))
        assert elsewhere[0] == REFUSED, (kind, status)
    assert await all_stays(stays.pool) == [("south", "admitted")]

    await stays.pool.execute(MOVE, there, "north")
    assert (await stays.send(said("EpisodeOfCare", "onhold", there)))[0] == CHANGED
    assert await all_stays(stays.pool) == [("north", "on_hold")]


async def test_a_persons_referral_to_another_site_does_not_become_the_senders(
    stays: FhirDesk,
) -> None:
    at = datetime.now(UTC) - timedelta(hours=2)
    await stays.send(of_a_stay("ServiceRequest", 1, "active", at))
    await stays.pool.execute("update admissions set site_id = 'south'")
    await stays.send(of_a_stay("EpisodeOfCare", 1, "active", at + timedelta(hours=1)))

    assert await all_stays(stays.pool) == [("south", "referred"), ("north", "admitted")]


async def all_stays(pool: asyncpg.Pool) -> list[tuple[str, str]]:
    return [(row["site_id"], row["status"]) for row in await pool.fetch(STAY)]
