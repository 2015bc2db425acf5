"""Carries staged events to Kafka in order, and crosses them off once the broker has answered."""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from opentelemetry.trace import SpanKind

from handrail import failpoints, metrics, telemetry
from handrail.envelope import MAX_RECORD_BYTES, headers_of
from handrail.telemetry import log
from handrail.topics import SHARDS, topic_of
from handrail.transient import TRANSIENT

LEASE_SECONDS = 3.0
RENEW_SECONDS = 1.0
# A relay that could not renew for this long stops sending, before its lease can run out.
SILENT_SECONDS = 1.5
SEND_SECONDS = 15.0
BATCH = 1000
SWEEP = 5000
IDLE_SECONDS = 0.05
# What is staged so soon after a turn goes with the next one: under a steady stream everybody down
# the line takes few batches of several events instead of one for each.
GATHER_SECONDS = 0.01
FINISH_SECONDS = 3.0

_TAKE = """
insert into relay_leases as l (shard, holder, epoch, expires_at)
select shard, $1, 1, now() + $2 * interval '1 second' from unnest($3::smallint[]) as shard
on conflict (shard) do update
set holder = excluded.holder, expires_at = excluded.expires_at,
    epoch = case when l.holder = excluded.holder then l.epoch else l.epoch + 1 end
where l.holder = excluded.holder or l.expires_at < now()
    -- No lease is longer: the clock went back, and its holder may be gone.
    or l.expires_at > now() + 2 * $2 * interval '1 second'
returning shard, epoch
"""
_RELEASE = "delete from relay_leases where holder = $1"
# By an array and not by a join: where the server has not counted the tables yet, it would read the
# whole outbox for a few rows.
_PENDING = """
select id, shard, partition, key, sequence, event_id, type, occurred_at, data, traceparent,
    staged_at
from outbox
where id = any(array(
    select id from outbox_pending where shard = any($1::smallint[]) order by id limit $2
))
order by id
"""
# Only the holder of the present epoch may cross off: a relay that was frozen past its lease
# can repeat an event, which consumers drop by its sequence, but never skip one.
# Not waited for on disk: a mark lost in a crash repeats an event too. The setting ends with the
# statement's own transaction, which saves three more trips to the database.
_CROSS_OFF = """
delete from outbox_pending p
using relay_leases l
where p.id = any($1::bigint[]) and l.shard = p.shard and l.holder = $2
    and l.epoch = ($3::bigint[])[p.shard + 1]
    and (select set_config('synchronous_commit', 'off', true)) = 'off'
"""
# What is crossed off lies in the way of every later look until it is swept up, which the server
# does once a minute by itself. It skips what somebody holds, and is no error where not allowed.
_SWEEP = "vacuum (skip_locked, truncate false) outbox_pending"
_BACKLOG = (
    "select count(*), coalesce(extract(epoch from now() - min(staged_at)), 0) from outbox_pending"
)


class LeaseLost(Exception):
    """The lease was not renewed in time; nothing more may be sent under it."""


