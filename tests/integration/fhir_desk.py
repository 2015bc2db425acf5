"""A desk that hears FHIR over a database of attendance's, as an HTTP client meets it."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from fastapi import FastAPI, Request
from fhir.resources.R4B import get_fhir_model_class

from attendance import store as attendance
from attendance.facts import Admission
from attendance.sources.fhir import parts
from attendance.sources.terms import Kind, Terms
from handrail import sites
from handrail.access.table import Caller
from handrail.desk import store
from handrail.desk.contents import Contents
from handrail.desk.desk import Desk
from handrail.desk.sealing import Seal
from handrail.desk.store import Sender
from handrail.fhir import taking
from handrail.fhir.dialect import Fhir
from handrail.outbox import Connection
from handrail.personal.vault import Vault
from intake import fhir_in
from intake.adt.terms import Place
from intake.adt.terms import Terms as StayTerms

SYSTEM = "urn:oid:2.999.1"
PERSON = "urn:oid:2.999.2"
SEAL = Seal(b"a key of this test")
TERMS = Terms(
    kind=Kind(session_type="group"),
    kinds={"IND": Kind(session_type="individual", modality="cbt")},
    reasons={"CAR": "transport"},
    by_programme=frozenset({"STAFF"}),
)
PLACE = Place(program_id="iop-day", weekly_minutes=540, sessions_per_week=3)
STAY_TERMS = StayTerms(
    place=PLACE,
    units={"EVE": PLACE.model_copy(update={"program_id": "iop-evening"})},
    referral_source="primary_care",
)
SCOPES = frozenset({"system/*.cu"})


@dataclass
class Numbers:
    """Whom numbers mean, where no intake runs: the keyed names of so many people."""

    count: int

    def __post_init__(self) -> None:
        self.known = {
            SEAL.name("ehr", "person", str(number), PERSON): UUID(int=number + 1)
            for number in range(self.count)
        }

    async def admission(self, _visit: bytes | None, *, person: bytes | None) -> UUID | None:
        return self.known.get(person) if person else None


@dataclass
class FhirDesk:
    """What a test says to it."""

    pool: asyncpg.Pool
    client: httpx.AsyncClient
    spoken: Fhir

    async def send(
        self, resource: dict[str, Any], path: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        """POST it; the answer is what the library that nobody here wrote can read."""
        where = f"/fhir/R4{'/' + resource['resourceType'] if path is None else path}"
        return said(await self.client.post(where, json=resource))

    async def seats(self, person: int) -> list[str]:
        """What became of the person's seats, by their start."""
        rows = await self.pool.fetch(
            "select c.status from seats c join sessions s using (session_id)"
            " where c.admission_id = $1 and c.moved_to is null order by s.starts_at, s.session_id",
            UUID(int=person + 1),
        )
        return [row["status"] for row in rows]


def said(answer: httpx.Response) -> tuple[int, dict[str, Any]]:
    assert answer.headers["content-type"] == "application/fhir+json"
    body: dict[str, Any] = answer.json()
    get_fhir_model_class(body["resourceType"]).model_validate(body)
    return answer.status_code, body


@contextlib.asynccontextmanager
async def hearing(pool: asyncpg.Pool, vault: Vault, people: int) -> AsyncIterator[FhirDesk]:
    """A desk with one sender, and people in care."""
    async with pool.acquire() as conn:
        await sites.learn(conn, [("north", "America/New_York", "wall", date(2026, 1, 1))])
        in_care = [
            Admission(UUID(int=n + 1), "north", "admitted", date(2026, 1, 1)) for n in range(people)
        ]
        await attendance.save_admissions(conn, in_care)
        await _put_sender(conn, TERMS.model_dump_json())
    desk = Desk(pool, SEAL, Contents(vault, SEAL))
    spoken = Fhir(desk, parts(Numbers(people)))  # type: ignore[arg-type]  # as intake answers
    async with over(pool, spoken) as made:
        yield made


