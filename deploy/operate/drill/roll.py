"""A drill of a rolling restart: every service is replaced while commands come in at a set rate."""

import asyncio
import random
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx

from operate import background, rolling
from operate.addresses import Addresses
from operate.drill import judge
from operate.drill.real import REST_SECONDS, WRONG, new_home, quantiles, remove
from operate.drill.ward import DAYS, SITE, Ward
from operate.home import Home
from operate.status import supervisor_pid

EVENTS_A_SECOND = 200
DRIVERS = 10
# What a group's roster brings comes in one call; referrals and questions come one by one beside.
SEATS_A_CALL = 10
PEOPLE = 200
OTHERS_A_SECOND = 5.0
QUIET_SECONDS = 2.0
PATIENCE_SECONDS = 30.0
# What was recorded, in the order of the admission's own stream.
IN_ORDER = """
select o.key::text, e.session_key
from outbox o
join sessions e on e.session_id = (convert_from(o.data, 'UTF8')::jsonb ->> 'session_id')::uuid
where o.type in ('attendance.session_attended.v1', 'attendance.session_missed.v1')
order by o.key, o.sequence
"""


@dataclass
class Load:
    """Clients with one lasting connection each; a request is sent at its time and never retried.

    Only a request that failed, and is counted, is sent again, to know whether anything was lost.
    """

    ward: Ward
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    failed: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    took: list[float] = field(default_factory=list)
    order: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    async def record(self, number: int, a_second: float) -> None:
        """Seats of some people, at a rate, until the drill ends; each person has one driver."""
        people = self.ward.admissions[number::DRIVERS]
        async with self.ward.client(PATIENCE_SECONDS) as client:
            async for call in self._at(a_second / SEATS_A_CALL, number):
                seats = []
                for n in range(call * SEATS_A_CALL, (call + 1) * SEATS_A_CALL):
                    turn, which = divmod(n, len(people))
                    seats.append(
                        self.ward.seat(f"r{number}-{n}", people[which], DAYS - turn % DAYS)
                    )
                said = [_said(seat) for seat in seats]
                for result in await self._post(client, "attendance", "/v1/commands", said):
                    if result["status"] == "rejected":
                        self.failed[f"attendance {result['code']}"] += 1
                self.ward.note(seats)
                for seat in seats:
                    self.order[seat["admission_id"]].append(seat["key"])

    async def refer(self) -> None:
        """Referrals to intake."""
        async with self.ward.client(PATIENCE_SECONDS) as client:
            async for n in self._at(OTHERS_A_SECOND, 0):
                body = {
                    "do": "receive_referral",
                    "key": f"rolling-{n}",
                    "site_id": SITE,
                    "time_zone": "UTC",
                    "referral_source": "emergency_department",
                }
                await self._post(client, "intake", "/v1/command", _said(body))

    async def read(self, service: str, path: str) -> None:
        """Questions to a service that takes few commands."""
        url = f"{getattr(self.ward.addresses, service)}{path}"
        async with self.ward.client(PATIENCE_SECONDS) as client:
            async for n in self._at(OTHERS_A_SECOND, 0):
                person = self.ward.admissions[n % len(self.ward.admissions)]
                await self._ask(
                    service, client.build_request("GET", url.format(person=person)), client
                )

    async def _post(self, client: httpx.AsyncClient, service: str, path: str, body: object) -> Any:
        url = f"{getattr(self.ward.addresses, service)}{path}"
        while True:
            answer = await self._ask(service, client.build_request("POST", url, json=body), client)
            if answer is not None:
                return answer.json()
            await asyncio.sleep(0.1)

    async def _ask(
        self, service: str, request: httpx.Request, client: httpx.AsyncClient
    ) -> httpx.Response | None:
        """The answer; None, and counted, when it failed."""
        answer = None
        began = time.perf_counter()
        self.requests[service] += 1
        try:
            answer = await client.send(request)
            code = "" if answer.status_code == httpx.codes.OK else str(answer.status_code)
        except httpx.TransportError as error:
            code = type(error).__name__
        self.took.append((time.perf_counter() - began) * 1000)
        if code:
            self.failed[f"{service} {code}"] += 1
            return None
        return answer

    async def _at(self, a_second: float, number: int) -> Any:
        """Count, at a rate; who was held up makes up for it, and no turn is left out."""
        began = time.monotonic() + number / DRIVERS / a_second
        n = 0
        while not self.ended.is_set():
            await asyncio.sleep(max(0.0, began + n / a_second - time.monotonic()))
            yield n
            n += 1


