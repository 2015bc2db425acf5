"""What is broken in a drill of real parts: processes, connections and records."""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from uuid import UUID

import asyncpg
import httpx
import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from handrail.topics import PARTITIONS, partition_of, topic_of
from operate import status
from operate.ground import EXTERNAL_DATABASE, EXTERNAL_KAFKA, postgres_of
from operate.home import HOST, SERVICES, Home

PARTS = ("kafka", "postgres")
TOPICS = ("intake", "attendance")
READY_SECONDS = 180.0
WRITING_SECONDS = 10.0
# After these it is measured how soon all is well again.
LASTING = ("kill", "freeze", "cut", "lose", "slow", "lock", "fail")
NOT_POSSIBLE = (
    KafkaError,
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    psutil.NoSuchProcess,
)
CUT = "select pg_terminate_backend(pid) from pg_stat_activity where usename = any($1::text[])"


@dataclass
class Faults:
    """Breaks one thing after another, by the dice, and measures how soon all is well again."""

    # What can be broken, and how often beside the others.
    KINDS: ClassVar[Mapping[str, int]] = {
        "kill_service": 4,
        "freeze_service": 2,
        "kill_part": 1,
        "freeze_part": 1,
        "cut_connections": 3,
        "repeat_records": 6,
        "poison": 6,
    }

    home: Home
    dice: random.Random
    victims: list[str]
    count: Counter[str] = field(default_factory=Counter)
    # Of each that lasts: the seconds until all was well, its name, and when it was over.
    recovered: list[tuple[float, str, str]] = field(default_factory=list)
    # When the last fault that lasts was over, where that is later than its beginning.
    over: float = 0.0
    poisoned: set[str] = field(default_factory=set)
    # No other kinds than these; all where there are none.
    only: Collection[str] = ()
    # After these it took longer than anybody should wait.
    not_back: list[str] = field(default_factory=list)

    async def storm(self, until: float) -> None:
        """Break things until the loop's clock says so."""
        loop = asyncio.get_running_loop()
        kinds = {name: n for name, n in self.KINDS.items() if not self.only or name in self.only}
        while loop.time() < until:
            [kind] = self.dice.choices([*kinds], [*kinds.values()])
            fault: Callable[[], Awaitable[str]] = getattr(self, kind)
            began = time.monotonic()
            try:
                name = await fault()
            except NOT_POSSIBLE:
                # What is to be broken is still away from the fault before.
                name = "not_possible"
            self.count[name] += 1
            if name.startswith(LASTING):
                began = max(began, self.over)
                try:
                    await self.until_back(name.partition("_")[2])
                    self._note(name, time.monotonic() - began)
                except TimeoutError:
                    self.not_back.append(name)
                # Whatever is not back may wait for just this.
                try:
                    await self.mend()
                except TimeoutError:
                    self.not_back.append("mend")
            await asyncio.sleep(self.dice.random())

    def _note(self, name: str, seconds: float) -> None:
        over = datetime.now(UTC) - timedelta(seconds=seconds)
        self.recovered.append((round(seconds, 2), name, over.isoformat(timespec="seconds")))

    async def mend(self) -> None:
        """Put back what a fault took away; here the supervisor does it."""

    async def until_well(self) -> None:
        """Wait until everything answers. Raises TimeoutError."""
        async with asyncio.timeout(READY_SECONDS):
            while not status.is_healthy(await status.look(self.home)):  # noqa: ASYNC110  # no event
                await asyncio.sleep(0.1)

    async def until_back(self, name: str) -> None:
        """Wait until a broken service is ready again; after a part's fault, until all are."""
        addresses = self.home.addresses()
        broken = [name] if name in SERVICES else SERVICES
        async with (
            asyncio.timeout(READY_SECONDS),
            httpx.AsyncClient(timeout=2, trust_env=False) as client,
        ):
            for service in broken:
                url = f"{getattr(addresses, service)}/health/ready"
                while not await _is_ready(client, url):  # noqa: ASYNC110  # no event tells it
                    await asyncio.sleep(0.05)

    async def kill_service(self) -> str:
        """`kill -9`; the supervisor starts it again."""
        return self.kill(self.dice.choice(SERVICES))

    async def kill_part(self) -> str:
        """`kill -9` of the broker or the database."""
        return self.kill(self.dice.choice(PARTS))

    async def freeze_service(self) -> str:
        """SIGSTOP, sometimes past its lease and its session; then SIGCONT."""
        return await self._freeze(self.dice.choice(SERVICES), self.dice.choice((1.0, 4.0, 12.0)))

    async def freeze_part(self) -> str:
        """SIGSTOP of the broker or the database."""
        return await self._freeze(self.dice.choice(PARTS), self.dice.choice((1.0, 4.0)))

    async def cut_connections(self) -> str:
        """End every connection of every service."""
        conn = await asyncpg.connect(_admin(self.home), timeout=5)
        try:
            await conn.execute(CUT, list(SERVICES))
        finally:
            await conn.close(timeout=2)
        return "cut_connections"

    async def repeat_records(self) -> str:
        """Write records of the past again, as a relay that was frozen does."""
        topic, place = topic_of(self.dice.choice(TOPICS)), self.dice.randrange(PARTITIONS)
        tp = TopicPartition(topic, place)
        async with asyncio.timeout(WRITING_SECONDS):
            consumer = AIOKafkaConsumer(
                bootstrap_servers=bootstrap(self.home),
                enable_auto_commit=False,
                auto_offset_reset="earliest",
            )
            try:
                await consumer.start()
                consumer.assign([tp])
                found = await consumer.getmany(tp, timeout_ms=1000)
            finally:
                await consumer.stop()
        old = found.get(tp, [])
        async with self._writing() as producer:
            for one in self.dice.sample(old, len(old) // 5):
                headers = list(one.headers)
                await producer.send(topic, one.value, one.key, place, headers=headers)
            await producer.flush()
        return "repeat_records"

    async def poison(self) -> str:
        """Write a record that nobody can read."""
        key = self.dice.choice(self.victims)
        kind = self.dice.choice(("header", "truncated", "unknown_type", "tombstone", "oversized"))
        value, kind_of = b'{"site_id": "dri', b"attendance.session_missed.v1"
        if kind == "unknown_type":
            kind_of = b"attendance.something_newer.v9"
        if kind == "header":
            kind_of = b"\xff\xfe"
        headers = [("ce_type", kind_of), ("ce_id", b"x"), ("ce_sequence", b"1")]
        headers.append(("ce_incarnation", b"1"))
        record: bytes | None = None if kind == "tombstone" else value
        if kind == "oversized":
            with contextlib.suppress(MessageSizeTooLargeError):
                await self._write("attendance.events", 0, b"x", b"x" * 3_000_000, headers)
                self.count["oversized_was_taken"] += 1
            return "poison_oversized"
        self.poisoned.add(key)
        place = partition_of(UUID(key))
        await self._write("attendance.events", place, key.encode(), record, headers)
        return f"poison_{kind}"

    def kill(self, name: str) -> str:
        """`kill -9` of a service or a part; the supervisor starts it again."""
        self._process(name).kill()
        return f"kill_{name}"

    async def _freeze(self, name: str, seconds: float) -> str:
        return await self.freeze(name, self._process(name), seconds)

    async def freeze(self, name: str, process: psutil.Process, seconds: float) -> str:
        """SIGSTOP of a process and its children, then SIGCONT."""
        family = [process, *process.children(recursive=True)]
        for one in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        for one in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGCONT)
        self.over = time.monotonic()
        return f"freeze_{name}"

    def _process(self, name: str) -> psutil.Process:
        run = self.home.read("run.json")
        try:
            return psutil.Process((run["services"] | run["parts"])[name]["pid"])
        except (psutil.NoSuchProcess, KeyError, TypeError) as gone:
            raise OSError(name) from gone

    async def _write(
        self,
        topic: str,
        place: int,
        key: bytes,
        value: bytes | None,
        headers: list[tuple[str, bytes]],
    ) -> None:
        async with self._writing() as producer:
            await producer.send_and_wait(topic, value, key, place, headers=headers)

    @contextlib.asynccontextmanager
    async def _writing(self) -> AsyncIterator[AIOKafkaProducer]:
        """A producer that is none of ours. Raises TimeoutError after a while."""
        producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap(self.home), acks="all", max_request_size=4_000_000
        )
        async with asyncio.timeout(WRITING_SECONDS):
            try:
                await producer.start()
                yield producer
            finally:
                await producer.stop()


async def _is_ready(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def bootstrap(home: Home) -> str:
    """Where the brokers are that the home works with."""
    return os.environ.get(EXTERNAL_KAFKA) or f"{HOST}:{home.ports()['kafka']}"


def _admin(home: Home) -> str:
    external = os.environ.get(EXTERNAL_DATABASE)
    if external:
        return external
    return postgres_of(home, home.ports()).admin_url()


def database_url(home: Home, name: str) -> str:
    """A database of the home, as its superuser; a secret."""
    return _admin(home).removesuffix("/postgres") + f"/{name}"
