"""Where the reader of all topics begins, on a real broker."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from intake.disclosures.reader import Reader
from tests.integration.kit import TOPIC, Kit, admission, fact, headers


class Interrupted(AIOKafkaConsumer):  # type: ignore[misc]  # it has no types
    """Something is said after its first question, before the second."""

    say: Callable[[], Awaitable[None]] | None = None

    async def end_offsets(self, places: Any) -> Any:
        return await self._then(await super().end_offsets(places))

    async def offsets_for_times(self, moments: Any) -> Any:
        return await self._then(await super().offsets_for_times(moments))

    async def _then(self, found: Any) -> Any:
        say, self.say = self.say, None
        if say:
            await say()
        return found


async def test_what_is_said_while_the_first_subscriber_is_entered_is_read(kit: Kit) -> None:
    place, key = TopicPartition(TOPIC, 0), admission()
    consumer = Interrupted(bootstrap_servers=kit.broker.address, enable_auto_commit=False)
    consumer.say = lambda: kit.send(key, fact(key), headers(1))
    await consumer.start()
    try:
        await Reader(kit.broker.address, kit.pool)._place(consumer, datetime.now(UTC))
        assert await consumer.position(place) == kit.began[place]
    finally:
        await consumer.stop()
