"""A topic is deleted and made anew: whoever reads it stops aloud, and it is written again."""

import asyncio

import httpx
from aiokafka.admin import AIOKafkaAdminClient

from operate import background
from operate.drill.faults import bootstrap
from operate.drill.scenes.stage import Stage
from operate.parts import topics
from operate.republish import republish

PEOPLE = 40
LOST, READERS = "attendance.events", ("intake", "alerts")
WENT_BACK = "topic_went_back"


async def play(stage: Stage) -> None:
    """Delete and create it under load, see the alarm, end everything, republish, start again."""
    await stage.ward.admit(PEOPLE)
    await stage.for_a_while(5)
    await stage.rest()
    await _lose_topic(stage)
    stage.is_rewritten = True

    async def is_told() -> bool:
        return all([await _trouble(stage, service) == WENT_BACK for service in READERS])

    stage.found["seconds_until_told"] = await stage.until(is_told, "readers say that it went back")
    # What is recorded meanwhile is not lost either.
    await stage.for_a_while(2)
    await asyncio.to_thread(background.down, stage.home, stage.say)
    stage.found |= await republish(stage.home, ["attendance"], stage.say)
    await background.ensure_up(stage.home, stage.say)
    await stage.faults.until_well()

    async def is_well() -> bool:
        return not any([await _trouble(stage, service) for service in READERS])

    stage.found["seconds_until_well"] = await stage.until(is_well, "readers are well")


async def _lose_topic(stage: Stage) -> None:
    address = bootstrap(stage.home)
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        await admin.delete_topics([LOST])

        async def is_gone() -> bool:
            return LOST not in await admin.list_topics()

        await stage.until(is_gone, "the topic is deleted")
    finally:
        await admin.close()
    await topics.create(address)


async def _trouble(stage: Stage, service: str) -> str | None:
    url = f"{getattr(stage.home.addresses(), service)}/status"
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        try:
            feed = (await client.get(url)).json().get("feed") or {}
        except httpx.HTTPError:
            return "away"
    trouble: str | None = feed.get("trouble")
    return trouble
