"""Applies claimed batches in one transaction, and finds the one event that cannot be applied."""

import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias
from uuid import UUID

import asyncpg
from aiokafka.errors import KafkaError
from opentelemetry.trace import SpanKind

from handrail import dead_letters, failpoints, inbox, metrics, telemetry
from handrail.envelope import Received
from handrail.inbox import Batch, Superseded
from handrail.outbox import Connection
from handrail.telemetry import is_sampled, log, traceparent_of
from handrail.topics import topic_of
from handrail.transient import TRANSIENT

Apply: TypeAlias = Callable[[Connection, Sequence[Received]], Awaitable[None]]


class Separately(Exception):
    """One of several batches stands in the way: nothing is done, and each is to be tried alone."""


@dataclass(frozen=True, slots=True)
class Applier:
    """Where a service keeps what it hears, and `use_case`, the one thing it does with a batch."""

    pool: asyncpg.Pool
    use_case: Apply
    after_commit: Callable[[], None] = lambda: None

    async def apply(self, batches: Sequence[Batch]) -> int:
        """Apply batches of one topic that nobody has applied; how many of their events were news.

        Raises Separately where several cannot be applied together, Superseded where another has
        moved on with the only one, and what is TRANSIENT: nothing is done then.
        """
        try:
            count = await self._apply_batches(batches, singly=False)
        except (*TRANSIENT, KafkaError):
            raise
        except Exception as error:  # one bad message must not hold up the others
            if len(batches) > 1:
                raise Separately from error
            if isinstance(error, Superseded):
                raise
            metrics.REFUSED.labels(batches[0].topic).inc()
            log.warning("feed.batch_refused", topic=batches[0].topic, error=type(error).__name__)
            count = await self._apply_batches(batches, singly=True)
        self.after_commit()
        return count

    async def _apply_batches(self, batches: Sequence[Batch], *, singly: bool) -> int:
        topic = batches[0].topic
        with metrics.timed(metrics.BATCH_SECONDS, topic):
            claimed = await self._commit(batches, singly=singly)
        metrics.APPLIED.labels(topic).inc(len(claimed.apply))
        return len(claimed.apply)

    async def _commit(self, batches: Sequence[Batch], *, singly: bool) -> inbox.Claimed:
        async with self.pool.acquire() as conn, conn.transaction():
            claimed = await inbox.claim(conn, batches)
            if singly:
                await self._apply_singly(conn, claimed.apply)
            elif claimed.apply:
                with _spans(batches[0].topic, claimed.apply) as events:
                    await self.use_case(conn, events)
            for key in claimed.mended:
                await self._redrive(conn, key, drop_unreadable=False)
            failpoints.hit("consumer.before_commit")
        failpoints.hit("consumer.after_commit")
        return claimed

    async def _apply_singly(self, conn: Connection, events: Sequence[Received]) -> None:
        """Find the event whose handler fails for ever, and park its admission alone."""
        failed: dict[UUID, Received] = {}
        for event in events:
            reason: str | None = dead_letters.BEHIND
            if event.key not in failed:
                reason = await self._try_one(conn, event, telemetry.PROCESS)
                if reason is None:
                    continue
                failed[event.key] = event
            await dead_letters.keep(conn, [dead_letters.Letter.of(event, str(reason))])
        for event in failed.values():
            await inbox.stand_before(conn, event)

    async def _try_one(self, conn: Connection, event: Received, doing: str) -> str | None:
        topic = topic_of(event.owner)
        name, about = f"{doing} {topic}", _about(topic, [event])
        try:
            with telemetry.span_if_kept(name, SpanKind.CONSUMER, event.traceparent, about) as span:
                below = traceparent_of(span.get_span_context()) or event.traceparent
                async with conn.transaction():
                    await self.use_case(conn, [replace(event, traceparent=below)])
        except TRANSIENT:
            raise
        except Exception as error:  # noqa: BLE001  # the class is the reason; its text may hold content
            failed = about | {telemetry.ERROR: type(error).__name__}
            telemetry.keep_failed(name, SpanKind.CONSUMER, event.traceparent, failed)
            return f"handler_failed_{type(error).__name__}"
        return None

    async def redrive(self, key: UUID, *, drop_unreadable: bool = False) -> dict[str, int]:
        """Play an admission's dead letters back in order; see `dead_letters.redrive`."""
        async with self.pool.acquire() as conn, conn.transaction():
            counts = await self._redrive(conn, key, drop_unreadable=drop_unreadable)
        self.after_commit()
        return counts

    async def _redrive(
        self, conn: Connection, key: UUID, *, drop_unreadable: bool
    ) -> dict[str, int]:
        async def replay(received: Received, may_jump: bool) -> str | None:  # noqa: FBT001
            standing = (await inbox.standings_of(conn, received.owner, [key]))[key]
            standing.parked = None
            reason = inbox.verdict(received, standing)
            if reason == "":
                return None
            if reason and not (reason == inbox.GAP and may_jump):
                return reason
            reason = await self._try_one(conn, received, telemetry.REDRIVE)
            if reason is None:
                await inbox.advance(conn, received.owner, [received])
            return reason

        return await dead_letters.redrive(conn, key, replay, drop_unreadable=drop_unreadable)


@contextlib.contextmanager
def _spans(topic: str, events: Sequence[Received]) -> Iterator[Sequence[Received]]:
    """One span for every trace in the batch that is kept; what follows hangs below it.

    The one transaction of the batch is a span of the last of them, linked to the others.
    """
    name, about = f"{telemetry.PROCESS} {topic}", _about(topic, events)
    below: dict[str | None, str | None] = {}
    with contextlib.ExitStack() as opened:
        for parent in dict.fromkeys(e.traceparent for e in events if is_sampled(e.traceparent)):
            span = telemetry.span(name, SpanKind.CONSUMER, parent, about)
            below[parent] = traceparent_of(opened.enter_context(span).get_span_context())
        if below:
            opened.enter_context(telemetry.database_span("apply", list(below.values())[:-1]))
        yield (
            [
                replace(e, traceparent=below[e.traceparent]) if e.traceparent in below else e
                for e in events
            ]
            if below
            else events
        )


def _about(topic: str, events: Sequence[Received]) -> telemetry.Attributes:
    return {
        telemetry.SYSTEM: "kafka",
        telemetry.DESTINATION: topic,
        telemetry.PARTITION: ",".join(sorted({str(event.partition) for event in events})),
        telemetry.BATCH_COUNT: len(events),
    }
