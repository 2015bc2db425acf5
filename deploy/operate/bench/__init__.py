"""`handrail bench`: how fast, each figure beside a peer's in the same run on the same machine."""

import asyncio
import contextlib
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import asyncpg
import httpx
import typer
from aiokafka import AIOKafkaProducer
from rich.console import Console

from operate import databases
from operate.bench import consume, growth, live, page, pair, peers, sizing, subscribers, tracing
from operate.bench.history import History
from operate.bench.live import Live, percentiles
from operate.errors import OperateError
from operate.ground import postgres_of
from operate.home import HOST, Home, source_folder
from operate.parts import topics
from operate.parts.kafka import Kafka
from operate.parts.postgres import Postgres
from operate.processes import memory_mb

console = Console(highlight=False)
# Differences of a few hundredths ask for more turns than other figures.
TRACING_ROUNDS = 9


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int
    people: int
    days: int
    each_events: int
    seconds: int
    rosters: int
    admissions: int
    calls: int
    page: page.Load
    pair: pair.Load
    outside: subscribers.Load


QUICK = Size(
    rounds=3,
    people=600,
    days=30,
    each_events=1500,
    seconds=5,
    rosters=60,
    admissions=30_000,
    calls=1000,
    page=page.Load(concerns=2_000, seconds=5, streams=100, reads=60),
    pair=pair.Load(rounds=3, people=600, days=60, rate=200, seconds=40),
    outside=subscribers.Load(
        revocations=100,
        busy=240,
        rate=80,
        seconds=10,
        rounds=3,
        round_seconds=10,
        messages=500,
    ),
)
FULL = Size(
    rounds=5,
    people=2000,
    days=60,
    each_events=6000,
    seconds=20,
    rosters=300,
    admissions=200_000,
    calls=2000,
    page=page.Load(concerns=10_000, seconds=20, streams=500, reads=200),
    pair=pair.Load(rounds=7, people=2000, days=60, rate=200, seconds=120),
    outside=subscribers.Load(
        revocations=300,
        busy=240,
        rate=80,
        seconds=20,
        rounds=11,
        round_seconds=10,
        messages=5000,
    ),
)


class Only(StrEnum):
    """A part that can be measured alone; pair, tracing and sizing are measured in no other way."""

    PAGE = "page"
    PAIR = "pair"
    GROWTH = "growth"
    SUBSCRIBERS = "subscribers"
    TRACING = "tracing"
    SIZING = "sizing"


def command(
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help="Less of everything, for a first look.")
    ] = False,
    only: Annotated[Only | None, typer.Option(help="One part alone.")] = None,
    file: Annotated[Path | None, typer.Option("--json", help="Where to write it.")] = None,
) -> None:
    """Measure speed and memory, as ratios to peers measured in the same run."""
    parts = {
        Only.PAGE: _page,
        Only.PAIR: _pair,
        Only.GROWTH: _growth,
        Only.SUBSCRIBERS: _subscribers,
        Only.TRACING: _tracing,
        Only.SIZING: _sizing,
    }
    measure = parts[only] if only else _measure
    measured = asyncio.run(measure(QUICK if quick else FULL))
    if file:
        file.write_text(json.dumps(measured, indent=1, sort_keys=True) + "\n")
    console.print_json(data=measured)


async def _measure(size: Size) -> dict[str, Any]:
    machine = {"cores": os.cpu_count(), "python": platform.python_version()}
    consumed = await _consumers(size)
    running = await _running(size)
    shown = await _page(size) | await _growth(size)
    shown |= await _subscribers(size)
    return {"machine": machine, "rounds": size.rounds, "consume": consumed, "live": running} | shown


async def _growth(size: Size) -> dict[str, Any]:
    """Commands on a short and on a long history, in turn."""
    async with _folder() as home:
        port = home.free_ports()["postgres"]
        database = Postgres(home.folder / "postgres", port, home.log("postgres"))
        try:
            database.start()
            await database.wait_ready()
            admin = database.admin_url()
            await databases.prepare(admin, home, owns_server=True)
            console.print(f"commands with {growth.FEW:,} and {size.admissions:,} admissions")
            return {"growth": await growth.measure(home, admin, size.admissions, size.rounds * 8)}
        finally:
            await database.stop()


async def _page(size: Size) -> dict[str, Any]:
    """The care team's page on a running system of its own."""
    async with _folder() as home, live.running(home) as system:
        console.print("the page: news, a long list, a restart under many open pages")
        return {"page": await page.measure(home, system, size.page)}


async def _pair(size: Size) -> dict[str, Any]:
    """A second process of alerts: on a history, and coming and going on a running system."""
    async with _parts() as (home, admin, kafka):
        counts = await _history(kafka, size.pair.people, size.pair.days)
        console.print("a history for one process of alerts and for two, in turns")
        rates = await pair.rates(home, admin, kafka, sum(counts.values()), size.pair.rounds)
    async with _folder() as home, live.running(home) as system:
        console.print("a second process of alerts comes and goes under load")
        pauses = await pair.pauses(home, system, size.pair)
    return {"pair": {"events": sum(counts.values()), **rates, "pauses": pauses}}


async def _tracing(size: Size) -> dict[str, Any]:
    """The same calls without tracing and with the default share of it, in turn."""
    async with _folder() as off, _folder() as on:
        console.print("calls without traces and with the default share of them, in turn")
        rounds = max(size.rounds, TRACING_ROUNDS)
        folders = {"off": off.folder, "on": on.folder}
        return {"tracing": await tracing.measure(folders, rounds, size.calls)}


async def _sizing(size: Size) -> dict[str, Any]:
    """What an event costs on a running system of its own, and what clinics need by that."""
    async with _folder() as home, live.running(home) as system:
        console.print("single calls, then two clinics of six weeks")
        return {"sizing": await sizing.measure(home, system, size.calls)}


