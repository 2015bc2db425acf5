"""Subscribers of a running system: how soon a revocation stops what waits, and who slows whom."""

import asyncio
import contextlib
import itertools
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from operator import truediv
from statistics import median
from typing import Any

import asyncpg

from handrail.sight import SEES_ALL
from operate import databases
from operate.bench.hospital import Hospital
from operate.bench.live import command_of, count_missed, percentiles, running
from operate.bench.outside import Outside
from operate.ground import postgres_of
from operate.home import HOST, Home

# What the load is slower than: a hospital that takes so long keeps a queue.
BUSY_SECONDS, SLOW_SECONDS = 0.03, 1.0


@dataclass(frozen=True)
class Load:
    """How much is told: of so many events/s a quarter are misses. `busy` is more than one can take."""

    revocations: int
    busy: int
    rate: int
    seconds: int
    rounds: int
    round_seconds: int
    messages: int


async def measure(home: Home, load: Load) -> dict[str, Any]:
    """All figures, one after the other, on a system that may call this machine."""
    os.environ["HANDRAIL_EGRESS_ALLOW"] = f"{HOST}/32"
    async with running(home) as system:
        admin = postgres_of(home, home.ports()).admin_url()
        url = databases.url_of(admin, "intake", home)
        intake = await asyncpg.connect(url, server_settings=SEES_ALL)
        try:
            return await _all(Outside(system, intake), load)
        finally:
            await intake.close()


async def _all(outside: Outside, load: Load) -> dict[str, Any]:
    return {
        "revocation": await _revocation(outside, load),
        "slow_neighbour": await _slow_neighbour(outside, load),
        "down_48_hours": await _down(outside, load),
    }


async def _revocation(outside: Outside, load: Load) -> dict[str, Any]:
    """From the answer to a revocation until the last message of that person, with a queue."""
    people = await outside.system.admit(load.revocations)
    consents = await outside.consent(people)
    async with outside.subscribed(Hospital(BUSY_SECONDS)) as (hospital, subscriber):
        names = await outside.names(subscriber, people)
        missed: list[str] = []
        misses = _noting(itertools.cycle(people), missed)
        told = asyncio.create_task(outside.system.load(misses, load.busy, load.seconds))
        revoked = await _revoke(outside, consents, load.seconds)
        await told
        states = await outside.settled(subscriber, len(missed))
    late: Counter[str] = Counter()
    took = []
    for person, at in revoked.items():
        after = [one.at for one in hospital.heard if one.subject == names[person]]
        late[person] = sum(moment > at for moment in after)
        took.append(max([0.0, *(moment - at for moment in after)]))
    return _rounded(percentiles(took)) | {
        "most_ms": round(max(took) * 1000, 1),
        "told_afterwards": late.total(),
        "told": states["sent"],
        "stopped_in_the_queue": states["withheld"],
    }


async def _revoke(outside: Outside, consents: dict[str, str], seconds: int) -> dict[str, float]:
    """Take back one consent after the other, from half of the load on. When each was answered."""
    revoked = {}
    await asyncio.sleep(seconds / 2)
    for person, consent in consents.items():
        said = command_of("revoke_consent", admission_id=person, consent_id=consent)
        await outside.system.commands("intake", [said])
        revoked[person] = time.perf_counter()
        await asyncio.sleep(seconds / 2 / len(consents))
    return revoked


async def _slow_neighbour(outside: Outside, load: Load) -> dict[str, Any]:
    """Misses to a quick hospital, and to alerts, without and with one that takes a second."""
    told: dict[bool, list[list[float]]] = {False: [], True: []}
    alerts: dict[bool, list[list[float]]] = {False: [], True: []}
    async with outside.subscribed(Hospital()) as (quick, subscriber):
        # The first round of all finds everything cold, and does not count.
        await _round(outside, load, quick, subscriber)
        for number in range(load.rounds):
            # Whoever comes second finds the machine as the first left it: they take turns.
            for is_slow in (number % 2 == 1, number % 2 == 0):
                async with _perhaps(outside, is_slow=is_slow):
                    ours, theirs = await _round(outside, load, quick, subscriber)
                told[is_slow].append(ours)
                alerts[is_slow].append(theirs)
    return {"to_another": _beside(told), "to_alerts": _beside(alerts)}


async def _round(
    outside: Outside, load: Load, quick: Hospital, subscriber: str
) -> tuple[list[float], list[float]]:
    people = await outside.system.admit(count_missed(load.rate, load.round_seconds))
    await outside.consent(people)
    names = await outside.names(subscriber, people)
    alerts = await outside.system.alert_latencies_of(people, load.rate, load.round_seconds)
    answered = {p: at for p, at in outside.system.answered.items() if p in names}

    async def has_all() -> bool:
        heard = {one.subject for one in quick.heard}
        return all(names[person] in heard for person in answered)

    await outside.until(has_all)
    heard = {one.subject: one.at for one in quick.heard}
    return [heard[names[person]] - at for person, at in answered.items()], alerts


async def _down(outside: Outside, load: Load) -> dict[str, Any]:
    """Two days away by the database's clock: what came afterwards, and how quickly."""
    people = await outside.system.admit(load.messages // 10)
    await outside.consent(people)
    async with outside.subscribed(Hospital(is_away=True)) as (hospital, subscriber):
        for _ in range(10):
            await outside.system.miss(people)
        await outside.until(lambda: outside.has(subscriber, "waiting", len(people) * 10))
        await outside.passes(subscriber, 48)
        began, hospital.is_away = time.perf_counter(), False
        await outside.settled(subscriber, len(people) * 10)
        took = time.perf_counter() - began
        wanted = await outside.keys(subscriber)
    keys = list(dict.fromkeys(one.key for one in hospital.heard))
    numbers = [one.sequence for one in hospital.heard]
    return {
        "messages": len(wanted),
        "lost": len(set(wanted) - set(keys)),
        "repeated": len(hospital.heard) - len(keys),
        "out_of_order": sum(a != b for a, b in zip(keys, wanted, strict=False))
        + sum(b <= a for a, b in itertools.pairwise(numbers)),
        "messages_per_second": round(len(wanted) / took),
    }


@contextlib.asynccontextmanager
async def _perhaps(outside: Outside, *, is_slow: bool) -> AsyncIterator[None]:
    if not is_slow:
        yield
        return
    async with outside.subscribed(Hospital(SLOW_SECONDS)):
        yield


def _noting(people: Iterable[str], noted: list[str]) -> Iterator[str]:
    """The same people; `noted` gets who was asked for."""
    for person in people:
        noted.append(person)
        yield person


def _beside(found: dict[bool, list[list[float]]]) -> dict[str, Any]:
    """Medians of the rounds: a machine that stands still for a moment spoils one round's p99."""
    alone, beside = (list(map(percentiles, found[is_slow])) for is_slow in (False, True))
    p99 = {
        "alone": [one["p99_ms"] for one in alone],
        "beside_a_slow_one": [one["p99_ms"] for one in beside],
    }
    return {
        "alone": _middle(alone),
        "beside_a_slow_one": _middle(beside),
        "p99_ratio": round(median(map(truediv, p99["beside_a_slow_one"], p99["alone"])), 3),
        "p99_ms_of_rounds": p99,
    }


def _middle(rounds: list[dict[str, float]]) -> dict[str, float]:
    return _rounded({name: median(one[name] for one in rounds) for name in ("p50_ms", "p99_ms")})


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 1) for name, value in values.items()}