def _said(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"source": SITE, "occurred_at": datetime.now(UTC).isoformat()}


async def run(seconds: float, seed: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Roll all services, again and again for so long, under load; then judge."""
    home, good = new_home(), False
    try:
        await background.ensure_up(home, say)
        supervisor = supervisor_pid(home)
        assert supervisor is not None
        roll = partial(rolling.follow, home, supervisor, say)
        told = await drill(home, home.addresses(), roll, seconds=seconds, seed=seed)
        good = told["good"]
        return told
    finally:
        background.down(home, say)
        remove(home, say, good=good)


async def drill(
    home: Home,
    addresses: Addresses,
    roll: Callable[[], Awaitable[None]],
    *,
    seconds: float = 0,
    seed: int = 1,
) -> dict[str, Any]:
    """Load on these addresses while `roll` replaces all services, once and on until the time is over.

    The home says where the databases and Kafka are that judge; whoever runs the services is no
    matter. Gives what was found, `good` when nothing was lost, repeated, reordered or failed.
    """
    dice = random.Random(seed)  # noqa: S311  # a drill must be repeatable
    ward = Ward(addresses, dice, home.folder / "ledger.jsonl", synced=False)
    await ward.admit(PEOPLE)
    # Attendance refuses seats of people of whom it has not heard.
    assert await judge.until_rest(home, REST_SECONDS)
    load = Load(ward)
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(DRIVERS):
            group.create_task(load.record(number, EVENTS_A_SECOND / DRIVERS))
        group.create_task(load.refer())
        group.create_task(load.read("alerts", "/v1/concerns?admission_id={person}"))
        group.create_task(load.read("aftercare", "/v1/step-downs?limit=1"))
        rolls = await _roll_until(roll, began + seconds)
        load.ended.set()
    length = time.monotonic() - began
    rested = await judge.until_rest(home, REST_SECONDS)
    found = await judge.judge(home, ward)
    wrong = {name: found.pop(name, 0) for name in WRONG}
    wrong["out_of_order"] += await _disorder(home, load.order)
    return {
        "seed": seed,
        "seconds": round(length, 1),
        "rolls": rolls,
        "events_a_second": round(len(ward.said) / length, 1),
        "requests": dict(load.requests),
        "failed_requests": sum(load.failed.values()),
        "failed": dict(load.failed),
        **found,
        **wrong,
        "milliseconds": quantiles(load.took),
        "good": rested and not any(wrong.values()) and not load.failed and rolls > 0,
    }


async def _roll_until(roll: Callable[[], Awaitable[None]], until: float) -> int:
    """How many times all four were replaced; at least once."""
    rolls = 0
    while not rolls or time.monotonic() < until:
        await asyncio.sleep(QUIET_SECONDS)
        await roll()
        rolls += 1
    await asyncio.sleep(QUIET_SECONDS)
    return rolls


async def _disorder(home: Home, said: dict[str, list[str]]) -> int:
    """People whose stream has another order than the one in which their driver was answered."""
    recorded: dict[str, list[str]] = defaultdict(list)
    for admission, key in await judge.ask(home, "attendance", IN_ORDER):
        recorded[admission].append(key)
    return sum(recorded[admission] != keys for admission, keys in said.items())
