"""Judges a drill from the ledger, the four databases and the whole topics; trusts no service."""

import asyncio
from collections import Counter, defaultdict
from typing import Any

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition

from handrail.topics import OWNERS, PARTITIONS, owner_of, topic_of
from operate.drill.faults import bootstrap, database_url
from operate.drill.ward import SITE, Ward
from operate.home import SERVICES, Home

SEATS = """
select e.session_key, s.admission_id::text, s.status
from seats s join sessions e using (session_id) where e.source = $1
"""
RECORDED = """
select key::text, sequence, type from outbox
where type in ('attendance.session_attended.v1', 'attendance.session_missed.v1')
    and key::text = any($1)
"""
FACTS = "select admission_id::text, sequence from facts where owner = 'attendance'"
TWICE_ALERTED = """
select count(*) from (select concern_id, level from alerts group by 1, 2 having count(*) > 1) t
"""
# An open concern of level 0 to 2 has an alert that stands (3 waits on the page); an alert that stands was told to subscribers.
UNALERTED = """
select (select count(*) from concerns c where closed_at is null and level <= 2 and not exists (
    select 1 from alerts a where a.concern_id = c.concern_id and withdrawn_at is null
)) + (select count(*) from alerts a where withdrawn_at is null and not exists (
    select 1 from outbox o where o.key = a.admission_id and o.type = 'alerts.alert_raised.v1'
        and convert_from(o.data, 'UTF8')::jsonb ->> 'alert_id' = a.alert_id::text
))
"""
STREAMS = "select key::text, sequence from outbox_streams"
STREAMS_OF = f"{STREAMS} where key = any($1::text[]::uuid[])"
HEARD = "select owner, key::text, sequence from inbox_streams"
HEARD_OF = """
select key::text, sequence from inbox_streams
where owner = $1 and key = any($2::text[]::uuid[])
"""
OFFSETS = "select topic, partition, next_offset from inbox_offsets"
LETTERS = "select distinct key::text from dead_letters where state in ('parked', 'behind')"


async def ask(home: Home, service: str, question: str, *values: object) -> list[asyncpg.Record]:
    """The rows of one question to one service's database."""
    conn = await asyncpg.connect(database_url(home, service), timeout=10)
    try:
        rows: list[asyncpg.Record] = await conn.fetch(question, *values)
        return rows
    finally:
        await conn.close(timeout=5)


async def at_rest(home: Home) -> bool:
    """Whether everything staged is sent, and everything sent is taken.

    In this order: what a taken event staged is still pending, or has moved an end.
    """
    ends = await _ends(home)
    for service in SERVICES:
        for topic, place, position in await ask(home, service, OFFSETS):
            if position < ends[TopicPartition(topic, place)]:
                return False
    for service in SERVICES:
        pending = await ask(home, service, "select count(*) from outbox_pending")
        if pending[0][0]:
            return False
    return await _ends(home) == ends


async def _ends(home: Home) -> dict[TopicPartition, int]:
    return {tp: end for tp, (end, _) in (await topics(home, read=False)).items()}


