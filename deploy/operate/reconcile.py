"""After a restore: what the topics and the consumers know that the sources no longer do."""

from collections import Counter, defaultdict
from typing import Any
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from handrail.topics import OWNERS, PARTITIONS, owner_of, topic_of

_STREAMS = "select key, sequence from outbox_streams"
_HEARD = "select owner, key, sequence from inbox_streams"
_OFFSETS = "select topic, partition, next_offset from inbox_offsets"
# A source never gives a number again that others have heard: what it says next follows on.
_RAISE = """
insert into outbox_streams (key, sequence) select * from unnest($1::uuid[], $2::bigint[])
on conflict (key) do update set sequence = excluded.sequence
"""
_INCARNATION = """
insert into incarnations (number)
select greatest((select max(number) from incarnations), $1) + 1
returning number
"""
# Sent before the restore: in the topic already, and under their own incarnation.
_SENT = """
delete from outbox_pending p using outbox o, unnest($1::uuid[], $2::bigint[]) as t (key, sequence)
where o.id = p.id and o.key = t.key and o.sequence <= t.sequence
"""
_LEASES = "delete from relay_leases"


async def reconcile(urls: dict[str, str], bootstrap: str) -> dict[str, Any]:
    """Raise incarnations and streams; tell what was forgotten, by owner, admission and type.

    Raises nothing by itself: what cannot be known is in the answer. `forgotten` are events that
    subscribers have and the restored source has not; `ahead` are streams a consumer has heard
    further than topic and source; `positions_beyond` are topics that end before a position.
    """
    told = await _read(bootstrap)
    conns = {name: await asyncpg.connect(url, timeout=10) for name, url in urls.items()}
    try:
        heard: dict[str, Counter[UUID]] = defaultdict(Counter)
        beyond: list[str] = []
        for service, conn in conns.items():
            for owner, key, sequence in await conn.fetch(_HEARD):
                heard[owner][key] = max(heard[owner][key], sequence)
            for topic, place, position in await conn.fetch(_OFFSETS):
                if position > told[owner_of(topic)].ends[place]:
                    beyond.append(f"{service}: {topic}/{place}")
        answer: dict[str, Any] = {"forgotten": {}, "ahead": {}, "positions_beyond": sorted(beyond)}
        for owner, conn in conns.items():
            await _reconcile_one(conn, owner, told[owner], heard[owner], answer)
        return answer
    finally:
        for conn in conns.values():
            await conn.close(timeout=5)


class _Told:
    """What one owner's topic holds."""

    def __init__(self) -> None:
        self.events: dict[UUID, dict[int, str]] = defaultdict(dict)
        self.ends: dict[int, int] = {}
        self.incarnation = 1


async def _reconcile_one(
    conn: "asyncpg.Connection[asyncpg.Record]",
    owner: str,
    told: _Told,
    heard: Counter[UUID],
    answer: dict[str, Any],
) -> None:
    stands = {row[0]: row[1] for row in await conn.fetch(_STREAMS)}
    forgotten: dict[str, dict[str, int]] = {}
    raised: dict[UUID, int] = {}
    for key, events in told.events.items():
        lost = Counter(kind for n, kind in events.items() if n > stands.get(key, 0))
        if lost:
            forgotten[str(key)] = dict(lost)
            raised[key] = max(events)
    for key, sequence in heard.items():
        if sequence > max(stands.get(key, 0), *told.events.get(key, {0: ""})):
            answer["ahead"].setdefault(owner, {})[str(key)] = sequence
            raised[key] = sequence
    tops = {key: max(events) for key, events in told.events.items()}
    async with conn.transaction():
        await conn.execute(_SENT, list(tops), list(tops.values()))
        await conn.execute(_RAISE, list(raised), list(raised.values()))
        await conn.execute(_LEASES)
        number = await conn.fetchval(_INCARNATION, told.incarnation)
    answer.setdefault("incarnation", {})[owner] = number
    if forgotten:
        answer["forgotten"][owner] = forgotten


async def _read(bootstrap: str) -> dict[str, _Told]:
    """Every readable record of the four topics, by key and sequence."""
    # Seeking to the beginning would race with the reset to the end that is aiokafka's default.
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    places = [TopicPartition(topic_of(owner), p) for owner in OWNERS for p in range(PARTITIONS)]
    found: dict[str, _Told] = defaultdict(_Told)
    await consumer.start()
    try:
        consumer.assign(places)
        for tp, end in (await consumer.end_offsets(places)).items():
            told = found[owner_of(tp.topic)]
            told.ends[tp.partition] = end
            while await consumer.position(tp) < end:
                for records in (await consumer.getmany(tp, timeout_ms=1000)).values():
                    for record in records:
                        _note(told, record)
    finally:
        await consumer.stop()
    return found


def _note(told: _Told, record: Any) -> None:
    """Remember one record; those nobody can read say nothing."""
    named = dict(record.headers)
    try:
        key = UUID(record.key.decode())
        sequence, incarnation = int(named["ce_sequence"]), int(named["ce_incarnation"])
        kind = named["ce_type"].decode()
    except (KeyError, ValueError, AttributeError):
        return
    told.events[key][sequence] = kind
    told.incarnation = max(told.incarnation, incarnation)
