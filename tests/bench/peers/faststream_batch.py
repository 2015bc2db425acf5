"""FastStream's batch subscriber, with a transaction per partition and batch."""

import asyncio
from collections import defaultdict
from typing import Any

import uvloop
from contract import GROUP, TOPIC, words
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from work import Peer, pool_for


async def main() -> None:
    kafka, url, wanted = words()
    pool, peer, done = await pool_for(url), Peer(wanted), asyncio.Event()
    broker = KafkaBroker(kafka, logger=None)

    @broker.subscriber(
        TOPIC,
        group_id=GROUP,
        batch=True,
        max_records=1000,
        batch_timeout_ms=10,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
    )
    async def on_events(_bodies: list[dict[str, object]], message: KafkaMessage) -> None:
        parts: dict[int, list[Any]] = defaultdict(list)
        for record in message.raw_message:
            parts[record.partition].append(record)
        for partition, records in parts.items():
            async with pool.acquire() as conn:
                if await peer.apply(conn, partition, records):
                    done.set()

    await broker.start()
    await done.wait()
    peer.tell()
    await broker.stop()
    await pool.close()


uvloop.run(main())
