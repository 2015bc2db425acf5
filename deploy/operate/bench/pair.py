"""A second process of alerts: what it brings, and for how long its coming and going pauses anybody."""

import asyncio
import sys
import time
from dataclasses import dataclass
from itertools import chain
from statistics import median
from typing import Any

from operate import rolling
from operate.bench import consume
from operate.bench.live import Live, count_missed, percentiles
from operate.ground import postgres_of
from operate.home import HOST, Home, unused_ports
from operate.processes import Child
from operate.surroundings import Surroundings

# What comes or goes is felt so long after it is ready, or gone; then it is quiet for as long.
AFTER_SECONDS = 2.0


@dataclass(frozen=True)
class Load:
    """A history of so many people and days, in turns; and events/s for so many seconds."""

    rounds: int
    people: int
    days: int
    rate: int
    seconds: int


@dataclass(frozen=True)
class Change:
    """A process comes or goes; from when to when that may be felt, by `perf_counter`."""

    what: str
    began: float
    ended: float

    def is_felt(self, told: float, seen: float) -> bool:
        """Whether somebody was waited for during it, from `told` to `seen`."""
        return told < self.ended and seen > self.began


async def rates(home: Home, admin: str, kafka: str, events: int, rounds: int) -> dict[str, Any]:
    """Events/s of one process and of two on the same history: medians of turns, and their ratio."""
    found: dict[int, list[float]] = {1: [], 2: []}
    for number in range(rounds):
        # Who is first changes from turn to turn.
        for instances in (1, 2) if number % 2 else (2, 1):
            rate = await consume.alerts_rate(home, admin, kafka, events, instances)
            found[instances].append(rate)
    one, two = median(found[1]), median(found[2])
    return {
        "events_per_second": {"one": round(one), "two": round(two)},
        "two_to_one": round(two / one, 3),
        "turns": {str(n): [round(rate) for rate in turns] for n, turns in found.items()},
    }


async def pauses(home: Home, system: Live, load: Load) -> dict[str, Any]:
    """Milliseconds from a miss to its alert while a second process comes, goes, and in between."""
    people = await system.admit(count_missed(load.rate, load.seconds))
    loading = asyncio.create_task(system.alert_latencies_of(people, load.rate, load.seconds))
    changes: list[Change] = []
    try:
        await asyncio.sleep(2 * AFTER_SECONDS)
        while not loading.done():
            changes += await _come_and_go(home)
        await loading
    finally:
        loading.cancel()
    waits = [(system.answered[p], system.seen[p]) for p in people if p in system.answered]
    return {
        "changes": len(changes),
        "come": _summary([_felt(waits, change) for change in changes if change.what == "come"]),
        "go": _summary([_felt(waits, change) for change in changes if change.what == "go"]),
        "quiet": _summary(
            [[s - t for t, s in waits if not any(change.is_felt(t, s) for change in changes)]]
        ),
    }


def _felt(waits: list[tuple[float, float]], change: Change) -> list[float]:
    return [seen - told for told, seen in waits if change.is_felt(told, seen)]


def _summary(stretches: list[list[float]]) -> dict[str, float]:
    """Of all waits, and the longest of each stretch: their median, and the most; none of one wait."""
    longest = [1000 * max(waits) for waits in stretches if waits]
    every = [*chain.from_iterable(stretches)]
    if len(every) < 2:
        return {"count": len(every)}
    found = percentiles(every)
    found |= {"median_longest_ms": median(longest), "most_ms": max(longest)}
    return {name: round(value, 1) for name, value in found.items()}


async def _come_and_go(home: Home) -> list[Change]:
    """One more process of alerts joins, and leaves in good order."""
    child = _another(home)
    began = time.perf_counter()
    child.start()
    try:
        await rolling.until_ready(child, int(child.env["HANDRAIL_HTTP_PORT"]))
        await asyncio.sleep(AFTER_SECONDS)
        came = Change("come", began, time.perf_counter())
        await asyncio.sleep(AFTER_SECONDS)
        began = time.perf_counter()
    finally:
        await child.stop()
    await asyncio.sleep(AFTER_SECONDS)
    went = Change("go", began, time.perf_counter())
    await asyncio.sleep(AFTER_SECONDS)
    return [came, went]


def _another(home: Home) -> Child:
    """A process of alerts at a port of its own, with a name of its own in the group."""
    ports = home.ports() | {"alerts": next(unused_ports())}
    admin = postgres_of(home, ports).admin_url()
    around = Surroundings(home, home.ports(), admin, f"{HOST}:{ports['kafka']}")
    env = around.of("alerts") | {
        "HANDRAIL_HTTP_PORT": str(ports["alerts"]),
        "HANDRAIL_INSTANCE": "beside",
    }
    argv = [sys.executable, "-m", "alerts.app"]
    return Child("alerts", argv, home.log("alerts-beside"), env=env)
