"""How much machine clinics need: what an event costs here, and a model of clinics from that."""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import asyncpg
import psutil
from aiokafka import AIOKafkaConsumer, TopicPartition

from handrail.topics import PARTITIONS, topic_of
from operate.bench.live import Live
from operate.ground import postgres_of
from operate.home import SERVICES, Home
from operate.processes import memory_mb
from operate.simulate.play import Plan, Played, play

PEOPLE = 200
PATIENTS, DAYS, SEEDS = 60, 42, (7, 8)
# A clinic has so many people in care; half of what a day brings comes when its evening groups end.
CENSUS = 60
PEAK_SHARE, PEAK_SECONDS = 0.5, 900
# A process is planned to be busy for half of its time at the peak, and no service runs alone.
BUSY, AT_LEAST = 0.5, 2
CLINICS = (1, 100, 10_000)
DAYS_A_YEAR = 365
GB = 1e9


@dataclass(frozen=True)
class Cost:
    """What one event costs: milliseconds of a processor by process, bytes on disk; how many come."""

    cpu_ms: Mapping[str, float]
    database_bytes: float
    topic_bytes: float
    events_a_person_day: float


async def measure(home: Home, system: Live, calls: int) -> dict[str, Any]:
    """The cost of an event on this running system, and what so many clinics need by it.

    The processors are measured by `calls` single calls, the dearest way an event can come; the
    bytes and the events of a day by simulated clinics. Raises OperateError.
    """
    await system.admit(PEOPLE)
    await system.through(calls // 4)
    run = home.read("run.json")
    spent, events = cpu_seconds(run), await _events(system)
    await system.through(calls)
    spent = {name: now - spent[name] for name, now in cpu_seconds(run).items()}
    called = await _events(system) - events

    before = await _kept(home, system)
    care_days = sum([await _care_days(system, seed) for seed in SEEDS])
    events, database, topics = (
        now - then for now, then in zip(await _kept(home, system), before, strict=True)
    )
    cost = Cost(
        {name: seconds * 1000 / called for name, seconds in spent.items()},
        database / events,
        topics / events,
        events / care_days,
    )
    memory = {name: memory_mb(one["pid"]) or 0.0 for name, one in _processes(run).items()}
    return {
        "cost": asdict(cost),
        "memory_mb": {name: round(size) for name, size in memory.items()},
        "clinics": {str(clinics): needs(cost, clinics) for clinics in CLINICS},
    }


def needs(cost: Cost, clinics: int) -> dict[str, Any]:
    """What so many clinics of `CENSUS` people need; cores are of this machine, disk is of a year.

    `instances` are processes of each service, every one of which uses one core at most;
    a topic has eight partitions, so more than eight need a second installation.
    """
    a_day = cost.events_a_person_day * CENSUS * clinics
    peak = a_day * PEAK_SHARE / PEAK_SECONDS
    cores = {name: peak * ms / 1000 / BUSY for name, ms in cost.cpu_ms.items()}
    instances = {name: max(AT_LEAST, math.ceil(cores[name])) for name in SERVICES}
    return {
        "people": CENSUS * clinics,
        "events_a_day": round(a_day),
        "peak_events_a_second": round(peak, 2),
        "cores": {name: round(value, 2) for name, value in cores.items()},
        "instances": instances,
        "installations": max(math.ceil(count / PARTITIONS) for count in instances.values()),
        "database_gb_a_year": round(a_day * DAYS_A_YEAR * cost.database_bytes / GB, 1),
        "topics_gb_a_year": round(a_day * DAYS_A_YEAR * cost.topic_bytes / GB, 1),
    }


def cpu_seconds(run: Mapping[str, Any]) -> dict[str, float]:
    """Processor seconds so far of every process in `run.json`, with those it started."""
    return {name: _spent(psutil.Process(one["pid"])) for name, one in _processes(run).items()}


def _processes(run: Mapping[str, Any]) -> dict[str, Any]:
    return {**run["services"], **run["parts"]}


def _spent(process: psutil.Process) -> float:
    own = process.cpu_times()
    living = [child.cpu_times() for child in process.children(recursive=True)]
    ended = own.children_user + own.children_system
    return float(ended + sum(times.user + times.system for times in (own, *living)))


async def _care_days(system: Live, seed: int) -> int:
    """Play a clinic; gives the days that its people were in care, together."""
    days = 0

    def told(played: Played) -> None:
        nonlocal days
        days += sum(person.status == "admitted" for person in played.clinic.people)

    await play(system.addresses, Plan(PATIENTS, DAYS, seed), told)
    await system.until_settled()
    return days


async def _kept(home: Home, system: Live) -> tuple[int, int, int]:
    """Events on the topics, bytes of all databases, and of the topics on one broker."""
    topics = await asyncio.to_thread(_topic_bytes, home.folder / "kafka")
    return await _events(system), await _database_bytes(home), topics


def _topic_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*.events-*/*.log"))


async def _events(system: Live) -> int:
    consumer = AIOKafkaConsumer(bootstrap_servers=system.kafka)
    await consumer.start()
    try:
        places = [
            TopicPartition(topic_of(owner), number)
            for owner in SERVICES
            for number in range(PARTITIONS)
        ]
        return sum((await consumer.end_offsets(places)).values())
    finally:
        await consumer.stop()


async def _database_bytes(home: Home) -> int:
    conn = await asyncpg.connect(postgres_of(home, home.ports()).admin_url())
    try:
        return int(await conn.fetchval("select sum(pg_database_size(oid)) from pg_database"))
    finally:
        await conn.close()