@contextlib.asynccontextmanager
async def hearing_of_stays(pool: asyncpg.Pool, vault: Vault) -> AsyncIterator[FhirDesk]:
    """A desk of intake's with one sender, who has said nothing yet."""
    async with pool.acquire() as conn:
        await _put_sender(conn, STAY_TERMS.model_dump_json())
    spoken = Fhir(Desk(pool, SEAL, Contents(vault, SEAL)), fhir_in.parts())
    async with over(pool, spoken) as made:
        yield made


async def _put_sender(conn: Connection, terms: str) -> None:
    names = ("ehr", "EHR", "NORTH", "north", "America/New_York")
    await store.put_sender(conn, Sender(*names, is_outside=False, terms=terms), "client-of-ehr")


@contextlib.asynccontextmanager
async def over(pool: asyncpg.Pool, spoken: Fhir) -> AsyncIterator[FhirDesk]:
    """What is spoken, by HTTP, as the client of the sender."""
    app = FastAPI()

    @app.middleware("http")
    async def known(request: Request, go_on: Any) -> Any:
        request.state.caller = Caller("ehr", "system", None, SCOPES, "client-of-ehr")
        return await go_on(request)

    taking.install(app, spoken)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        yield FhirDesk(pool, client, spoken)


def in_hours(hours: float) -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours)


def appointment(
    number: str,
    person: int,
    status: str,
    *,
    hours: float = 50,
    at: datetime | None = None,
    **more: Any,
) -> dict[str, Any]:
    """One person's, of 90 minutes."""
    starts_at = in_hours(hours)
    return {
        "resourceType": "Appointment",
        "identifier": [{"system": SYSTEM, "value": number}],
        "meta": {"lastUpdated": (at or datetime.now(UTC)).isoformat()},
        "status": status,
        "start": starts_at.isoformat(),
        "end": (starts_at + timedelta(minutes=90)).isoformat(),
        "participant": [{"actor": patient(person), "status": "accepted"}],
    } | more


def patient(person: int) -> dict[str, Any]:
    return {"type": "Patient", "identifier": {"system": PERSON, "value": str(person)}}


def encounter(
    number: str,
    person: int,
    status: str,
    *,
    hours: float,
    minutes: int,
    booked: str = "",
    **more: Any,
) -> dict[str, Any]:
    """One person's visit, of a booked appointment where one is named."""
    starts_at = in_hours(hours)
    where = {"type": "Appointment", "identifier": {"system": SYSTEM, "value": booked}}
    made = {
        "resourceType": "Encounter",
        "identifier": [{"system": f"{SYSTEM}.1", "value": number}],
        "meta": {"lastUpdated": datetime.now(UTC).isoformat()},
        "status": status,
        "class": {"code": "AMB"},
        "subject": patient(person),
        "period": {
            "start": starts_at.isoformat(),
            "end": (starts_at + timedelta(minutes=minutes)).isoformat(),
        },
    }
    return made | ({"appointment": [where]} if booked else {}) | more


def of_a_stay(kind: str, person: int, status: str, at: datetime, **more: Any) -> dict[str, Any]:
    """The person's one ServiceRequest or EpisodeOfCare, as it was at that time."""
    made = {
        "resourceType": kind,
        "identifier": [{"system": f"urn:x:{kind}", "value": f"n{person}"}],
        "meta": {"lastUpdated": at.isoformat()},
        "status": status,
        "patient" if kind == "EpisodeOfCare" else "subject": patient(person),
    }
    return made | ({"intent": "order"} if kind == "ServiceRequest" else {}) | more


def bundle(type_: str, *resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    """All of them, to be made."""
    entries = [
        {"resource": one, "request": {"method": "POST", "url": one["resourceType"]}}
        for one in resources
    ]
    return {"resourceType": "Bundle", "type": type_, "entry": entries} | more
