"""FastStream as its tutorial has it, but durable: one transaction for each message."""

import asyncio

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
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
    )
    async def on_event(_body: dict[str, object], message: KafkaMessage) -> None:
        record = message.raw_message
        async with pool.acquire() as conn:
            if await peer.apply(conn, record.partition, [record]):
                done.set()

    await broker.start()
    await done.wait()
    peer.tell()
    await broker.stop()
    await pool.close()


uvloop.run(main())
