"""One record in a hundred is poison: who else is on the topic does not wait for it."""

import asyncio
import time
from uuid import UUID

from aiokafka import AIOKafkaProducer

from handrail.topics import partition_of
from operate.drill import judge
from operate.drill.faults import bootstrap
from operate.drill.real import quantiles
from operate.drill.scenes.stage import Stage

# Each person is measured once: from their first miss to the concern it opens.
PEOPLE, VICTIMS = 6000, 20
WINDOWS, AT_ONCE, PAUSE_SECONDS = 12, 10, 0.05
POISON_EVERY = 100
KEPT_SECONDS = 30.0
MOST_SLOWER = 1.10
MISSED = """
select key::text, staged_at from outbox where type = 'attendance.session_missed.v1' and sequence = 1
"""
OPENED = "select key::text, staged_at from outbox where type = 'alerts.concern_opened.v1'"
KEPT = "select count(*) from dead_letters where topic = 'attendance.events' and reason <> 'behind'"
UNREADABLE = (
    (b'{"site_id": "dri', b"attendance.session_missed.v1"),
    (b"{}", b"attendance.something_newer.v9"),
    (b"{}", b"\xff\xfe"),
    (None, b"attendance.session_missed.v1"),
)


async def play(stage: Stage) -> None:
    """Clean and poisoned stretches by turns, so that both have the same machine."""
    ward = stage.ward
    await ward.admit(PEOPLE + VICTIMS)
    await stage.rest()
    victims, people = ward.admissions[:VICTIMS], ward.admissions[VICTIMS:]
    ward.missed = 1.0
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap(stage.home), acks="all")
    await producer.start()
    size, written, poisoned = PEOPLE // WINDOWS, 0, set[str]()
    try:
        for window in range(WINDOWS):
            here = people[window * size : (window + 1) * size]
            for first in range(0, size, AT_ONCE):
                began = time.monotonic()
                await ward.say(f"w{window}-{first}", here[first : first + AT_ONCE])
                if window % 2 and first % POISON_EVERY == 0:
                    await _write(producer, victims[written % VICTIMS], written)
                    written += 1
                await asyncio.sleep(max(0.0, PAUSE_SECONDS - (time.monotonic() - began)))
            poisoned |= set(here) if window % 2 else set()
    finally:
        await producer.stop()

    async def is_kept() -> bool:
        return int((await judge.ask(stage.home, "alerts", KEPT))[0][0]) >= written

    stage.found["poison"] = written
    stage.found["seconds_until_kept"] = await stage.until(is_kept, "all is kept", KEPT_SECONDS)
    await stage.rest()
    await _compare(stage, poisoned)


async def _write(producer: AIOKafkaProducer, victim: str, number: int) -> None:
    value, kind = UNREADABLE[number % len(UNREADABLE)]
    headers = [("ce_type", kind), ("ce_id", b"x"), ("ce_sequence", b"1"), ("ce_incarnation", b"1")]
    place = partition_of(UUID(victim))
    await producer.send("attendance.events", value, victim.encode(), place, headers=headers)


async def _compare(stage: Stage, poisoned: set[str]) -> None:
    """How long others waited, with poison around and without: by the databases' one clock."""
    said = dict(await judge.ask(stage.home, "attendance", MISSED))
    opened = dict(await judge.ask(stage.home, "alerts", OPENED))
    took = {who: (opened[who] - at).total_seconds() for who, at in said.items() if who in opened}
    stage.require(len(took) >= PEOPLE * 0.99, "somebody's concern was not opened")
    clean = quantiles([s * 1000 for who, s in took.items() if who not in poisoned])
    dirty = quantiles([s * 1000 for who, s in took.items() if who in poisoned])
    ratio = round(dirty["p99"] / clean["p99"], 3)
    stage.found |= {"milliseconds_clean": clean, "milliseconds_poisoned": dirty, "p99_ratio": ratio}
    stage.require(ratio <= MOST_SLOWER, f"others' p99 was {ratio} times as long")
