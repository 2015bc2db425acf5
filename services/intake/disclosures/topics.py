"""A topic of a subscriber's own on our Kafka: written by us, read by it alone while it is told."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from handrail.envelope import MAX_RECORD_BYTES
from handrail.outbound import Outcome
from handrail.receipts import Rejected
from handrail.telemetry import log
from handrail.transient import TRANSIENT
from intake.disclosures.queue import Message

if TYPE_CHECKING:
    from intake.disclosures.rights import Rights

ADDRESS = "kafka:"
IDLE_SECONDS, RETRY_SECONDS = 15.0, 1.0
SEND_SECONDS = 15.0
_ANSWER_MILLISECONDS = 10_000
_STOP_SECONDS = 2.0
_WAITED_OUT: tuple[type[Exception], ...] = (*TRANSIENT, Rejected)

# Where the broker has been told something else than what the subscriber's state asks for.
_ASTRAY = """
select subscriber_id, wanted
from subscribers, lateral (
    select case state when 'active' then 'open' when 'disabled' then 'shut' else 'gone' end
) s (wanted)
where topic <> wanted limit 1
for update of subscribers skip locked
"""
_OWED = """
select count(*) from subscribers
where topic <> case state when 'active' then 'open' when 'disabled' then 'shut' else 'gone' end
"""
_TOLD = "update subscribers set topic = $2 where subscriber_id = $1"
T = TypeVar("T")


def is_topic(url: str) -> bool:
    """Whether this subscriber reads a topic of its own."""
    return url == ADDRESS


def name_of(subscriber_id: UUID) -> str:
    """One name for a subscriber's topic and user, and the beginning of its groups' names."""
    return f"handrail.subscriber.{subscriber_id}"


@dataclass
class Topics:
    """Writes what leaves, and keeps the broker's rights as the subscribers' states ask for."""

    pool: asyncpg.Pool
    bootstrap: str
    access: Mapping[str, Any] = field(default_factory=dict)
    keep_days: int = 7
    trouble: str | None = None
    _rung: asyncio.Event = field(default_factory=asyncio.Event)
    _making: asyncio.Lock = field(default_factory=asyncio.Lock)
    _producer: AIOKafkaProducer | None = None

    def wake(self) -> None:
        """A subscriber may have come, or gone: look now."""
        self._rung.set()

    async def enter(self, subscriber_id: UUID) -> str:
        """Make its topic and user, and let it in. Gives the password; see `Rights` for errors."""
        return await self._ask(lambda rights: rights.enter(subscriber_id))

    async def renew(self, subscriber_id: UUID) -> str:
        """Another password in place of the one before."""
        return await self._ask(lambda rights: rights.renew(subscriber_id))

    async def run(self) -> None:
        """Tell the broker what has changed, for ever; a bad moment is waited out."""
        while True:
            self._rung.clear()
            try:
                await self.keep()
                self.trouble = None
            except _WAITED_OUT as error:
                if self.trouble is None:
                    log.warning("topics.wait", error=type(error).__name__)
                self.trouble = type(error).__name__
            pause = RETRY_SECONDS if self.trouble else IDLE_SECONDS
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._rung.wait(), pause)

    async def status(self) -> dict[str, Any]:
        """Of how many subscribers the broker does not know yet what they may, and why."""
        return {"owed": await self.pool.fetchval(_OWED), "trouble": self.trouble}

    async def keep(self) -> None:
        """Let in who is told, shut out who is disabled, take everything from who is removed."""
        while await self._keep_one():
            pass

    async def post(self, message: Message) -> Outcome:
        """Write one message, and say what became of it."""
        try:
            producer = await self._ready_producer()
        except (KafkaError, OSError, TimeoutError) as error:
            return Outcome(type(error).__name__.lower(), reached=False)
        headers = [("idempotency-key", str(message.key).encode())]
        subject = str(message.subject).encode() if message.subject else None
        topic = name_of(message.subscriber_id)
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await producer.send_and_wait(topic, message.body, subject, 0, headers=headers)
        except (KafkaError, OSError, TimeoutError) as error:
            return Outcome(type(error).__name__.lower(), reached=True)
        return Outcome(None, reached=True)

    async def close(self) -> None:
        """End the connections."""
        producer, self._producer = self._producer, None
        if producer:
            with contextlib.suppress(TimeoutError, KafkaError):
                await asyncio.wait_for(producer.stop(), _STOP_SECONDS)

    async def _keep_one(self) -> bool:
        async with self.pool.acquire() as conn, conn.transaction():
            row = await conn.fetchrow(_ASTRAY)
            if row is None:
                return False
            subscriber_id, wanted = row["subscriber_id"], row["wanted"]
            if wanted == "open":
                await self._ask(lambda rights: rights.let_in(subscriber_id))
            elif wanted == "shut":
                await self._ask(lambda rights: rights.shut_out(subscriber_id))
            else:
                await self._ask(lambda rights: rights.remove(subscriber_id))
            await conn.execute(_TOLD, subscriber_id, wanted)
        return True

    async def _ask(self, act: Callable[["Rights"], T]) -> T:
        return await asyncio.to_thread(lambda: act(self._rights()))

    def _rights(self) -> "Rights":
        """Loaded for the first such subscriber: it is another client of Kafka."""
        from intake.disclosures.rights import Rights  # noqa: PLC0415  # the same

        return Rights(self.bootstrap, self.access, self.keep_days)

    async def _ready_producer(self) -> AIOKafkaProducer:
        """Not idempotent: a subscriber drops a repeat by its key, and no error stops the others."""
        async with self._making:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self.bootstrap,
                    **self.access,
                    client_id="handrail-topics",
                    acks="all",
                    max_request_size=MAX_RECORD_BYTES,
                    request_timeout_ms=_ANSWER_MILLISECONDS,
                )
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer
