"""What a test of the kit says and asks: events in, effects out."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from faststream.kafka import KafkaBroker

from handrail import envelope, outbox, sight
from handrail.applying import Applier, Apply
from handrail.envelope import Headers, Received
from handrail.events.attendance import ScreenResulted
from handrail.feed import Feed
from handrail.outbox import Connection
from handrail.personal.keys import FileKeys
from handrail.personal.vault import Vault
from handrail.relay import Relay
from handrail.topics import OWNERS, PARTITIONS, partition_of, topic_of
from operate import databases
from operate.home import Home
from operate.parts.kafka import Kafka
from operate.parts.postgres import Postgres
from tests.parts import until

OWNER = "attendance"
TOPIC = topic_of(OWNER)
# How many wait for a lock in this database.
WAITS = """
select count(*) from pg_stat_activity
where datname = current_database() and wait_event_type = 'Lock'
"""
NOW = datetime(2026, 11, 2, 18, tzinfo=UTC)


def admission(partition: int = 0) -> UUID:
    """A new admission on this partition."""
    number = uuid4().int
    return UUID(int=number - number % PARTITIONS + partition)


def fact(key: UUID, *marks: str) -> ScreenResulted:
    """An event of attendance that carries marks a test can know again."""
    return ScreenResulted(
        site_id="north",
        occurred_at=NOW,
        recorded_at=NOW,
        recorded_day=date(2026, 11, 2),
        admission_id=key,
        positives=marks,
    )


def headers(sequence: int, type_: str = ScreenResulted.type, incarnation: int = 1) -> Headers:
    """The headers of an event with a new identifier."""
    return envelope.headers_of(
        event_id=uuid4(),
        type_=type_,
        time=NOW.isoformat(),
        sequence=sequence,
        incarnation=incarnation,
        trace=None,
    )


async def remember(conn: Connection, events: Sequence[Received]) -> None:
    """The effect of an event here: a row."""
    for one in events:
        assert isinstance(one.event, ScreenResulted)
        await conn.execute(
            "insert into seen (owner, key, sequence, marks) values ($1, $2, $3, $4)",
            one.owner,
            one.key,
            one.sequence,
            one.event.positives,
        )


async def pool_of_its_own(
    template: tuple[Postgres, Home], service: str, size: int = 4
) -> asyncpg.Pool:
    """Connections to a fresh copy of a service's database."""
    url = databases.url_of(template[0].admin_url(), service, template[1])
    return await _pool_of_a_copy(template[0], url, service, size)


async def migrated_pool(template: tuple[Postgres, Home], service: str) -> asyncpg.Pool:
    """`pool_of_its_own` of a service that nobody has migrated on this server yet."""
    url = databases.url_of(template[0].admin_url(), service, template[1])
    await asyncio.to_thread(databases.migrate, url, service)
    return await pool_of_its_own(template, service)


async def address_of(pool: asyncpg.Pool, template: tuple[Postgres, Home], service: str) -> str:
    """Where the copy lies that these connections are of, for the service's own role."""
    name = await pool.fetchval("select current_database()")
    url = databases.url_of(template[0].admin_url(), service, template[1])
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def vault_of_its_own(
    template: tuple[Postgres, Home], service: str, keys: FileKeys | None = None
) -> Vault:
    """A service's vault over a fresh database of keys."""
    url = databases.keys_url_of(template[0].admin_url(), service, template[1])
    await asyncio.to_thread(databases.migrate_keys, url, service)
    pool = await _pool_of_a_copy(template[0], url, service, 4)
    return Vault(service, pool, keys or FileKeys(lambda: "a-key-of-the-tests-alone"))


async def _pool_of_a_copy(server: Postgres, url: str, owner: str, size: int) -> asyncpg.Pool:
    base, _, source = url.rpartition("/")
    name = f"test_{uuid4().hex}"
    conn = await asyncpg.connect(server.admin_url())
    await conn.execute(f"create database {name} template {source} owner {owner}")
    await conn.close()
    return await asyncpg.create_pool(
        f"{base}/{name}",
        min_size=0,
        max_size=size,
        command_timeout=20,
        server_settings=sight.SEES_ALL,
    )


