"""Takes messages to subscribers: one at a time and in order for each, all of them side by side."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import asyncpg
import httpcore

from handrail import outbound
from handrail.hl7 import sending
from handrail.outbound import ForbiddenAddress, Network, Outcome
from handrail.telemetry import log
from handrail.transient import TRANSIENT
from handrail.webhooks import signed_headers
from intake.disclosures import queue, spoken
from intake.disclosures.queue import Message
from intake.disclosures.topics import Topics, is_topic

LOOK_SECONDS = 1.0
IDLE_SECONDS = 15.0
SEND_SECONDS = 15.0
AFTER_A_BUG_SECONDS = 60.0
_REFUSALS = frozenset({"AE", "AR", "CE", "CR"})

_ANY = "select exists (select from subscribers where state = 'active')"


@dataclass
class Courier:
    """Sends for ever; `wake` is rung when something came."""

    pool: asyncpg.Pool
    topics: Topics
    key: bytes
    allowed: tuple[Network, ...] = ()
    holder: UUID = field(default_factory=uuid4)
    _rung: asyncio.Event = field(default_factory=asyncio.Event)
    _busy: dict[UUID, asyncio.Task[None]] = field(default_factory=dict)
    _client: httpcore.AsyncConnectionPool | None = None

    def wake(self) -> None:
        """Something is there: look now."""
        self._rung.set()

    async def run(self) -> None:
        """Look for work, and give each subscriber a task of its own."""
        try:
            while True:
                self._rung.clear()
                pause = LOOK_SECONDS
                with contextlib.suppress(*TRANSIENT):
                    if not await self.pool.fetchval(_ANY):
                        pause = IDLE_SECONDS
                    await self.look()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._rung.wait(), pause)
        finally:
            await self.close()

    async def look(self) -> None:
        """Start what is due and not under way."""
        for subscriber_id in await queue.due(self.pool):
            if subscriber_id not in self._busy:
                self._busy[subscriber_id] = asyncio.create_task(self._serve(subscriber_id))

    async def settled(self) -> None:
        """Wait until nothing is under way."""
        await asyncio.gather(*self._busy.values())

    async def close(self) -> None:
        """End what is under way, and the connections."""
        tasks = list(self._busy.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._client:
            await self._client.aclose()
        await self.topics.close()

    async def _serve(self, subscriber_id: UUID) -> None:
        try:
            await self._drain(subscriber_id)
        except TRANSIENT as error:
            log.warning("courier.waits", error=type(error).__name__)
        except Exception as error:  # noqa: BLE001  # one subscriber's trouble is nobody else's
            log.error(
                "courier.failed", subscriber_id=str(subscriber_id), error=type(error).__name__
            )
            await asyncio.sleep(AFTER_A_BUG_SECONDS)
        finally:
            self._busy.pop(subscriber_id, None)

    async def _drain(self, subscriber_id: UUID) -> None:
        """Decide, send, settle; and the next, in the transaction that settles the last."""
        message: Message | None = None
        outcome = Outcome(None, reached=False)
        while True:
            async with self.pool.acquire() as conn, conn.transaction():
                state = "good"
                if message:
                    state = await queue.settle(conn, message, outcome, self.holder, self.key)
                message = None
                if state == "good":
                    message = await queue.take(conn, subscriber_id, self.holder, self.key)
            if state == "disabled":
                log.warning("subscriber.disabled", subscriber_id=str(subscriber_id))
            if message is None:
                return
            outcome = await self._send(message)
            if outcome.trouble:
                log.warning(
                    "subscriber.not_told",
                    subscriber_id=str(subscriber_id),
                    trouble=outcome.trouble,
                )

    async def _send(self, message: Message) -> Outcome:
        if spoken.is_spoken(message.url):
            return await self._speak(message)
        if is_topic(message.url):
            return await self.topics.post(message)
        url, secrets, more, seconds = message.url, message.secrets, {}, SEND_SECONDS
        if kept := message.kept:
            url, secrets, more = kept.address(url), kept.secrets, kept.http_headers()
            seconds = min(seconds, kept.timeout_seconds)
        headers = signed_headers(secrets, str(message.key), message.body) | more
        if self._client is None:
            self._client = outbound.client(self.allowed)
        return await outbound.post(self._client, url, message.body, headers, seconds)

    async def _speak(self, message: Message) -> Outcome:
        """By MLLP: AA moves on, anything else is tried again."""
        control = spoken.control_of(message.key)
        try:
            code = await sending.deliver(
                message.url,
                message.body,
                control=control,
                allowed=self.allowed,
                seconds=SEND_SECONDS,
            )
        except ForbiddenAddress:
            return Outcome("address_forbidden", reached=False)
        except sending.NotReached:
            return Outcome("connecterror", reached=False)
        except sending.NoAnswer:
            return Outcome("no_acknowledgement", reached=True)
        except (TimeoutError, OSError) as error:
            return Outcome(type(error).__name__.lower(), reached=True)
        if code in sending.TAKEN:
            return Outcome(None, reached=True)
        return Outcome(f"hl7_{code.lower()}" if code in _REFUSALS else "hl7_other", reached=True)
