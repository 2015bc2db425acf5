"""Broken resources and bundles by HTTP: each is answered, none is half applied, nothing falls over.

`HANDRAIL_FUZZ=10000` for many; a seed names a run again (`HANDRAIL_FUZZ_SEED`).
"""

import asyncio
import copy
import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from handrail.personal.vault import Vault
from intake.fhir_in.episode import WHY_IT_ENDED
from operate.home import Home
from operate.parts.postgres import Postgres
from tests.integration.broken import COUNT, HALF_STAYS, SEED, STAYS, cut, flip, leave_out, put_in
from tests.integration.fhir_desk import (
    FhirDesk,
    appointment,
    bundle,
    encounter,
    hearing,
    hearing_of_stays,
    of_a_stay,
    said,
)
from tests.integration.kit import pool_of_its_own

PEOPLE = max(25, COUNT // 40)
# Few, so that each stay is spoken of often enough to be lived through.
STAYING = max(6, COUNT // 80)
JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**53, 1e300, "", " ", "\x00", "\u202eabc", "ключ", "A" * 5000),
    *([], {}, [[]], [None], {"": ""}, "2026-13-32", "0001-01-01T00:00:00Z", "2026-11-28T23:59:60Z"),
    *(
        "9999-12-31T23:59:59+14:00",
        "urn:uuid:x",
        "#",
        "#p",
        "Patient/",
        "../../x",
        "'; drop table x;--",
    ),
    *(
        {"resourceType": "Appointment"},
        {"resourceType": ["x"]},
        {"reference": "#"},
        {"coding": [{}]},
    ),
)
# Stands for a value that is nested deeper than the test itself could be.
DEEP = "as deep as can be"
Make = Callable[[random.Random, datetime], dict[str, Any]]
STATUSES = ("proposed", "booked", "arrived", "fulfilled", "noshow", "cancelled", "entered-in-error")
REFERRALS = (
    *("active", "active", "active", "active", "draft", "on-hold", "revoked", "completed"),
    *("entered-in-error", "unknown"),
)
EPISODES = (
    *("planned", "waitlist", "active", "active", "active", "active", "onhold", "onhold"),
    *("finished", "finished", "finished", "cancelled", "entered-in-error"),
)
# What has to have come of them, or little was tried.
MOVES = ("referral_received", "intake_completed", "put_on_hold", "discharged", "discharge_undone")
# All that a resource may change of attendance's, and what would be half of one.
SEATS = """
select (select count(*) from sessions), (select count(*) from receipts),
    (select count(*) from outbox), (select count(*) from hl7_names),
    (select coalesce(max(sent_at), 'epoch') from hl7_newest),
    (select md5(string_agg(concat_ws(',', session_id, status, moved_to, version, minutes), ';'
        order by session_id)) from seats)
"""
HALF_SEATS = """
select (select count(*) from sessions s where not exists (
        select from seats c where c.session_id = s.session_id)),
    (select count(*) from seats c where c.status <> 'scheduled' and c.recorded_at is null),
    (select count(*) from hl7_messages where state = 'applied' and body is not null)
"""


def of_a_seat(of: random.Random, at: datetime) -> dict[str, Any]:
    """A good resource about one of few seats."""
    number = of.randrange(PEOPLE * 2)
    person, hours = number % PEOPLE, of.choice((-30.0, -4.0, 3.0, 60.0)) + number / 60
    if of.random() < 0.25:
        minutes, booked = of.randrange(1, 120), of.choice(("", f"a{number}"))
        status = of.choice(("finished", "finished", "in-progress", "entered-in-error"))
        visit = encounter(f"e{number}", person, status, hours=hours, minutes=minutes, booked=booked)
        return visit | {"meta": {"lastUpdated": at.isoformat()}}
    return appointment(f"a{number}", person, of.choice(STATUSES), hours=hours, at=at)