async def topics(
    home: Home, *, read: bool
) -> dict[TopicPartition, tuple[int, list[tuple[str, int]]]]:
    """For each partition its end and, when read, the key and sequence of each readable record."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap(home), enable_auto_commit=False)
    places = [TopicPartition(topic_of(owner), p) for owner in OWNERS for p in range(PARTITIONS)]
    found: dict[TopicPartition, tuple[int, list[tuple[str, int]]]] = {}
    await consumer.start()
    try:
        consumer.assign(places)
        for tp, end in (await consumer.end_offsets(places)).items():
            records: list[tuple[str, int]] = []
            if read:
                consumer.seek(tp, 0)
                while await consumer.position(tp) < end:
                    for batch in (await consumer.getmany(tp, timeout_ms=1000)).values():
                        records += [(_key(r), _sequence(r)) for r in batch if _is_ours(r)]
            found[tp] = end, records
    finally:
        await consumer.stop()
    return found


async def sequences(home: Home, people: set[str], owner: str = "attendance") -> dict[str, int]:
    """How far a service has spoken about each of these people."""
    return dict(await ask(home, owner, STREAMS_OF, list(people)))


async def has_heard(
    home: Home, said: dict[str, int], owner: str = "attendance", reader: str = "alerts"
) -> bool:
    """Whether a reader has heard so much of what its owner said."""
    rows = await ask(home, reader, HEARD_OF, owner, list(said))
    heard = dict(rows)
    return all(heard.get(key, 0) >= sequence for key, sequence in said.items())


async def redrive(home: Home, client: httpx.AsyncClient) -> int:
    """Play back every admission that is held up, giving up what nobody can read."""
    count = 0
    for service in SERVICES:
        for row in await ask(home, service, LETTERS):
            if row[0] is None:
                continue
            url = f"{getattr(home.addresses(), service)}/v1/dead-letters/{row[0]}/redrive"
            answer = await client.post(url, params={"drop_unreadable": "true"})
            count += int(answer.json().get("applied", 0) + answer.json().get("dropped", 0))
    return count


async def judge(home: Home, ward: Ward) -> dict[str, Any]:
    """What was lost, doubled or out of order."""
    wrong: Counter[str] = Counter()
    seats = await ask(home, "attendance", SEATS, SITE)
    had = Counter(row[0] for row in seats)
    became = {row[0]: (row[1], row[2]) for row in seats}
    wrong["lost"] += sum(1 for key, what in ward.said.items() if became.get(key) != what)
    wrong["duplicated"] += sum(count - 1 for count in had.values())
    wrong["false_missed"] += sum(
        1 for k, (_, s) in became.items() if s == "no_show" and k not in ward.asked_to_miss
    )
    # A command whose answer never came may have been carried out: it is no promise.
    recorded = await ask(home, "attendance", RECORDED, ward.admissions)
    wrong["duplicated"] += max(0, len(recorded) - len(became))
    wrong["lost"] += max(0, len(became) - len(recorded))
    facts = {tuple(row) for row in await ask(home, "alerts", FACTS)}
    wrong["lost"] += sum(1 for key, sequence, _ in recorded if (key, sequence) not in facts)
    wrong["duplicated"] += (await ask(home, "alerts", TWICE_ALERTED))[0][0]
    wrong["alerts_missing"] += (await ask(home, "alerts", UNALERTED))[0][0]
    told = await topics(home, read=True)
    wrong["out_of_order"] += sum(_disorder(records) for _, records in told.values())
    deliveries = await _compare_streams(home, wrong)
    left = [await ask(home, service, LETTERS) for service in SERVICES]
    wrong["still_parked"] += sum(len(rows) for rows in left)
    return {
        "commands": len(ward.said),
        "repeated_commands": ward.repeats,
        "retries": ward.retries,
        "records": sum(end for end, _ in told.values()),
        "repeated_records": sum(len(r) - len(set(r)) for _, r in told.values()),
        "deliveries": deliveries,
        **wrong,
        "refused": ward.refused[:20],
    }


async def _compare_streams(home: Home, wrong: Counter[str]) -> int:
    """Each consumer stands at the end of each stream of each source it reads."""
    said = {
        owner: {row[0]: row[1] for row in await ask(home, owner, STREAMS)} for owner in SERVICES
    }
    deliveries = 0
    for service in SERVICES:
        offsets = await ask(home, service, OFFSETS)
        deliveries += sum(row[2] for row in offsets)
        heard: dict[str, dict[str, int]] = defaultdict(dict)
        for owner, key, sequence in await ask(home, service, HEARD):
            heard[owner][key] = sequence
        for owner in {owner_of(row[0]) for row in offsets}:
            for key, sequence in said[owner].items():
                wrong["lost"] += max(0, sequence - heard[owner].get(key, 0))
    return deliveries


def _disorder(records: list[tuple[str, int]]) -> int:
    """First sightings of a stream's sequence that leave one out."""
    last: dict[str, int] = {}
    count = 0
    for key, sequence in records:
        count += sequence > last.get(key, 0) + 1
        last[key] = max(last.get(key, 0), sequence)
    return count


def _is_ours(record: Any) -> bool:
    names = dict(record.headers)
    return bool(record.value) and names.get("ce_id") != b"x" and "ce_sequence" in names


def _key(record: Any) -> str:
    return (record.key or b"").decode()


def _sequence(record: Any) -> int:
    return int(dict(record.headers)["ce_sequence"])


async def until_rest(home: Home, seconds: float) -> bool:
    """Wait for it. False when the time is over."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                try:
                    if await at_rest(home):
                        return True
                except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    pass
                await asyncio.sleep(0.2)
    except TimeoutError:
        return False
