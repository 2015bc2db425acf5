"""Three brokers and a database with a standby, each behind a network that can fail."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from handrail.topics import OWNERS, topic_of
from operate.drill.proxy import Proxy
from operate.home import HOST, unused_ports
from operate.parts import kafka, topics
from operate.parts.kafka import Kafka
from operate.parts.postgres import Postgres

BROKERS = 3
IN_SYNC_SECONDS = 90.0
SETTINGS = {
    "inter.broker.listener.name": "INSIDE",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "share.coordinator.state.topic.replication.factor": "3",
    # A broker that is gone is known to be gone after this.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "controller.quorum.fetch.timeout.ms": "1000",
    "controller.quorum.election.timeout.ms": "500",
}
WAIT_FOR_STANDBY = "alter system set synchronous_standby_names = '*'"
WAIT_FOR_NOBODY = "alter system reset synchronous_standby_names"
STREAMING = "select count(*) from pg_stat_replication where sync_state = 'sync'"


@dataclass
class Cluster:
    """What `handrail up` is given instead of parts of its own. A commit waits for the standby."""

    folder: Path
    logs: Path
    brokers: list[Kafka] = field(default_factory=list)
    broker_nets: list[Proxy] = field(default_factory=list)
    database_net: Proxy = field(default_factory=lambda: Proxy(0))
    databases: list[Postgres] = field(default_factory=list)

    @property
    def bootstrap(self) -> str:
        """The brokers, as clients reach them."""
        return ",".join(f"{HOST}:{net.port}" for net in self.broker_nets)

    @property
    def admin_url(self) -> str:
        """The database that is written to, as clients reach it; a secret."""
        primary = self.databases[0]
        return primary.admin_url().replace(primary.address, f"{HOST}:{self.database_net.port}")

    @property
    def standby(self) -> Postgres:
        """The database that follows. Raises OSError where there is none at the moment."""
        if len(self.databases) == 1:
            raise OSError("standby")
        return self.databases[1]

    @property
    def nets(self) -> list[Proxy]:
        """Every way between a service and a part."""
        return [*self.broker_nets, self.database_net]

    async def start(self) -> None:
        """Start everything, and the topics with three copies. Raises OperateError."""
        await asyncio.gather(self._start_brokers(), self._start_databases())
        await topics.create(self.bootstrap, replicas=BROKERS)

    async def stop(self) -> None:
        """End everything."""
        await asyncio.gather(*(broker.stop() for broker in self.brokers))
        for database in reversed(self.databases):
            await database.stop()
        for net in self.nets:
            await net.stop()

    async def fail_over(self) -> None:
        """The primary is gone from one moment to the next; its standby takes over."""
        old, new = self.databases[0], self.standby
        old.kill()
        async with connected(new.admin_url()) as conn:
            await conn.execute(WAIT_FOR_NOBODY)
            await conn.execute("select pg_reload_conf()")
            await conn.execute("select pg_promote(true, 30)")
        self.databases = [new]
        self.database_net.target = new.port
        self.database_net.reset()

    async def mend(self) -> None:
        """A good network; every broker in sync; a standby. Raises TimeoutError."""
        for net in self.nets:
            net.heal()
        for broker in self.brokers:
            if broker.pid is None:
                broker.start()
        if len(self.databases) == 1:
            await self._start_standby()
        async with asyncio.timeout(IN_SYNC_SECONDS):
            while not await self._is_in_sync():  # noqa: ASYNC110  # Kafka sends no event
                await asyncio.sleep(0.1)

    def any_net(self, dice: random.Random) -> tuple[str, Proxy]:
        """One of the nets and whose it is."""
        name, nets = dice.choice((("kafka", self.broker_nets), ("postgres", [self.database_net])))
        return name, dice.choice(nets)

    async def _start_brokers(self) -> None:
        ports = list(islice(unused_ports(), 3 * BROKERS))
        outside, inside, control = (ports[n::3] for n in range(3))
        self.broker_nets = [Proxy(port) for port in outside]
        for net in self.broker_nets:
            await net.start()
        voters = ",".join(f"{n + 1}@{HOST}:{port}" for n, port in enumerate(control))
        cluster = kafka.cluster_id()
        for n in range(BROKERS):
            told = {
                "node.id": str(n + 1),
                "controller.quorum.voters": voters,
                "listeners": f"PLAINTEXT://{HOST}:{outside[n]},INSIDE://{HOST}:{inside[n]},"
                f"CONTROLLER://{HOST}:{control[n]}",
                "advertised.listeners": f"PLAINTEXT://{HOST}:{self.broker_nets[n].port},"
                f"INSIDE://{HOST}:{inside[n]}",
            }
            name = f"kafka-{n + 1}"
            broker = Kafka(
                self.folder / name,
                outside[n],
                control[n],
                self.logs / f"{name}.log",
                settings=SETTINGS | told,
                cluster=cluster,
            )
            await asyncio.to_thread(broker.prepare)
            self.brokers.append(broker)
        for broker in self.brokers:
            broker.start()
        for broker in self.brokers:
            await broker.wait_ready()

    async def _start_databases(self) -> None:
        primary = self._database(1)
        await asyncio.to_thread(primary.prepare)
        primary.start()
        await primary.wait_ready()
        self.databases = [primary]
        self.database_net.target = primary.port
        await self.database_net.start()
        await self._start_standby()

    async def _start_standby(self) -> None:
        [primary] = self.databases
        number = int(primary.folder.name.rpartition("-")[2]) + 1
        standby = self._database(number)
        await asyncio.to_thread(standby.copy, primary)
        await asyncio.to_thread(standby.prepare)
        standby.start()
        await standby.wait_ready()
        self.databases.append(standby)
        async with connected(primary.admin_url()) as conn:
            await conn.execute(WAIT_FOR_STANDBY)
            await conn.execute("select pg_reload_conf()")
            async with asyncio.timeout(30):
                while not await conn.fetchval(STREAMING):  # noqa: ASYNC110  # no event tells it
                    await asyncio.sleep(0.05)

    def _database(self, number: int) -> Postgres:
        name = f"postgres-{number}"
        return Postgres(self.folder / name, next(unused_ports()), self.logs / f"{name}.log")

    async def _is_in_sync(self) -> bool:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap, request_timeout_ms=5000)
        try:
            await admin.start()
            described = await admin.describe_topics([topic_of(owner) for owner in OWNERS])
        except (KafkaError, OSError, TimeoutError):
            return False
        finally:
            with contextlib.suppress(KafkaError, OSError):
                await admin.close()
        return all(len(p["isr"]) == BROKERS for topic in described for p in topic["partitions"])


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that is left without waiting for its server."""
    conn = await asyncpg.connect(url, timeout=10)
    try:
        yield conn
    finally:
        conn.terminate()
