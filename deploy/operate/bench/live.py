"""A running system under a steady load: from the answer to a miss to its alert, and HTTP alone."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
from aiokafka import AIOKafkaConsumer

from handrail.topics import topic_of
from operate import background
from operate.addresses import Addresses
from operate.errors import OperateError
from operate.home import Home

SITE = "bench-live"
AT_ONCE = 500
MISS_SHARE = 4
# What a load says of one person at most: nobody has hundreds of contacts a day.
EACH = 5
TICKS_A_SECOND = 20
SETTLE_SECONDS = 20.0
JSON = {"content-type": "application/json"}


@contextlib.asynccontextmanager
async def running(home: Home) -> AsyncIterator["Live"]:
    """The whole of Handrail, running in this home, and a client to it."""
    await background.ensure_up(home, lambda _line: None)
    try:
        async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
            kafka = home.read("run.json")["parts"]["kafka"]["address"]
            yield Live(home.addresses(), kafka, client)
    finally:
        background.down(home, lambda _line: None)


@dataclass
class Live:
    """One running system, and people at one of its sites."""

    addresses: Addresses
    kafka: str
    client: httpx.AsyncClient
    known: list[str] = field(default_factory=list)
    # Those of whom a load says other things than misses; all known ones where there are none.
    others: list[str] = field(default_factory=list)
    sent: dict[str, float] = field(default_factory=dict)
    answered: dict[str, float] = field(default_factory=dict)
    seen: dict[str, float] = field(default_factory=dict)

    async def admit(self, count: int) -> list[str]:
        """So many new people, known to attendance."""
        referred = await self.commands("intake", [_referral() for _ in range(count)])
        people = [str(result["subject"]) for result in referred]
        await self.commands("intake", [_completed(person) for person in people])
        await self._until_known(people)
        self.known += people
        return people

    async def alert_latencies(self, rate: int, seconds: int) -> list[float]:
        """Seconds from the answer to a miss until a subscriber has its alert, at `rate` events/s."""
        missing = await self.admit(count_missed(rate, seconds))
        self.others += await self.admit(max(0, rate * seconds // EACH - len(self.others)))
        return await self.alert_latencies_of(missing, rate, seconds)

    async def alert_latencies_of(self, people: list[str], rate: int, seconds: int) -> list[float]:
        """The same of these people, who are as many as such a load misses."""
        consumer = AIOKafkaConsumer(
            topic_of("alerts"), bootstrap_servers=self.kafka, auto_offset_reset="latest"
        )
        await consumer.start()
        await consumer.seek_to_end()
        listening = asyncio.create_task(self._listen(consumer))
        try:
            await self.load(people, rate, seconds)
            await self._until_seen(people)
        finally:
            listening.cancel()
            await consumer.stop()
        return [self.seen[p] - self.answered[p] for p in people if p in self.answered]

    async def single_rate(self, seconds: float, at_once: int = 16) -> float:
        """Attendance recorded by single calls, calls/s."""
        url = f"{self.addresses.attendance}/v1/command"
        people = itertools.cycle(self.known)
        return await calls_a_second(
            self.client, url, (_attended(p) for p in people), seconds, at_once
        )

    async def through(self, calls: int, at_once: int = 16) -> float:
        """So many single calls, calls/s from the first until alerts has taken the last."""
        url = f"{self.addresses.attendance}/v1/command"
        bodies = (
            _attended(person) for person in itertools.islice(itertools.cycle(self.known), calls)
        )
        began = time.perf_counter()

        async def worker() -> None:
            for body in bodies:
                answer = await self.client.post(url, content=orjson.dumps(body), headers=JSON)
                answer.raise_for_status()

        await asyncio.gather(*(worker() for _ in range(at_once)))
        await self.until_settled()
        return calls / (time.perf_counter() - began)

    async def until_settled(self, seconds: float = 300.0) -> None:
        """Wait until alerts has taken all that attendance recorded. Raises OperateError."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            status = (await self.client.get(f"{self.addresses.attendance}/status")).json()
            ours = (await self.client.get(f"{self.addresses.alerts}/status")).json()
            if not status["relay"]["backlog"] and not ours["feed"]["lag"]:
                return
            await asyncio.sleep(0.05)
        message = "alerts did not take what attendance told it"
        raise OperateError(message)

    async def roster_latencies(
        self, count: int, size: int = 20, *, at_rest: bool = False
    ) -> list[float]:
        """Seconds a call takes that records a roster of `size`: one after the other, or at rest."""
        took = []
        for n in range(count):
            people = [self.known[(n * size + i) % len(self.known)] for i in range(size)]
            key = uuid4().hex
            await self.commands("attendance", [_session(key, people)])
            if at_rest:
                await self.until_settled()
            began = time.perf_counter()
            await self.commands("attendance", [_roster(key, people)])
            took.append(time.perf_counter() - began)
        return took

    async def miss(self, people: list[str]) -> None:
        """A missed session of each."""
        await self.commands("attendance", [_missed(person) for person in people])

    async def load(self, persons: Iterable[str], rate: int, seconds: int) -> None:
        """So many events/s; one of four is a miss, of the next of `persons`."""
        people = iter(persons)
        a_tick, began = rate // TICKS_A_SECOND, time.perf_counter()
        others = itertools.cycle(self.others or self.known)
        calls = []
        for tick in range(seconds * TICKS_A_SECOND):
            await asyncio.sleep(max(0.0, began + tick / TICKS_A_SECOND - time.perf_counter()))
            missing = list(itertools.islice(people, max(1, a_tick // MISS_SHARE)))
            rest = [_contact(next(others)) for _ in range(a_tick - len(missing))]
            calls.append(asyncio.create_task(self._report(missing, rest)))
        await asyncio.gather(*calls)

    async def _report(self, missing: list[str], rest: list[dict[str, Any]]) -> None:
        self.sent |= dict.fromkeys(missing, time.perf_counter())
        await self.commands("attendance", [*map(_missed, missing), *rest])
        now = time.perf_counter()
        self.answered |= dict.fromkeys(missing, now)

    async def _listen(self, consumer: AIOKafkaConsumer) -> None:
        async for record in consumer:
            headers = dict(record.headers)
            if headers["ce_type"] == b"alerts.alert_raised.v1":
                self.seen.setdefault(record.key.decode(), time.perf_counter())

    async def _until_seen(self, people: list[str]) -> None:
        until = time.monotonic() + SETTLE_SECONDS
        while any(p in self.answered and p not in self.seen for p in people):
            if time.monotonic() > until:
                lost = sum(p in self.answered and p not in self.seen for p in people)
                message = f"{lost} misses raised no alert in {SETTLE_SECONDS:.0f} s"
                raise OperateError(message)
            await asyncio.sleep(0.05)

    async def _until_known(self, people: list[str]) -> None:
        for service, path in (("attendance", "attendance"), ("alerts", "risk")):
            for person in people[-64:]:
                url = f"{getattr(self.addresses, service)}/v1/admissions/{person}/{path}"
                while (await self.client.get(url)).status_code != httpx.codes.OK:  # noqa: ASYNC110  # another process
                    await asyncio.sleep(0.02)

    async def commands(self, service: str, commands: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Have commands carried out. Raises OperateError when one is refused."""
        results: list[dict[str, Any]] = []
        url = f"{getattr(self.addresses, service)}/v1/commands"
        for start in range(0, len(commands), AT_ONCE):
            body = orjson.dumps(commands[start : start + AT_ONCE])
            answer = await self.client.post(url, content=body, headers=JSON)
            results += orjson.loads(answer.raise_for_status().content)
        refused = [r for r in results if r["status"] != "applied"]
        if refused:
            message = f"{service} refused {len(refused)} commands: {refused[0]['code']}"
            raise OperateError(message)
        return results


def count_missed(rate: int, seconds: int) -> int:
    """How many people a load misses."""
    return rate * seconds // MISS_SHARE + 1


async def calls_a_second(
    client: httpx.AsyncClient,
    url: str,
    bodies: Iterator[dict[str, Any]],
    seconds: float,
    at_once: int = 16,
) -> float:
    """POST bodies one a call, `at_once` at a time, and count what is answered with 200."""
    until, done = time.perf_counter() + seconds, 0

    async def worker() -> int:
        count = 0
        while time.perf_counter() < until:
            answer = await client.post(url, content=orjson.dumps(next(bodies)), headers=JSON)
            answer.raise_for_status()
            count += 1
        return count

    began = time.perf_counter()
    done = sum(await asyncio.gather(*(worker() for _ in range(at_once))))
    return done / (time.perf_counter() - began)


def percentiles(values: list[float]) -> dict[str, float]:
    """p50 and p99 in milliseconds, and how many values."""
    cuts = quantiles(values, n=100, method="inclusive")
    return {"p50_ms": cuts[49] * 1000, "p99_ms": cuts[98] * 1000, "count": len(values)}


def one_row_bodies() -> Iterator[dict[str, Any]]:
    """What the peer that inserts one row is sent."""
    person = UUID(int=1)
    while True:
        yield {"key": uuid4().hex, "admission_id": person, "occurred_at": _now(), "minutes": 180}


def _now() -> str:
    return datetime.now(UTC).isoformat()


def day(ago: int) -> str:
    """The day so many days ago."""
    return (datetime.now(UTC) - timedelta(days=ago)).date().isoformat()


def command_of(do: str, **fields: object) -> dict[str, Any]:
    """A command with a key of its own, of this moment."""
    return {"do": do, "key": uuid4().hex, "occurred_at": _now(), **fields}


def _referral() -> dict[str, Any]:
    return command_of("receive_referral", site_id=SITE, time_zone="UTC")


def _completed(person: str) -> dict[str, Any]:
    return command_of(
        "complete_intake",
        admission_id=person,
        admitted_on=day(7),
        program_id="iop",
        weekly_minutes=540,
        sessions_per_week=3,
        eligibility_waived_for="assessed_elsewhere",
    )


def _missed(person: str) -> dict[str, Any]:
    session = {"session_type": "group", "planned_on": day(1), "planned_minutes": 180}
    return command_of("record_missed", admission_id=person, session=session, kind="no_show")


def _attended(person: str) -> dict[str, Any]:
    session = {"session_type": "individual", "planned_minutes": 60}
    return command_of(
        "record_attended", admission_id=person, session=session, attended_on=day(1), minutes=60
    )


def _contact(person: str) -> dict[str, Any]:
    return command_of("record_contact", admission_id=person, channel="phone", reached=True)


def _session(key: str, people: list[str]) -> dict[str, Any]:
    return command_of(
        "schedule_session",
        site_id=SITE,
        session_key=key,
        session_type="group",
        planned_on=day(1),
        planned_minutes=180,
        roster=people,
    )


def _roster(key: str, people: list[str]) -> dict[str, Any]:
    entries = [{"admission_id": p, "status": "attended", "minutes": 170} for p in people]
    return command_of("take_roster", session_key=key, entries=entries)
