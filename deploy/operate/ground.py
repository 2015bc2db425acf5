"""What services stand on: a PostgreSQL with their databases, a Kafka with their topics; ours or somebody's."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from operate import databases
from operate.errors import OperateError
from operate.home import SERVICES, Home
from operate.parts import kafka, postgres, topics
from operate.parts.kafka import Kafka
from operate.parts.postgres import Postgres
from operate.processes import Child

EXTERNAL_DATABASE = "HANDRAIL_DATABASE_ADMIN_URL"
EXTERNAL_KAFKA = "HANDRAIL_KAFKA_BOOTSTRAP"


def unused_ports() -> tuple[str, ...]:
    """The ports nobody needs because somebody else's PostgreSQL or Kafka is used."""
    database = ("postgres",) if os.environ.get(EXTERNAL_DATABASE) else ()
    return database + (("kafka", "kafka_controller") if os.environ.get(EXTERNAL_KAFKA) else ())


@dataclass
class Ground:
    """PostgreSQL and Kafka of a home; None where the environment names another one."""

    home: Home
    postgres: Postgres | None
    kafka: Kafka | None
    admin_url: str
    bootstrap: str
    say: Callable[[str], None]

    @classmethod
    def of(cls, home: Home, ports: dict[str, int], say: Callable[[str], None]) -> "Ground":
        """What the environment asks for."""
        database, broker = os.environ.get(EXTERNAL_DATABASE), os.environ.get(EXTERNAL_KAFKA)
        ours = (
            None if database else postgres_of(home, ports),
            None if broker else kafka_of(home, ports),
        )
        return cls(home, *ours, database or "", broker or "", say)

    async def prepare_databases(self) -> None:
        """Start PostgreSQL, make roles and databases, bring them up to date. Raises OperateError."""
        await self._start_postgres()
        owns_server = self.postgres is not None
        await databases.prepare(self.admin_url, self.home, owns_server=owns_server)
        await self.migrate()

    async def prepare_topics(self) -> None:
        """Start Kafka and make the topics. Raises OperateError."""
        await self._start_kafka()
        await topics.create(self.bootstrap)

    async def stop(self) -> None:
        """End Kafka, then PostgreSQL."""
        for part in (self.kafka, self.postgres):
            if part:
                await part.stop()

    def children(self) -> Iterator[Child]:
        """The processes that are ours."""
        for part in (self.postgres, self.kafka):
            if part and part.child:
                yield part.child

    def shown(self) -> dict[str, dict[str, object]]:
        """For `run.json`: which process, where, and whose. Another's database address holds a password."""
        return {
            "postgres": _shown(self.postgres, EXTERNAL_DATABASE),
            "kafka": _shown(self.kafka, self.bootstrap),
        }

    async def migrate(self) -> None:
        """Bring each service's databases up to date, saying what was done."""
        for name in SERVICES:
            url = databases.url_of(self.admin_url, name, self.home)
            applied = await asyncio.to_thread(databases.migrate, url, name)
            if name in databases.KEYED:
                keys = databases.keys_url_of(self.admin_url, name, self.home)
                applied += await asyncio.to_thread(databases.migrate_keys, keys, name)
            if applied:
                self.say(f"{name}: migrated ({', '.join(applied)})")

    async def _start_postgres(self) -> None:
        if not self.postgres:
            if not await postgres.answers(self.admin_url):
                message = f"PostgreSQL does not answer at the address in {EXTERNAL_DATABASE}; start it or correct the address."
                raise OperateError(message)
            return
        began = time.monotonic()
        await asyncio.to_thread(self.postgres.prepare)
        self.postgres.start()
        await self.postgres.wait_ready()
        self.admin_url = self.postgres.admin_url()
        self.say(f"PostgreSQL is ready ({time.monotonic() - began:.1f} s)")

    async def _start_kafka(self) -> None:
        if not self.kafka:
            if not await kafka.answers(self.bootstrap):
                message = f"Kafka does not answer at {self.bootstrap} ({EXTERNAL_KAFKA}); start it or correct the address."
                raise OperateError(message)
            return
        began = time.monotonic()
        await asyncio.to_thread(self.kafka.prepare, self.say)
        self.kafka.start()
        await self.kafka.wait_ready()
        self.bootstrap = self.kafka.address
        self.say(f"Kafka is ready ({time.monotonic() - began:.1f} s)")


def _shown(part: Postgres | Kafka | None, external: str) -> dict[str, object]:
    if part is None:
        return {"pid": None, "address": external, "external": True}
    return {"pid": part.pid, "address": part.address, "external": False}


def postgres_of(home: Home, ports: dict[str, int]) -> Postgres:
    """The PostgreSQL of a home."""
    return Postgres(home.folder / "postgres", ports["postgres"], home.log("postgres"))


def kafka_of(home: Home, ports: dict[str, int]) -> Kafka:
    """The broker of a home."""
    folder = home.folder / "kafka"
    return Kafka(folder, ports["kafka"], ports["kafka_controller"], home.log("kafka"))
