"""Reads every owner's topic into the subscribers' queues; not at all while nobody subscribes."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from handrail.envelope import Received, Unreadable, read
from handrail.events import AdmissionEvent
from handrail.telemetry import log
from handrail.topics import OWNERS, PARTITIONS, owner_of, topic_of
from handrail.transient import TRANSIENT
from handrail.writes import of_rows, write
from intake.disclosures import messages
from intake.disclosures.backport import topics

IDLE_SECONDS = 15.0
WAIT_MILLISECONDS = 500
BATCH = 1000

_SUBSCRIBERS = """
select s.subscriber_id, s.site_id, s.data_classes, s.created_at, f.topic
from subscribers s
left join fhir_subscriptions f on f.subscription_id = s.subscriber_id
where s.state <> 'removed'
    -- Who subscribes by FHIR is told by its Subscriptions alone.
    and (f.subscription_id is not null or not starts_with(s.url, 'fhir+'))
"""
_STAND = "select topic, partition, next_offset from egress_offsets"
_FORGET = "delete from egress_offsets"
_BEGIN = """
insert into egress_offsets (topic, partition, next_offset)
select * from unnest($1::text[], $2::smallint[], $3::bigint[])
on conflict (topic, partition) do nothing
"""
# By compare-and-set, so that of two readers only one fills the queues.
_MOVE = """
update egress_offsets as o set next_offset = t.next
from unnest($1::text[], $2::smallint[], $3::bigint[], $4::bigint[])
    as t (topic, partition, expected, next)
where o.topic = t.topic and o.partition = t.partition and o.next_offset = t.expected
returning 1
"""
_QUEUE = """
insert into deliveries (subscriber_id, admission_id, event_id, type, data)
select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bytea[])
on conflict (subscriber_id, event_id) do nothing
"""

Record: TypeAlias = "ConsumerRecord[bytes, bytes]"


class AnotherReaderError(Exception):
    """Another instance has moved the positions."""


@dataclass
class Reader:
    """Reads for ever; `wake` is rung when somebody subscribes."""

    bootstrap: str
    pool: asyncpg.Pool
    queued: Callable[[], None] = lambda: None
    access: dict[str, Any] = field(default_factory=dict)
    skipped: int = 0
    trouble: str | None = None
    _rung: asyncio.Event = field(default_factory=asyncio.Event)
    _positions: dict[TopicPartition, int] = field(default_factory=dict)

    def wake(self) -> None:
        """Somebody may have subscribed: look now."""
        self._rung.set()

    async def run(self) -> None:
        """Read while there is a subscriber."""
        while True:
            self._rung.clear()
            try:
                subscribers = await self.pool.fetch(_SUBSCRIBERS)
                if subscribers:
                    await self._read(min(row["created_at"] for row in subscribers))
                await self.pool.execute(_FORGET)
            except (*TRANSIENT, KafkaError, AnotherReaderError) as error:
                if self.trouble is None:
                    log.warning("egress.waits", error=type(error).__name__)
                self.trouble = type(error).__name__
                await asyncio.sleep(1.0)
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._rung.wait(), IDLE_SECONDS)

    async def _read(self, since: datetime) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap,
            **self.access,
            client_id="handrail-egress",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        try:
            await consumer.start()
            await self._place(consumer, since)
            self.trouble = None
            while True:
                fetched = await consumer.getmany(timeout_ms=WAIT_MILLISECONDS, max_records=BATCH)
                subscribers = await self.pool.fetch(_SUBSCRIBERS)
                if not subscribers:
                    return
                if fetched:
                    await self.take(fetched, subscribers)
        finally:
            with contextlib.suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(consumer.stop(), 5)

    async def _place(self, consumer: AIOKafkaConsumer, since: datetime) -> None:
        """Begin where the database says; the first time, when the first subscriber came."""
        everywhere = [TopicPartition(topic_of(o), p) for o in OWNERS for p in range(PARTITIONS)]
        consumer.assign(everywhere)
        stored = {TopicPartition(row[0], row[1]): row[2] for row in await self.pool.fetch(_STAND)}
        fresh = [tp for tp in everywhere if tp not in stored]
        if fresh:
            moment = int(since.timestamp() * 1000)
            # The ends first: what is said between the two questions is found by its time.
            ends = await consumer.end_offsets(fresh)
            found = await consumer.offsets_for_times(dict.fromkeys(fresh, moment))
            begun = {tp: found[tp].offset if found.get(tp) else ends[tp] for tp in fresh}
            await self.pool.execute(_BEGIN, *_columns(begun), list(begun.values()))
            stored |= begun
        for tp in everywhere:
            consumer.seek(tp, stored[tp])
        self._positions = stored

    async def take(
        self, fetched: dict[TopicPartition, list[Record]], subscribers: Sequence["asyncpg.Record"]
    ) -> None:
        """Queue what somebody subscribes to, and move the positions, in one transaction."""
        rows = [
            (row["subscriber_id"], one.key, one.event_id, one.event.type, record.value)
            for records in fetched.values()
            for record in records
            if (one := self._try_to_read(record)) and messages.leads(one.event.type)
            for row in subscribers
            if row["site_id"] == one.event.site_id
            and messages.leads(one.event.type) in row["data_classes"]
            and (row["topic"] is None or topics.has(row["topic"], one.event.type))
            and record.timestamp >= int(row["created_at"].timestamp() * 1000)
        ]
        nexts = {tp: int(records[-1].offset) + 1 for tp, records in fetched.items()}
        async with self.pool.acquire() as conn, conn.transaction():
            before = [self._positions[tp] for tp in nexts]
            moved = await conn.fetch(_MOVE, *_columns(nexts), before, list(nexts.values()))
            if len(moved) != len(nexts):
                raise AnotherReaderError
            await write(conn, of_rows(_QUEUE, rows))
        self._positions |= nexts
        if rows:
            self.queued()

    def _try_to_read(self, record: Record) -> Received | None:
        """An event of an admission; what cannot be read never leaves."""
        owner = owner_of(record.topic)
        try:
            found = read(owner, record.partition, record.offset, record.value, list(record.headers))
        except Unreadable:
            self.skipped += 1
            return None
        return found if isinstance(found.event, AdmissionEvent) else None


def _columns(places: dict[TopicPartition, int]) -> tuple[list[str], list[int]]:
    return [tp.topic for tp in places], [tp.partition for tp in places]
