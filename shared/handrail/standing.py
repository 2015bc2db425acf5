"""How a service stands: what is ready, what its loops last did, and what waits."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from aiokafka.errors import KafkaError

from handrail.dead_letters import counts
from handrail.feed import Feed
from handrail.relay import Relay
from handrail.transient import TRANSIENT

# Prometheus waits ten seconds for an answer; `ready` may take two of them.
STATUS_SECONDS = 3.0


@dataclass(slots=True)
class Standing:
    """What a service has to say of itself to people, to what starts it and to Prometheus."""

    service: str
    pool: asyncpg.Pool
    relay: Relay
    feed: Feed | None
    # What else the service shows, by name.
    shows: dict[str, Callable[[], Awaitable[Any]]]
    # Whether the process was told to end.
    is_leaving: Callable[[], bool]
    started: float = field(default_factory=time.time)

    async def ready(self) -> dict[str, str]:
        """`ok` or what is wrong, for each part this service needs."""
        database = "ok"
        try:
            async with asyncio.timeout(2):
                await self.pool.fetchval("select 1")
        except TRANSIENT as error:
            database = type(error).__name__
        kafka = self.relay.trouble or ("ok" if self.relay.last_success else "starting")
        feed = "ok"
        if self.feed:
            feed = self.feed.trouble or ("ok" if self.feed.is_connected else "starting")
        return {"database": database, "relay": kafka, "feed": feed}

    async def status(self) -> dict[str, Any]:
        """Each loop: last success, backlog, age of the oldest; and the dead letters."""
        return await self._stored(self._own(await self._lag()))

    async def numbers(self) -> dict[str, Any]:
        """What `/metrics` shows: the status, and which parts answer.

        While the database is away only what this process knows by itself: an alarm about a loop
        that stands still has to come also then. Asks Kafka nothing, so it never waits for it.
        """
        parts = await self.ready()
        own = self._own(self.feed.last_lag if self.feed else {})
        with contextlib.suppress(*TRANSIENT):
            async with asyncio.timeout(STATUS_SECONDS):
                own = await self._stored(own)
        return own | {"ready": parts}

    def _own(self, lag: dict[str, int]) -> dict[str, Any]:
        feed = self.feed
        return {
            "service": self.service,
            "up_seconds": round(time.time() - self.started),
            "relay": {
                "last_success": self.relay.last_success,
                "sent": self.relay.sent,
                "trouble": self.relay.trouble,
            },
            "feed": {
                "last_success": feed.last_success if feed else None,
                "applied": feed.applied if feed else 0,
                "lag": sum(lag.values()),
                "lag_by_topic": _by_topic(lag),
                "trouble": feed.trouble if feed else None,
            },
        }

    async def _stored(self, own: dict[str, Any]) -> dict[str, Any]:
        """`own` with what stands in the database."""
        waiting, oldest = await self.relay.backlog()
        async with self.pool.acquire() as conn:
            letters = await counts(conn)
        about = {"backlog": waiting, "oldest_seconds": round(oldest, 3)}
        return own | {
            "relay": own["relay"] | about,
            "dead_letters": letters,
            **{name: await show() for name, show in self.shows.items()},
        }

    async def _lag(self) -> dict[str, int]:
        """Records not taken yet; nothing where Kafka does not answer, which `trouble` tells."""
        if self.feed is None or not self.feed.is_connected:
            return {}
        try:
            return await self.feed.lag()
        except (KafkaError, TimeoutError):
            return {}


def _by_topic(lag: dict[str, int]) -> dict[str, int]:
    topics: dict[str, int] = {}
    for place, count in lag.items():
        topic = place.rpartition("/")[0]
        topics[topic] = topics.get(topic, 0) + count
    return topics
