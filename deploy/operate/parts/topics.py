"""The topics on the broker, as `handrail.topics` wants them."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from handrail.topics import OWNERS, PARTITIONS, topic_of
from operate.errors import OperateError

PATIENCE_SECONDS = 30
CONFIG = {"retention.ms": "-1", "cleanup.policy": "delete"}


async def create(
    bootstrap: str, *, replicas: int = 1, access: Mapping[str, Any] | None = None
) -> None:
    """Create what is missing. Raises OperateError when a topic has another partition count."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **(access or {}))
    try:
        await admin.start()
        known = set(await admin.list_topics())
        wanted = [topic_of(owner) for owner in OWNERS]
        await _create(admin, [topic for topic in wanted if topic not in known], replicas)
        await _check(admin, wanted)
    except (KafkaError, OSError, TimeoutError) as error:
        message = f"the topics could not be created on {bootstrap}: {error}"
        raise OperateError(message) from None
    finally:
        await admin.close()


async def _create(admin: AIOKafkaAdminClient, names: list[str], replicas: int) -> None:
    if not names:
        return
    await _wait_for_brokers(admin, replicas)
    topics = [NewTopic(name, PARTITIONS, replicas, topic_configs=CONFIG) for name in names]
    answer = await admin.create_topics(topics)
    for topic, code, *rest in answer.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            message = f"Kafka refused the topic {topic}: {rest[0] if rest else error.__name__}"
            raise OperateError(message)


async def _wait_for_brokers(admin: AIOKafkaAdminClient, count: int) -> None:
    """A topic with more copies than there are brokers is refused, and brokers start one by one."""
    until = time.monotonic() + PATIENCE_SECONDS
    while (there := len((await admin.describe_cluster())["brokers"])) < count:
        if time.monotonic() > until:
            message = f"{count} copies of each topic take {count} brokers, and Kafka has {there}."
            raise OperateError(message)
        await asyncio.sleep(0.2)


async def _check(admin: AIOKafkaAdminClient, names: list[str]) -> None:
    """Wait until every topic has its leaders; then its partitions must be as many as agreed."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            described = await admin.describe_topics(names)
            if all(not topic["error_code"] and _has_leaders(topic) for topic in described):
                break
            await asyncio.sleep(0.05)
    for topic in described:
        count = len(topic["partitions"])
        if count != PARTITIONS:
            message = (
                f"the topic {topic['topic']} has {count} partitions, not {PARTITIONS}: an admission's events "
                "would lose their order. Use another broker, or move this topic away."
            )
            raise OperateError(message)


def _has_leaders(topic: dict[str, list[dict[str, int]]]) -> bool:
    return all(partition["leader"] >= 0 for partition in topic["partitions"])
