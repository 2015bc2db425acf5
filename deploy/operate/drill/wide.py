"""What is broken besides processes when there are three brokers, a standby and a network."""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar
from uuid import UUID

import asyncpg
import psutil

from handrail.topics import partition_of
from operate.drill import judge
from operate.drill.cluster import Cluster, connected
from operate.drill.faults import Faults, database_url
from operate.drill.proxy import DOWN, UP
from operate.drill.ward import Ward
from operate.home import SERVICES

TABLES = ("outbox_pending", "outbox_streams", "inbox_streams", "inbox_offsets")
PROBE_SECONDS = 120.0
RESETS_A_SECOND = 3.0


@dataclass
class WideFaults(Faults):
    """Faults of a cluster. All is well again when what is said after a fault has reached alerts."""

    KINDS: ClassVar[Mapping[str, int]] = {
        "kill_service": 5,
        "freeze_service": 2,
        "kill_broker": 4,
        "freeze_broker": 2,
        "cut_connections": 3,
        "cut_network": 3,
        "lose_one_way": 2,
        "slow_network": 2,
        "fail_over": 1,
        "slow_commits": 2,
        "lock_table": 2,
        "repeat_records": 6,
        "poison": 6,
    }

    cluster: Cluster = field(kw_only=True)
    ward: Ward = field(kw_only=True)
    _probes: int = 0

    async def storm(self, until: float) -> None:
        """Break things, and cut single connections all the while, unless only some faults are wanted."""
        if self.only:
            return await super().storm(until)
        resets = asyncio.create_task(self._reset_connections())
        try:
            await super().storm(until)
        finally:
            resets.cancel()

    async def mend(self) -> None:
        """Brokers in sync, a standby, a good network."""
        await self.cluster.mend()

    async def until_back(self, name: str) -> None:
        """Wait until what is said from now on reaches alerts."""
        await super().until_back(name)
        async with asyncio.timeout(PROBE_SECONDS):
            await self._probe()

    async def kill_broker(self) -> str:
        """`kill -9` of one of three; it comes back when the others have gone on without it."""
        self.dice.choice(self.cluster.brokers).kill()
        return "kill_broker"

    async def freeze_broker(self) -> str:
        """SIGSTOP of one of three, sometimes so long that it is given up."""
        broker = self.dice.choice(self.cluster.brokers)
        process = psutil.Process(broker.pid or 0)
        return await self.freeze("broker", process, self.dice.choice((1.0, 3.0, 8.0)))

    async def cut_network(self) -> str:
        """Reset every connection to a part; nobody gets through for a while."""
        name, net = self.cluster.any_net(self.dice)
        net.is_refusing = True
        net.reset()
        await asyncio.sleep(self.dice.choice((0.0, 1.0, 4.0)))
        net.heal()
        return self._ended(f"cut_network_{name}")

    async def lose_one_way(self) -> str:
        """What is sent is lost in one direction; connections stay open."""
        name, net = self.cluster.any_net(self.dice)
        way = self.dice.choice((UP, DOWN))
        net.lose(way)
        await asyncio.sleep(self.dice.choice((1.0, 4.0, 8.0)))
        # What was lost does not come later: such a connection is dead.
        net.reset()
        net.heal()
        return self._ended(f"lose_{way}_{name}")

    async def slow_network(self) -> str:
        """Everything takes its time."""
        delay = self.dice.choice((0.02, 0.1, 0.3))
        for net in self.cluster.nets:
            net.delay = delay
        await asyncio.sleep(3)
        for net in self.cluster.nets:
            net.heal()
        return self._ended("slow_network")

    async def fail_over(self) -> str:
        """`kill -9` of the primary; its standby is promoted."""
        await self.cluster.fail_over()
        return "fail_over"

    async def slow_commits(self) -> str:
        """The standby, for which commits wait, is frozen."""
        standby = psutil.Process(self.cluster.standby.pid or 0)
        await self.freeze("standby", standby, self.dice.choice((1.0, 3.0)))
        return "slow_commits"

    async def lock_table(self) -> str:
        """Somebody holds a table of a service."""
        service, table = self.dice.choice(SERVICES), self.dice.choice(TABLES)
        async with connected(database_url(self.home, service)) as conn, conn.transaction():
            await conn.execute(f"lock table {table} in access exclusive mode")
            await asyncio.sleep(self.dice.choice((1.0, 6.0)))
        return self._ended("lock_table")

    def _ended(self, name: str) -> str:
        self.over = time.monotonic()
        return name

    async def _probe(self) -> None:
        """Say something about a person on each partition, and wait until alerts has heard it."""
        places = {
            partition_of(UUID(who)): who for who in self.ward.admissions if who not in self.poisoned
        }
        self._probes += 1
        await self.ward.say(f"probe-{self._probes}", list(places.values()))
        said: dict[str, int] = {}
        while not said or not await self._has_heard(said):
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                said = said or await judge.sequences(self.home, set(places.values()))
            await asyncio.sleep(0.05)

    async def _has_heard(self, said: dict[str, int]) -> bool:
        try:
            return await judge.has_heard(self.home, said)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False

    async def _reset_connections(self) -> None:
        while True:
            await asyncio.sleep(self.dice.expovariate(RESETS_A_SECOND))
            _, net = self.cluster.any_net(self.dice)
            self.count["reset_connection"] += net.reset_one(self.dice)