async def _subscribers(size: Size) -> dict[str, Any]:
    """Subscribers of a running system of its own."""
    async with _folder() as home:
        console.print("subscribers: revocations, a slow neighbour, two days away")
        return {"subscribers": await subscribers.measure(home, size.outside)}


@contextlib.asynccontextmanager
async def _folder() -> AsyncIterator[Home]:
    folder = await asyncio.to_thread(_made_folder)
    home = Home(folder)
    home.create()
    try:
        yield home
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _made_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="handrail-bench-")).resolve()


async def _consumers(size: Size) -> dict[str, Any]:
    """Alerts and its peers on the same topics, one after the other, round by round."""
    async with _parts() as (home, admin, kafka):
        beside = await asyncio.to_thread(peers.found, home, console.print)
        counts = await _history(kafka, size.people, size.days)
        rates: dict[str, list[float]] = {}
        for number in range(size.rounds):
            console.print(f"consumers, round {number + 1} of {size.rounds}")
            found = await consume.alerts_rate(home, admin, kafka, sum(counts.values()))
            rates.setdefault("alerts", []).append(found)
            for name in list(beside.commands):
                wanted = size.each_events if name == peers.EACH else counts["attendance"]
                url = await _peer_database(admin, home, name)
                turn = await consume.peer_turn(beside, name, url, kafka, wanted)
                rates.setdefault(name, []).extend(turn)
    whole = {name: found for name, found in rates.items() if name not in beside.left_out}
    counted = {"events": sum(counts.values()), "left_out": beside.left_out}
    return consume.ratios(whole) | counted


@contextlib.asynccontextmanager
async def _parts() -> AsyncIterator[tuple[Home, str, str]]:
    """A home with a PostgreSQL, a Kafka and its topics, and no services; where its parts are."""
    async with _folder() as home:
        ports = home.free_ports()
        database = Postgres(home.folder / "postgres", ports["postgres"], home.log("postgres"))
        broker = Kafka(
            home.folder / "kafka", ports["kafka"], ports["kafka_controller"], home.log("kafka")
        )
        try:
            database.start()
            broker.start()
            await database.wait_ready()
            await broker.wait_ready()
            await databases.prepare(database.admin_url(), home, owns_server=True)
            await topics.create(broker.address)
            yield home, database.admin_url(), broker.address
        finally:
            await broker.stop()
            await database.stop()


async def _history(kafka: str, people: int, days: int) -> dict[str, int]:
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", linger_ms=20)
    await producer.start()
    try:
        history = History(producer)
        await history.write(people, days)
    finally:
        await producer.stop()
    return history.counts


async def _peer_database(admin: str, home: Home, name: str) -> str:
    """A database of the peer's own, and a consumer group that has taken nothing."""
    conn = await asyncpg.connect(admin)
    try:
        await conn.execute(f"drop database if exists peer_{name} with (force)")
        await conn.execute(f"create database peer_{name} owner alerts")
    finally:
        await conn.close()
    url = databases.url_of(admin, "alerts", home)
    return url.rpartition("/alerts")[0] + f"/peer_{name}" + url.rpartition("/alerts")[2]


async def _running(size: Size) -> dict[str, Any]:
    async with _folder() as home, live.running(home) as system:
        idle = _memory(home)
        console.print("alerts at 200 and at 2,000 events/s")
        low = percentiles(await system.alert_latencies(200, size.seconds))
        high = percentiles(await system.alert_latencies(2000, size.seconds))
        console.print("recording attendance by HTTP")
        async with _folder() as peer:
            single = await _single(home, system, size, peer.free_ports()["attendance"])
        roster = percentiles(await system.roster_latencies(size.rosters))
        at_rest = percentiles(await system.roster_latencies(size.rosters, at_rest=True))
        busy = _memory(home)
    return {
        "commit_to_alert_at_200": _rounded(low),
        "commit_to_alert_at_2000": _rounded(high),
        "record_by_http": single,
        "roster_of_20": _rounded(roster),
        "roster_of_20_at_rest": _rounded(at_rest),
        "memory_mb_idle": idle,
        "memory_mb_after": busy,
    }


def _memory(home: Home) -> dict[str, float | None]:
    services = home.read("run.json")["services"]
    return {name: memory_mb(one["pid"]) for name, one in services.items()}


async def _single(home: Home, system: Live, size: Size, port: int) -> dict[str, Any]:
    """Single calls to attendance and to the same framework inserting one row, in turn."""
    admin = postgres_of(home, home.ports()).admin_url()
    url = await _peer_database(admin, home, "one_row")
    program = Path(source_folder(), "tests", "bench", "peers", "one_row.py")
    process = await asyncio.create_subprocess_exec(sys.executable, str(program), url, str(port))
    address = f"http://{HOST}:{port}/seats"
    bodies = live.one_row_bodies()
    ours, theirs = [], []
    try:
        await _until_answers(system.client, address)
        for _ in range(size.rounds):
            ours.append(await system.single_rate(2.0))
            theirs.append(await live.calls_a_second(system.client, address, bodies, 2.0))
    finally:
        process.terminate()
        await process.wait()
    return {
        "calls_per_second": round(median(ours)),
        "one_row_calls_per_second": round(median(theirs)),
        "to_one_row": round(median(ours) / median(theirs), 3),
    }


async def _until_answers(client: httpx.AsyncClient, url: str) -> None:
    for _ in range(400):
        with contextlib.suppress(httpx.TransportError):
            await client.get(url)
            return
        await asyncio.sleep(0.05)
    message = "the peer that inserts one row did not start"
    raise OperateError(message)


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 1) for name, value in values.items()}