def of_stays(of: random.Random, at: datetime) -> dict[str, Any]:
    """A good referral or episode of one of few people, who come again after they were declined."""
    person = of.randrange(STAYING)
    number = f"n{person}-{of.randrange(3)}"
    if of.random() < 0.3:
        called = [{"system": "urn:x:ServiceRequest", "value": number}]
        return of_a_stay("ServiceRequest", person, of.choice(REFERRALS), at, identifier=called)
    day = at.date().isoformat()
    optional: dict[str, Any] = {
        "period": {"start": day, "end": of.choice((day, at.isoformat()))},
        "type": [{"coding": [{"code": of.choice(("EVE", "DAY"))}]}],
        "referralRequest": [{"identifier": {"system": "urn:x:ServiceRequest", "value": number}}],
        "extension": [{"url": WHY_IT_ENDED, "valueCode": of.choice(("completed", "died", "?"))}],
    }
    more = {name: value for name, value in optional.items() if of.random() < 0.4}
    more["identifier"] = [{"system": "urn:x:EpisodeOfCare", "value": number}]
    return of_a_stay("EpisodeOfCare", person, of.choice(EPISODES), at, **more)


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every place in a document: what holds it, and under which name or number."""
    inside = list(node.items() if isinstance(node, dict) else enumerate(node))
    return [(node, name) for name, _ in inside] + [
        place for _, below in inside if isinstance(below, dict | list) for place in places(below)
    ]


def other_value(of: random.Random, made: Any) -> None:
    holder, name = of.choice(places(made))
    # A copy: what is put in is broken further.
    holder[name] = copy.deepcopy(of.choice(JUNK))


def without(of: random.Random, made: Any) -> None:
    holder, name = of.choice(places(made))
    del holder[name]


def other_name(of: random.Random, made: Any) -> None:
    holder, name = of.choice(places(made))
    if isinstance(holder, dict):
        holder[of.choice(("x", "_status", "extension", "contained", "Ключ", ""))] = holder.pop(name)


def elsewhere(of: random.Random, made: Any) -> None:
    (holder, name), (from_, other) = of.choice(places(made)), of.choice(places(made))
    holder[name] = copy.deepcopy(from_[other])


def deep(of: random.Random, made: Any) -> None:
    holder, name = of.choice(places(made))
    holder[name] = DEEP


SHAPES: tuple[Callable[[random.Random, Any], None], ...] = (
    *(other_value, other_value, other_value, without, without, other_name, elsewhere, deep),
)
BYTES = (flip, cut, leave_out, put_in)


def request(of: random.Random, at: datetime, one: Make) -> tuple[str, str, bytes]:
    """Method, path and body; broken not at all, in its shape, or in its bytes."""
    if of.random() < 0.3:
        type_ = of.choice(("transaction", "transaction", "batch"))
        made = bundle(type_, *(one(of, at) for _ in range(of.randrange(1, 5))))
        method, path = "POST", ""
    else:
        made = one(of, at)
        method, path = "POST", f"/{made['resourceType']}"
        if of.random() < 0.3:
            made["id"] = f"n{of.randrange(99)}"
            method, path = "PUT", f"{path}/{made['id']}"
    for _ in range(of.choice((0, 0, 1, 1, 2, 3))):
        of.choice(SHAPES)(of, made)
        if not made:
            break
    levels = of.choice((3, 60, 200, 600))
    nested = '[{"extension":' * levels + "null" + "}]" * levels
    raw = json.dumps(made).replace(f'"{DEEP}"', nested).encode()
    if of.random() < 0.15:
        raw = of.choice(BYTES)(of, raw)
    return method, path, raw


async def each_is_answered(desk: FhirDesk, make: Make, state: str) -> None:
    """Send them one by one. What is refused has changed nothing."""
    of, answers = random.Random(SEED), Counter[int]()
    began = datetime.now(UTC) - timedelta(days=2)
    before = await desk.pool.fetchrow(state)
    for number in range(COUNT):
        method, path, raw = request(of, began + timedelta(seconds=number), make)
        reply = await desk.client.request(method, f"/fhir/R4{path}", content=raw)
        status, body = said(reply)
        answers[status] += 1
        assert status in (200, 201, 400, 409, 422), (number, raw)
        after = await desk.pool.fetchrow(state)
        if status >= 400:
            assert body["resourceType"] == "OperationOutcome"
            assert after == before, (number, raw)
        elif body.get("type") == "batch-response":
            codes = {part["response"]["status"][:3] for part in body["entry"]}
            assert codes <= {"200", "201", "400", "409", "422"}, (number, raw)
        before = after
    assert all(answers[code] > COUNT / 50 for code in (200, 201, 400, 422)), answers
    events = int(await desk.pool.fetchval("select count(*) from outbox"))
    assert events > COUNT / 20
    print({"requests": COUNT, "seed": SEED, "events": events, **answers})


async def test_each_broken_resource_is_answered_and_none_is_half_applied(
    attendance_template: tuple[Postgres, Home], vault: Vault
) -> None:
    pool = await pool_of_its_own(attendance_template, "attendance")
    async with hearing(pool, vault, PEOPLE) as desk:
        await each_is_answered(desk, of_a_seat, SEATS)

    assert tuple(await pool.fetchrow(HALF_SEATS)) == (0, 0, 0)
    await asyncio.wait_for(pool.close(), 10)


async def test_each_broken_referral_or_episode_is_answered_and_none_is_half_applied(
    template: tuple[Postgres, Home], vault: Vault
) -> None:
    pool = await pool_of_its_own(template, "intake")
    async with hearing_of_stays(pool, vault) as desk:
        await each_is_answered(desk, of_stays, STAYS)

    assert tuple(await pool.fetchrow(HALF_STAYS)) == (0, 0, 0)
    told = {row["type"] for row in await pool.fetch("select distinct type from outbox")}
    assert told >= {f"intake.{name}.v1" for name in MOVES}
    await asyncio.wait_for(pool.close(), 10)
