"""The limit: aiokafka and asyncpg by hand, a transaction per partition and batch."""

import uvloop
from aiokafka import AIOKafkaConsumer
from contract import GROUP, TOPIC, words
from work import Peer, pool_for


async def main() -> None:
    kafka, url, wanted = words()
    pool, peer = await pool_for(url), Peer(wanted)
    consumer = AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=kafka,
        group_id=GROUP,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    done = False
    while not done:
        for tp, records in (await consumer.getmany(timeout_ms=20, max_records=1000)).items():
            async with pool.acquire() as conn:
                done = await peer.apply(conn, tp.partition, records) or done
    peer.tell()
    await consumer.stop()
    await pool.close()


uvloop.run(main())
