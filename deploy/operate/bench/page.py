"""The care team's page on a running system: how soon news stands on it, and what its list costs."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

import httpx
import psutil

from operate.bench.live import Live
from operate.bench.streams import Stream, sign_in
from operate.errors import OperateError
from operate.home import Home
from operate.processes import memory_mb

PARTS = ("/", "/page/page.css", "/page/page.js", "/page/icon.svg")
SETTLE_SECONDS = 60.0
NO_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=20)
RATE = 200


@dataclass(frozen=True)
class Load:
    """How much is asked of the page."""

    concerns: int
    seconds: int
    streams: int
    reads: int


async def measure(home: Home, system: Live, load: Load) -> dict[str, Any]:
    """All figures of the page, one after the other."""
    base = system.addresses.alerts
    async with httpx.AsyncClient(timeout=60, trust_env=False, limits=NO_LIMITS) as client:
        await sign_in(client, base, "counsellor")
        news = await _news(system, client, load)
        await _fill(system, load.concerns)
        read = await _list(client, base, load)
        restarted = await _restart(home, system, client, load)
    return {"miss_to_page_at_200": news, "list": read, "restart": restarted}


async def _news(system: Live, client: httpx.AsyncClient, load: Load) -> dict[str, Any]:
    """Milliseconds from sending a miss until an open page has its line, at 200 events/s."""
    people = await system.admit(RATE * load.seconds // 4 + 1)
    stream = Stream(client, f"{system.addresses.alerts}/live")
    async with _open([stream]):
        await system.load(people, RATE, load.seconds)
        sent = [person for person in people if person in system.sent]
        await _until_all([stream], sent)
    return _figures([stream.seen[person] - system.sent[person] for person in sent])


async def _fill(system: Live, count: int) -> None:
    """So many open concerns, by missed sessions."""
    people = await system.admit(count)
    await system.miss(people)
    await system.until_settled()


async def _list(client: httpx.AsyncClient, base: str, load: Load) -> dict[str, Any]:
    """The first page of the list by HTTP, beside a route that does nothing; and what it weighs."""
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(load.reads):
        for path, took in (("/", ours), ("/health/live", bare)):
            began = time.perf_counter()
            (await client.get(base + path)).raise_for_status()
            took.append(time.perf_counter() - began)
    weights = [len((await client.get(base + path)).content) for path in PARTS]
    found = _figures(ours) | {"first_page_bytes": sum(weights), "open_concerns": load.concerns}
    return found | {"to_bare_route": round(found["p95_ms"] / _figures(bare)["p95_ms"], 1)}


async def _restart(
    home: Home, system: Live, client: httpx.AsyncClient, load: Load
) -> dict[str, Any]:
    """Many open pages while alerts is ended by force: what each of them missed."""
    people = await system.admit(40)
    streams = [Stream(client, f"{system.addresses.alerts}/live") for _ in range(load.streams)]
    async with _open(streams):
        await system.miss(people[:10])
        await _until_all(streams, people[:10])
        busy = memory_mb(_pid(home))
        began = time.perf_counter()
        psutil.Process(_pid(home)).kill()
        for person in people[10:30]:
            await system.miss([person])
        await _until_all(streams, people[10:30])
        back = time.perf_counter() - began
        began = time.perf_counter()
        await system.miss(people[30:])
        await _until_all(streams, people[30:])
        spread = time.perf_counter() - began
    return {
        "streams": load.streams,
        "missed": sum(person not in s.seen for s in streams for person in people),
        "opened_again": sum(stream.opened > 1 for stream in streams),
        "seconds_until_all_had_all": round(back, 2),
        "ms_to_the_last_stream": round(spread * 1000, 1),
        "alerts_memory_mb": busy,
    }


@contextlib.asynccontextmanager
async def _open(streams: Sequence[Stream]) -> AsyncIterator[None]:
    """Keep streams open."""
    tasks = [asyncio.create_task(stream.listen()) for stream in streams]
    try:
        async with asyncio.timeout(SETTLE_SECONDS):
            await asyncio.gather(*(stream.is_open.wait() for stream in streams))
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _until_all(streams: Sequence[Stream], people: Sequence[str]) -> None:
    """Wait until every stream has seen everybody. Raises OperateError."""
    until = time.monotonic() + SETTLE_SECONDS
    while any(person not in stream.seen for stream in streams for person in people):
        if time.monotonic() > until:
            lost = sum(person not in stream.seen for stream in streams for person in people)
            message = f"{lost} lines did not reach an open page in {SETTLE_SECONDS:.0f} s"
            raise OperateError(message)
        await asyncio.sleep(0.01)


def _pid(home: Home) -> int:
    return int(home.read("run.json")["services"]["alerts"]["pid"])


def _figures(values: list[float]) -> dict[str, Any]:
    cuts = quantiles(values, n=100, method="inclusive")
    middle, high = round(cuts[49] * 1000, 1), round(cuts[94] * 1000, 1)
    return {"p50_ms": middle, "p95_ms": high, "count": len(values)}