@dataclass
class Relay:
    """One service's relay. Run `run()` as a task; `wake()` after a commit saves the poll."""

    owner: str
    pool: asyncpg.Pool
    bootstrap: str
    access: Mapping[str, Any] = field(default_factory=dict)
    holder: UUID = field(default_factory=uuid4)
    epochs: dict[int, int] = field(default_factory=dict)
    sent: int = 0
    last_success: float | None = None
    trouble: str | None = None
    _renewed: float = 0.0
    _unswept: int = 0
    _incarnation: int = 1
    _producer: AIOKafkaProducer | None = None
    _doorbell: asyncio.Event = field(default_factory=asyncio.Event)
    _is_ending: bool = False
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Something was committed to the outbox of this process."""
        self._doorbell.set()

    async def run(self) -> None:
        """Relay until cancelled; a bad moment is retried in place with a pause."""
        pause = 0.1
        while not self._is_ending:
            try:
                moved = await self.turn()
            except (*TRANSIENT, KafkaError, LeaseLost) as error:
                await self._stumble(error, pause)
                pause = min(pause * 2, 5.0)
                continue
            if self.trouble:
                log.info("relay.recovered", owner=self.owner)
            self.trouble, pause, self.last_success = None, 0.1, time.time()
            if moved < BATCH:
                if moved:
                    await asyncio.sleep(GATHER_SECONDS)
                await self._rest()
        self._ended.set()

    async def finish(self) -> None:
        """End `run` after the turn under way: what it sent is crossed off, not sent again."""
        self._is_ending = True
        self.wake()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), FINISH_SECONDS)

    async def turn(self) -> int:
        """Send one batch and cross it off. Returns how many events were sent.

        Raises aiokafka KafkaError, LeaseLost or a database error; nothing is lost by any.
        """
        await self._hold_leases()
        if not self.epochs:
            return 0
        rows = await self.pool.fetch(_PENDING, list(self.epochs), BATCH)
        if not rows:
            return 0
        producer = await self._ready_producer()
        await self._send(producer, rows)
        failpoints.hit("relay.after_send")
        await self.pool.execute(_CROSS_OFF, [r["id"] for r in rows], self.holder, self._fences())
        self.sent += len(rows)
        self._unswept += len(rows)
        metrics.SENT.inc(len(rows))
        if self._unswept >= SWEEP:
            self._unswept = 0
            await self.pool.execute(_SWEEP)
        return len(rows)

    async def close(self) -> None:
        """Drop the producer and give the leases back."""
        await self._drop_producer()
        await self.pool.execute(_RELEASE, self.holder)

    async def backlog(self) -> tuple[int, float]:
        """Events waiting, and the age of the oldest in seconds (database clock)."""
        row = await self.pool.fetchrow(_BACKLOG)
        return (row[0], float(row[1])) if row else (0, 0.0)

    async def _send(self, producer: AIOKafkaProducer, rows: list[asyncpg.Record]) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            answers = []
            for row in rows:
                await self._keep_leases(rows)
                answers.append(await self._send_one(producer, row))
                failpoints.hit("relay.mid_batch")
            await asyncio.gather(*answers)

    async def _keep_leases(self, rows: list[asyncpg.Record]) -> None:
        """Renew on the way through a slow batch. Raises LeaseLost once somebody else has a shard."""
        if time.monotonic() - self._renewed < RENEW_SECONDS:
            return
        before = self.epochs
        await self._hold_leases()
        is_late = time.monotonic() - self._renewed > SILENT_SECONDS
        if is_late or any(self.epochs.get(r["shard"]) != before[r["shard"]] for r in rows):
            raise LeaseLost

    async def _send_one(
        self, producer: AIOKafkaProducer, row: asyncpg.Record
    ) -> "asyncio.Future[object]":
        topic, trace = topic_of(self.owner), row["traceparent"]
        if telemetry.is_sampled(trace):
            about: telemetry.Attributes = {
                telemetry.SYSTEM: "kafka",
                telemetry.DESTINATION: topic,
                telemetry.EVENT_TYPE: row["type"],
                telemetry.EVENT_ID: str(row["event_id"]),
            }
            with telemetry.span(f"{telemetry.SEND} {topic}", SpanKind.PRODUCER, trace, about):
                trace = telemetry.current_traceparent()
        headers = headers_of(
            event_id=row["event_id"],
            type_=row["type"],
            time=row["occurred_at"].isoformat(),
            sequence=row["sequence"],
            incarnation=self._incarnation,
            trace=trace,
        )
        answer: asyncio.Future[object] = await producer.send(
            topic,
            value=row["data"],
            key=str(row["key"]).encode(),
            partition=row["partition"],
            timestamp_ms=_moment(row["staged_at"]),
            headers=headers,
        )
        return answer

    async def _hold_leases(self) -> None:
        if self.epochs and time.monotonic() - self._renewed < RENEW_SECONDS:
            return
        asked = time.monotonic()
        rows = await self.pool.fetch(_TAKE, self.holder, LEASE_SECONDS, list(range(SHARDS)))
        self.epochs = {r["shard"]: r["epoch"] for r in rows}
        self._renewed = asked

    def _fences(self) -> list[int]:
        return [self.epochs.get(shard, -1) for shard in range(SHARDS)]

    async def _ready_producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            self._incarnation = await self.pool.fetchval("select max(number) from incarnations")
            producer = AIOKafkaProducer(
                bootstrap_servers=self.bootstrap,
                **self.access,
                acks="all",
                enable_idempotence=True,
                max_request_size=MAX_RECORD_BYTES,
                request_timeout_ms=10_000,
            )
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    async def _drop_producer(self) -> None:
        """Throw the producer away: after any error its sequence numbers cannot be trusted."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            await asyncio.wait_for(producer.stop(), 2)
        except (TimeoutError, KafkaError):
            log.info("relay.producer_abandoned", owner=self.owner)

    async def _stumble(self, error: Exception, pause: float) -> None:
        code = type(error).__name__
        metrics.STUMBLES.labels("relay", code).inc()
        if self.trouble != code:
            log.warning("relay.waits", owner=self.owner, error=code)
        self.trouble, self.epochs = code, {}
        await self._drop_producer()
        await asyncio.sleep(pause)

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self._doorbell.wait(), IDLE_SECONDS)
        except TimeoutError:
            return
        self._doorbell.clear()


def _moment(staged_at: datetime) -> int:
    """A record's time in milliseconds: when it was staged, also where it is sent again later.

    Subscribers are told of what came after they did by it. A broker refuses what lies ahead of its
    own clock, so the database's counts only as far as this process agrees.
    """
    return int(min(staged_at.timestamp(), time.time()) * 1000)
