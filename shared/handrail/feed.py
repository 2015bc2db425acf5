"""Takes other services' events: raw batches from FastStream, few transactions a fetch."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from handrail import failpoints, metrics
from handrail.applying import Applier, Separately
from handrail.inbox import Batch, Superseded
from handrail.telemetry import log
from handrail.transient import TRANSIENT

BATCH = 1000
# How long nothing may come until the loop turns; what comes is taken at once.
IDLE_MILLISECONDS = 1000
# A large fetch is applied in so many transactions at a time, each for some of the partitions. A
# small one takes a single transaction, whose dozen statements cost more than its few events.
LANES = 4
SMALL = 100
FIRST_PAUSE_SECONDS = 0.1
# By its next heartbeat each member learns of a change, and the first to learn waits for the last.
HEARTBEAT_MILLISECONDS = 300
FETCH_MILLISECONDS = 200
STUCK_SECONDS = 30.0
# After a broker's end a consumer may never find it again; a new one does.
SILENT_SECONDS = 10.0
LAG_SECONDS, LOST_SECONDS = 2.0, 3.0
WENT_BACK, MISSING = "topic_went_back", "topic_missing"

Record: TypeAlias = "ConsumerRecord[bytes, bytes]"

_OFFSETS = """
select topic, partition, next_offset
from unnest($1::text[], $2::smallint[]) as t (topic, partition)
join inbox_offsets using (topic, partition)
"""


@dataclass
class Feed(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """One service's consumer of the topics it reads."""

    service: str
    topics: tuple[str, ...]
    applier: Applier
    # A service in no hurry lets events gather, so that a transaction takes many.
    rest_seconds: float = 0.0
    expected: dict[TopicPartition, int] = field(default_factory=dict)
    unplaced: set[TopicPartition] = field(default_factory=set)
    # Of these, those whose topic was found to end before the stored offset.
    beyond: set[TopicPartition] = field(default_factory=set)
    applied: int = 0
    last_success: float | None = None
    trouble: str | None = None
    is_connected: bool = False
    # What `lag` said last; `watch` asks every second.
    last_lag: dict[str, int] = field(default_factory=dict)
    _pause: float = FIRST_PAUSE_SECONDS
    _moved_at: float = field(default_factory=time.monotonic)
    _consumer: Callable[[], AIOKafkaConsumer | None] = lambda: None
    _lost_at: float | None = None
    _placing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _hints: dict[TopicPartition, int] = field(default_factory=dict)

    def subscribe(self, broker: KafkaBroker, instance: str, session_seconds: float = 6) -> None:
        """Declare the subscription: raw batch, manual acknowledgement, our own parser.

        An instance that is silent for `session_seconds` loses its partitions. That is safe also when
        it only slept: what it goes on with is refused by the stored offset.

        FastStream's defaults acknowledge first, and put content into logs and spans.
        """

        async def parse(records: tuple[Record, ...]) -> KafkaMessage:
            consumer = subscriber.consumer
            assert consumer is not None
            return KafkaMessage(raw_message=records, body=[], consumer=consumer, message_id="")

        async def decode(_message: KafkaMessage) -> list[object]:
            return []

        async def get_msg(consumer: AIOKafkaConsumer) -> tuple[Record, ...]:
            # FastStream's own sleeps after an empty answer as long as it waited for one: with short
            # waits an idle service turns without end, with long ones it is late.
            fetched = await consumer.getmany(timeout_ms=IDLE_MILLISECONDS, max_records=BATCH)
            return tuple(chain.from_iterable(fetched.values()))

        subscriber = broker.subscriber(
            *self.topics,
            group_id=f"handrail-{self.service}",
            group_instance_id=f"{self.service}-{instance}",
            batch=True,
            auto_offset_reset="earliest",
            session_timeout_ms=round(session_seconds * 1000),
            heartbeat_interval_ms=HEARTBEAT_MILLISECONDS,
            max_partition_fetch_bytes=262_144,
            # What this consumer is given anew it asks for after the fetch that is under way.
            fetch_max_wait_ms=FETCH_MILLISECONDS,
            ack_policy=AckPolicy.MANUAL,
            listener=self,
            parser=parse,
            decoder=decode,
        )

        async def on_events(message: KafkaMessage) -> None:
            await self.take(message.raw_message)

        subscriber.get_msg = get_msg  # type: ignore[method-assign]  # no setting does it
        subscriber(on_events)
        self._consumer = lambda: subscriber.consumer

    def leave(self) -> None:
        """Before an end: give the partitions back, instead of having them kept for a return.

        A process that dies keeps its place for the session's time; aiokafka would here too.
        """
        coordinator = getattr(self._consumer(), "_coordinator", None)
        if coordinator is not None:
            coordinator._group_instance_id = None  # noqa: SLF001  # there is no public way

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Forget them: whoever has them now is told apart by the stored offset."""
        for tp in revoked:
            self.expected.pop(tp, None)
            self.unplaced.discard(tp)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Start where the database says, whatever Kafka's committed offset is."""
        self.expected.clear()
        self.unplaced = set(assigned)
        failpoints.hit("consumer.assigned")
        try:
            await self.place()
        except TRANSIENT as error:
            self._note(type(error).__name__)

    async def place(self) -> None:
        """Seek the partitions that have no position yet to the stored offset.

        A topic that ends before it was deleted or restored: stop there, loudly, touch nothing.
        """
        async with self._placing:
            consumer = self._consumer()
            if consumer is None or not self.unplaced:
                return
            # What was applied too late may be another's by now.
            self.unplaced &= consumer.assignment()
            unplaced = sorted(self.unplaced)
            stored = await self._stored(unplaced)
            # A question to Kafka waits behind the fetch that is under way, and everybody with it:
            # it is asked only of what needs it. `lag` finds what ends before its position.
            unsure = [tp for tp in unplaced if tp in self.beyond or tp not in stored]
            ends = await consumer.end_offsets(unsure) if unsure else {}
            begins = await consumer.beginning_offsets(unsure) if unsure else {}
            for tp in (tp for tp in unplaced if tp in self.unplaced):
                position = stored[tp] if tp in stored else begins[tp]
                if position > ends.get(tp, position):
                    self._note(WENT_BACK)
                    consumer.pause(tp)
                    continue
                consumer.seek(tp, position)
                consumer.resume(tp)
                self.expected[tp] = position
                self.unplaced.discard(tp)
                self.beyond.discard(tp)

    async def _stored(self, places: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        rows = await self.applier.pool.fetch(
            _OFFSETS, [tp.topic for tp in places], [tp.partition for tp in places]
        )
        return {TopicPartition(row[0], row[1]): row[2] for row in rows}

    async def take(self, records: Sequence[Record]) -> None:
        """Apply a fetched batch, each partition's records in order; never raises."""
        lanes = 1 if len(records) <= SMALL else LANES
        shares: list[list[Record]] = [[] for _ in range(lanes)]
        for record in records:
            shares[record.partition % lanes].append(record)
        before = self.applied
        done = await asyncio.gather(*(self._take_share(share) for share in shares))
        await self._place_again()
        if all(done):
            self._recovered()
            if self.rest_seconds and len(records) < BATCH:
                await asyncio.sleep(self.rest_seconds)
            return
        if self.applied > before:
            # Some of it came through: where connections break all the time, patience would not end.
            self._pause = FIRST_PAUSE_SECONDS
        await asyncio.sleep(self._pause)
        self._pause = min(self._pause * 2, 5.0)

    async def _place_again(self) -> None:
        """Place at once what somebody else has moved on, instead of at the next look."""
        if self.unplaced - self.beyond:
            try:
                await self.place()
            except (*TRANSIENT, KafkaError) as error:
                self._note(type(error).__name__)

    async def _take_share(self, records: Sequence[Record]) -> bool:
        """Topic by topic: what an admission has in several is not applied at the same time."""
        good = True
        for topic in dict.fromkeys(record.topic for record in records):
            batches, whole = self._batches([one for one in records if one.topic == topic])
            good = await self._apply(batches) and whole and good
        return good

    def _batches(self, records: Sequence[Record]) -> tuple[list[Batch], bool]:
        """What of one topic's records is new, by partition; False where some have to come again."""
        parts: dict[TopicPartition, list[Record]] = {}
        for record in records:
            tp = TopicPartition(record.topic, record.partition)
            if record.offset >= self.expected.get(tp, record.offset + 1):
                parts.setdefault(tp, []).append(record)
        batches, whole = [], True
        for tp, fresh in parts.items():
            expected = self.expected[tp]
            if fresh[0].offset != expected:
                # Only Kafka's own bookkeeping moved: nothing may be skipped, so read it again.
                self._note("skipped_ahead")
                self._put_back(tp, expected)
                whole = False
                continue
            batches.append(Batch(tp.topic, tp.partition, expected, fresh))
        return batches, whole

    async def _apply(self, batches: Sequence[Batch]) -> bool:
        """In one transaction, or where that cannot be in one for each; False is to be tried again."""
        if not batches:
            return True
        try:
            count = await self.applier.apply(batches)
            # Not in one line: others of these have added theirs while this one waited.
            self.applied += count
            self._moved_at = time.monotonic()
        except Separately:
            return all([await self._apply([batch]) for batch in batches])
        except Superseded:
            for batch in batches:
                self._put_back(batch.place, None)
        except (*TRANSIENT, KafkaError) as error:
            self._note(type(error).__name__)
            for batch in batches:
                self._put_back(batch.place, batch.expected)
            return False
        else:
            for batch in batches:
                if batch.place in self.expected:
                    self.expected[batch.place] = batch.next_offset
                self._hints[batch.place] = batch.next_offset
        return True

    async def watch(self) -> None:
        """Place what could not be placed, hint Kafka, and tell when nothing moves. Runs for ever.

        Raises StuckError when records wait and none was taken for STUCK_SECONDS: the process
        should end and be started again, because aiokafka cannot always rejoin by itself.
        Raises SilentError when Kafka gave no answer for SILENT_SECONDS, or a topic that was deleted
        is there again: another consumer is needed.
        """
        # Whatever was waited for until now was Kafka, and not this consumer standing still.
        answered_at = self._moved_at = time.monotonic()
        while True:
            await asyncio.sleep(1.0)
            try:
                await self.place()
                await self._hint()
                behind = sum((await self.lag()).values())
                is_back = await self._lost_topic_is_back()
            except (*TRANSIENT, KafkaError) as error:
                self._note(type(error).__name__)
                self._moved_at = time.monotonic()
                if time.monotonic() - answered_at > SILENT_SECONDS:
                    raise SilentError from error
                continue
            answered_at = time.monotonic()
            if is_back:
                # Kafka would give a member that comes back its old share again, which is nothing.
                self.leave()
                raise SilentError
            if behind == 0 and not self.unplaced and self._lost_at is None:
                self._recovered()
            if behind == 0 or self.trouble == WENT_BACK:
                self._moved_at = time.monotonic()
            elif time.monotonic() - self._moved_at > STUCK_SECONDS and not self.trouble:
                raise StuckError(behind)

    async def _lost_topic_is_back(self) -> bool:
        """Whether a topic that this consumer lost was made anew; it would never look by itself."""
        consumer = self._consumer()
        if consumer is None:
            return False
        lost = {topic for topic in self.topics if not consumer.partitions_for_topic(topic)}
        if not lost:
            self._lost_at = None
            return False
        self._lost_at = self._lost_at or time.monotonic()
        if time.monotonic() - self._lost_at < LOST_SECONDS:
            # It may only just have begun, and know no topics yet.
            return False
        self._note(MISSING)
        async with asyncio.timeout(LAG_SECONDS):
            there: set[str] = await consumer.topics()
        return lost <= there

    async def lag(self) -> dict[str, int]:
        """Records not taken yet, by topic and partition, of the partitions assigned here."""
        consumer = self._consumer()
        if consumer is None or not self.expected:
            return {}
        async with asyncio.timeout(LAG_SECONDS):
            ends = await consumer.end_offsets(list(self.expected))
        for tp in [tp for tp, at in self.expected.items() if ends.get(tp, at) < at]:
            # Deleted and made anew: Kafka would read on from its beginning without a word.
            self.beyond.add(tp)
            self._put_back(tp, None)
        self.last_lag = {
            f"{tp.topic}/{tp.partition}": max(0, ends[tp] - position)
            for tp, position in self.expected.items()
            if tp in ends
        }
        return self.last_lag

    async def _hint(self) -> None:
        """Tell Kafka where we are. Only lag tools read it: the position is in the database."""
        consumer = self._consumer()
        hints = {tp: at for tp, at in self._hints.items() if tp in self.expected}
        self._hints.clear()
        if consumer is not None and hints:
            async with asyncio.timeout(5):
                await consumer.commit(hints)

    def _put_back(self, tp: TopicPartition, expected: int | None) -> None:
        consumer = self._consumer()
        if consumer is None:
            return
        if expected is None:
            self.expected.pop(tp, None)
            self.unplaced.add(tp)
            return
        with contextlib.suppress(IllegalStateError):
            consumer.seek(tp, expected)

    def _note(self, code: str) -> None:
        metrics.STUMBLES.labels("feed", code).inc()
        if self.trouble != code:
            log.warning("feed.waits", feed=self.service, error=code)
        self.trouble = code

    def _recovered(self) -> None:
        if self.trouble and not (self.trouble == WENT_BACK and self.unplaced):
            log.info("feed.recovered", feed=self.service)
            self.trouble = None
        self._pause, self.last_success = FIRST_PAUSE_SECONDS, time.time()


class SilentError(Exception):
    """Kafka gives this consumer no answer."""


class StuckError(Exception):
    """Records wait and none is taken."""
