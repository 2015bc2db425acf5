"""The second lock of intake: what PostgreSQL shows where nobody thinks of programmes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from fastapi import Depends, FastAPI

from handrail import http, sight
from handrail.access import guard
from handrail.access.guard import Guard
from handrail.access.rates import Rates
from handrail.access.tokens import Tokens
from handrail.fhir.asked import Asked
from intake import admission, fhir, lists
from intake.commands import COMMANDS
from intake.disclosures import emergency_routes
from intake.programs import PROGRAMS
from operate.home import Home
from operate.parts.postgres import Postgres
from tests.inner import inner_token
from tests.integration.kit import pool_of_its_own
from tests.integration.sights import (
    ELSEWHERE,
    HERE,
    NOBODYS,
    Programs,
    api_pool_of,
    is_shown,
    locked_and_open,
)

LOCKED = (
    "admissions",
    "visits",
    "overdue_steps",
    "contacts",
    "emergencies",
    "deliveries",
    "ledger",
)
KEY = "a-secret-of-these-tests"
# What takes a day, a subscriber or an accident to come about.
LATER = """
insert into visits select admission_id, gen_random_uuid(), current_date, now() from admissions;
insert into overdue_steps select admission_id, 'policy', current_date from admissions;
insert into contacts select admission_id, gen_random_uuid(), '' from admissions;
insert into emergencies (
    emergency_id, admission_id, recipient, affiliation, discloser_id, nature, data_classes, over_at
) select gen_random_uuid(), admission_id, 'er', 'general', gen_random_uuid(), 'overdose', '{}', now()
from admissions;
insert into subscribers (
    subscriber_id, site_id, recipient_class, recipient, purpose, data_classes, url, secret,
    subject_key, heartbeat_seconds
) values (gen_random_uuid(), 'north', 'hospital', 'general', 'treatment', '{}', '', '', '', 60);
insert into deliveries (subscriber_id, admission_id, event_id, type)
select subscriber_id, admission_id, gen_random_uuid(), '' from admissions, subscribers;
insert into ledger
select row_number() over (), admission_id, null,
    '{"what": "delivered", "at": "2026-11-02T18:00:00+00:00"}', '' from admissions;