@dataclass
class Kit:
    """A database with outbox and inbox, a broker, and a relay between them."""

    pool: asyncpg.Pool
    broker: Kafka
    relay: Relay
    began: dict[TopicPartition, int] = field(default_factory=dict)

    async def begin_here(self) -> None:
        """Store the topics' present ends as the position of this test's consumer."""
        everywhere = [TopicPartition(topic_of(o), p) for o in OWNERS for p in range(PARTITIONS)]
        async with self._reader(everywhere) as consumer:
            self.began = await consumer.end_offsets(everywhere)
        for tp, offset in self.began.items():
            await self.pool.execute(
                "insert into inbox_offsets values ($1, $2, $3)", tp.topic, tp.partition, offset
            )

    async def stage(self, *events: ScreenResulted) -> None:
        """Stage in one transaction."""
        async with self.pool.acquire() as conn, conn.transaction():
            await outbox.stage(conn, events)

    async def relayed(self, *events: ScreenResulted) -> None:
        """Stage, and have the relay send."""
        await self.stage(*events)
        while await self.relay.turn():
            pass

    async def send(
        self, key: UUID, value: bytes | ScreenResulted, with_headers: Headers, owner: str = OWNER
    ) -> None:
        """Write one record past the relay, as no relay of ours would."""
        producer = AIOKafkaProducer(bootstrap_servers=self.broker.address, acks="all")
        await producer.start()
        try:
            await producer.send_and_wait(
                topic_of(owner),
                value if isinstance(value, bytes) else value.model_dump_json().encode(),
                key=str(key).encode(),
                partition=partition_of(key),
                headers=with_headers,
            )
        finally:
            await producer.stop()

    @contextlib.asynccontextmanager
    async def feeding(
        self, apply: Apply = remember, group: str | None = None
    ) -> AsyncIterator[Feed]:
        """A consumer on this database."""
        broker = KafkaBroker(
            self.broker.address, logger=None, consumer_only=True, allow_auto_create_topics=False
        )
        feed = Feed(group or uuid4().hex, (TOPIC,), Applier(self.pool, apply))
        feed.subscribe(broker, "1")
        await broker.start()
        watch = asyncio.create_task(feed.watch())
        try:
            yield feed
        finally:
            watch.cancel()
            await asyncio.wait((watch,))
            await broker.stop()

    async def marks(self, key: UUID | None = None) -> list[str]:
        """The marks of the effects, in the order in which they came."""
        rows = await self.pool.fetch(
            "select marks from seen where $1::uuid is null or key = $1 order by id", key
        )
        return [mark for row in rows for mark in row["marks"]]

    async def has_seen(self, *marks: str, key: UUID | None = None) -> None:
        """Wait for these effects; then there must be no others."""

        async def came() -> bool:
            return len(await self.marks(key)) >= len(marks)

        await until(came, f"the effects {marks}")
        assert await self.marks(key) == list(marks)

    async def letters(self) -> list[tuple[str, str]]:
        """Reason and state of each dead letter, in order."""
        rows = await self.pool.fetch("select reason, state from dead_letters order by id")
        return [(row["reason"], row["state"]) for row in rows]

    async def has_letters(self, count: int) -> list[tuple[str, str]]:
        """Wait for so many dead letters."""

        async def came() -> bool:
            return len(await self.letters()) >= count

        await until(came, f"{count} dead letters")
        return await self.letters()

    async def parked(self) -> list[UUID]:
        """The admissions that are held up."""
        return [row["key"] for row in await self.pool.fetch("select key from parked_keys")]

    async def pending(self) -> int:
        """Events staged and not crossed off."""
        return int(await self.pool.fetchval("select count(*) from outbox_pending"))

    async def records(self, topic: str = TOPIC) -> list["ConsumerRecord[bytes, bytes]"]:
        """What was written to the topic since this test began."""
        places = [tp for tp in self.began if tp.topic == topic]
        found: list[ConsumerRecord[bytes, bytes]] = []
        async with self._reader(places) as consumer:
            ends = await consumer.end_offsets(places)
            for tp in places:
                consumer.seek(tp, self.began[tp])
            for tp in places:
                while await consumer.position(tp) < ends[tp]:
                    for batch in (await consumer.getmany(tp, timeout_ms=1000)).values():
                        found += batch
        return found

    @contextlib.asynccontextmanager
    async def _reader(self, places: list[TopicPartition]) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.broker.address, enable_auto_commit=False, group_id=None
        )
        await consumer.start()
        try:
            consumer.assign(places)
            yield consumer
        finally:
            await consumer.stop()