insert into ledger
values (1000, null, null, '{"what": "law_set", "at": "2026-11-02T18:00:00+00:00"}', '');
update ledger_head set number = 1000;
"""
# A house of twenty programmes, with two visits for each of 4,000 people.
MANY = """
insert into admissions (admission_id, patient_id, site_id, status, referral_source, referred_at, program_id)
select gen_random_uuid(), gen_random_uuid(), 'north', 'admitted', 'self', now(), 'house-' || n % 20
from generate_series(1, 4000) n;
insert into visits
select admission_id, gen_random_uuid(), current_date, now() from admissions, generate_series(1, 2);
analyze;
"""
READ = """
select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = 'admissions'
"""


@dataclass(frozen=True)
class Three:
    """One person in each of two programmes, one referred to none yet, and the ways to them."""

    here: UUID
    elsewhere: UUID
    referred: UUID
    pool: asyncpg.Pool
    api: asyncpg.Pool

    async def seen(self, table: str) -> set[UUID | None]:
        """Whose rows there are, as if nobody had thought of programmes."""
        rows = await self.api.fetch(f"select distinct admission_id from {table}")  # noqa: S608  # a name of ours
        return {row["admission_id"] for row in rows}

    async def patient_of(self, who: UUID) -> UUID:
        found: UUID = await self.pool.fetchval(
            "select patient_id from admissions where admission_id = $1", who
        )
        return found


@pytest.fixture
async def three(template: tuple[Postgres, Home]) -> AsyncIterator[Three]:
    pool = await pool_of_its_own(template, "intake")
    api = await api_pool_of(pool, template, "intake")
    here, elsewhere, referred = [await refer(pool, uuid4()) for _ in range(3)]
    await admit(pool, here, HERE)
    await admit(pool, elsewhere, ELSEWHERE)
    await pool.execute(LATER)
    yield Three(here, elsewhere, referred, pool, api)
    await asyncio.wait_for(api.close(), 10)
    await asyncio.wait_for(pool.close(), 10)


async def says(pool: asyncpg.Pool, do: str, **fields: Any) -> UUID:
    now = datetime.now(UTC)
    said = [{"do": do, "key": uuid4().hex, "occurred_at": now} | fields]
    async with pool.acquire() as conn, conn.transaction():
        [result] = await admission.take(conn, COMMANDS.validate_python(said), now)
    assert result.status == "applied", result
    assert result.subject
    return result.subject


async def refer(pool: asyncpg.Pool, patient_id: UUID) -> UUID:
    about = {"site_id": "north", "time_zone": "UTC", "referral_source": "self"}
    return await says(pool, "receive_referral", patient_id=patient_id, **about)


async def admit(pool: asyncpg.Pool, who: UUID, program_id: str) -> None:
    today = datetime.now(UTC).date()
    facts = {"admitted_on": today, "weekly_minutes": 540, "sessions_per_week": 3}
    facts["eligibility_waived_for"] = "assessed_elsewhere"
    await says(pool, "complete_intake", admission_id=who, program_id=program_id, **facts)


def over(three: Three) -> httpx.AsyncClient:
    """Routes of intake behind their guard, by the pool that they have in the service."""
    watch = Guard("intake", Tokens(None, "us", KEY), Rates("99/second"), is_required=True)
    watch.pool, watch.programs = three.api, PROGRAMS
    app = FastAPI(dependencies=[Depends(watch)])
    http.install(app, lambda: False)
    guard.install(app, http.problem)
    app.include_router(lists.routes(three.api))
    app.include_router(emergency_routes.routes(three.api, lambda: None, b"a key of these tests"))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://us")


def bearer(*programs: str) -> dict[str, str]:
    return {"authorization": f"Bearer {inner_token(KEY, 'counsellor', *programs)}"}


async def test_a_query_that_asks_for_no_programme_is_given_those_that_were_said(
    three: Three,
) -> None:
    everybody: set[UUID | None] = {three.here, three.elsewhere, three.referred}
    expected: list[tuple[Programs, set[UUID | None]]] = [
        ((HERE,), {three.here}),
        ((ELSEWHERE, NOBODYS), {three.elsewhere}),
        ((HERE, ELSEWHERE), {three.here, three.elsewhere}),
        ((NOBODYS,), set()),
        ((), set()),
    ]

    for table in LOCKED:
        # Of nobody is that a site's law was set.
        nobodys = {None} if table == "ledger" else set()
        await is_shown(three.seen, table, [(None, everybody | nobodys), *expected])


async def test_fhir_finds_nobody_elsewhere_without_its_own_check(three: Three) -> None:
    found = {
        programs: [await count(three, kind, programs) for kind in fhir.KINDS]
        for programs in (None, (HERE,), (NOBODYS,), ())
    }

    # Episodes, teams, no consent, what was told, one subscriber that is no Subscription, referrals.
    assert found == {
        None: [3, 3, 0, 4, 1, 3],
        (HERE,): [1, 1, 0, 1, 1, 1],
        (NOBODYS,): [0, 0, 0, 0, 1, 0],
        (): [0, 0, 0, 0, 1, 0],
    }


async def count(three: Three, kind: fhir.Kind, programs: Sequence[str] | None) -> int:
    with sight.seeing(programs):
        async with three.api.acquire() as conn:
            return len(await kind.find(conn, Asked()))


async def test_another_programmes_rows_are_not_changed_and_ones_own_not_given_away(
    three: Three,
) -> None:
    refused = pytest.raises(asyncpg.InsufficientPrivilegeError)
    with sight.seeing((HERE,)):
        gone = await three.api.execute("delete from contacts")
        with refused:
            await three.api.execute("update admissions set program_id = $1", ELSEWHERE)
        with refused:
            await three.api.execute("update visits set admission_id = $1", three.elsewhere)

    assert gone == "DELETE 1"
    left = await three.pool.fetch("select admission_id from contacts")
    assert {row["admission_id"] for row in left} == {three.elsewhere, three.referred}


async def test_whose_a_person_is_the_guard_asks_of_all_stays(three: Three) -> None:
    patient_id = await three.patient_of(three.here)
    url = f"/v1/patients/{patient_id}/admissions"
    async with over(three) as client:
        alone = await client.get(url, headers=bearer(HERE))
        again = await refer(three.pool, patient_id)
        expected = await client.get(url, headers=bearer(HERE))
        await admit(three.pool, again, ELSEWHERE)
        one = await client.get(url, headers=bearer(HERE))
        both = await client.get(url, headers=bearer(HERE, ELSEWHERE))

    assert [answer.status_code for answer in (alone, expected, one, both)] == [200, 403, 403, 200]
    assert [len(answer.json()) for answer in (alone, both)] == [1, 2]


async def test_the_glass_is_broken_also_for_who_is_of_another_programme_or_of_none(
    three: Three,
) -> None:
    said = {
        "recipient": "er",
        "affiliation": "general",
        "discloser_id": str(uuid4()),
        "nature": "overdose",
        "data_classes": ["status", "attendance"],
    }
    async with over(three) as client:
        for who, program_id in ((three.elsewhere, ELSEWHERE), (three.referred, None)):
            url = f"/v1/emergencies/{uuid4()}"
            declared = await client.put(
                url, json=said | {"admission_id": str(who)}, headers=bearer(HERE)
            )
            told = await client.get(f"{url}/record", headers=bearer(HERE))

            assert (declared.status_code, told.status_code) == (200, 200), declared.text
            facts = told.json()["facts"]
            assert facts["status"]["program_id"] == program_id
            assert facts["attendance"]["sessions"] == 1


async def test_who_is_admitted_or_transferred_is_seen_there_from_then_on(three: Three) -> None:
    await admit(three.pool, three.referred, HERE)
    await says(three.pool, "transfer", admission_id=three.elsewhere, program_id=HERE, track="none")

    for table in LOCKED:
        with sight.seeing((HERE,)):
            assert await three.seen(table) == {three.here, three.elsewhere, three.referred}, table
        with sight.seeing((ELSEWHERE,)):
            assert await three.seen(table) == set(), table


async def test_what_hangs_on_one_programmes_people_is_found_without_reading_all_others(
    three: Three,
) -> None:
    await three.pool.execute(MANY)
    with sight.seeing(("house-7",)):
        async with three.api.acquire() as conn, conn.transaction():
            found = await conn.fetchval("select count(*) from visits")
            read = await conn.fetchval(READ)

    assert found == 400
    # Of 4,000 people this programme's 200, and little more.
    assert read < 1000


async def test_each_table_with_a_person_in_it_is_locked_or_known_not_to_be(three: Three) -> None:
    of_people = ("admission_id", "patient_id", "program_id")
    locked, open_ = await locked_and_open(three.pool, *of_people, "delivery", "subject", "about")

    assert locked == set(LOCKED)
    # The catalogue has no persons. Of messages keyed names and sealed words lie there, of what was
    # told the subscribers' own names, of commands their keys.
    assert open_ == {"programs", "hl7_names", "hl7_messages", "fhir_names", "receipts"}
