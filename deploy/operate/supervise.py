"""Starts the parts and the services in order, keeps them running, and ends them in order."""

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from datetime import UTC, datetime
from typing import IO

import httpx
import psutil

from handrail.personal.settings import KEY as PERSONAL_KEY
from operate import databases, rolling
from operate.addresses import ACCESS_KEY
from operate.errors import OperateError
from operate.home import HOST, MLLP, SERVICES, Home, checkout
from operate.parts import kafka, postgres, topics
from operate.parts.kafka import Kafka
from operate.parts.postgres import Postgres
from operate.processes import Child, end, find

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
# A process that ran this long had a good start: the next pause is short again.
GOOD_RUN_SECONDS = 10.0
START_SECONDS = 60.0
TRIES_AT_START = 3
LOOK_SECONDS = 0.1
ROTATE_SECONDS = 60.0
EXIT_USAGE = 2
EXTERNAL_DATABASE = "HANDRAIL_DATABASE_ADMIN_URL"
EXTERNAL_KAFKA = "HANDRAIL_KAFKA_BOOTSTRAP"


class Supervisor:
    """Everything one home runs. `start`, then `watch`, then `stop`."""

    def __init__(self, home: Home, say: Callable[[str], None]) -> None:
        """`say` takes one line at a time for people to read."""
        self.home, self.say = home, say
        home.create()
        self._lock = _lock(home)
        external = os.environ.get(EXTERNAL_DATABASE), os.environ.get(EXTERNAL_KAFKA)
        self._end_leftovers()
        unused = (("postgres",) if external[0] else ()) + (
            ("kafka", "kafka_controller") if external[1] else ()
        )
        ports = home.free_ports(unused=unused)
        self.ports = ports
        self.admin_url, self.bootstrap = external[0], external[1]
        self.postgres = None if external[0] else _postgres(home, ports)
        self.kafka = None if external[1] else _kafka(home, ports)
        self.services: dict[str, Child] = {}
        self.rolls = rolling.Rolls()
        self._sockets: dict[str, socket.socket] = {}
        self._state = "starting"
        self._started_at = datetime.now(UTC)

    async def start(self) -> None:
        """Start everything and wait until it is ready. Raises OperateError."""
        self._write_run()
        await _together(self._prepare_databases(), self._prepare_topics())
        for name in SERVICES:
            self._listen(name)
            self.services[name] = self._service(name)
            self.services[name].start()
        self._write_run()
        await _together(*(self._start_service(child) for child in self.services.values()))
        self._state = "ready"
        self._write_run()

    async def watch(self) -> None:
        """Start again whatever ends, until cancelled."""
        watched = [self._watch(child) for child in self._children()]
        await _together(*watched, self._rotate_logs(), self._roll_when_asked())

    async def stop(self) -> None:
        """End everything: the services, then Kafka, then PostgreSQL."""
        self._state = "stopping"
        self._write_run()
        await asyncio.gather(*(child.stop() for child in self.services.values()))
        for held in self._sockets.values():
            held.close()
        if self.kafka:
            await self.kafka.stop()
        if self.postgres:
            await self.postgres.stop()
        (self.home.folder / "run.json").unlink(missing_ok=True)
        self._lock.close()

    async def _start_postgres(self) -> None:
        if not self.postgres:
            if not await postgres.answers(str(self.admin_url)):
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
            if not await kafka.answers(str(self.bootstrap)):
                message = f"Kafka does not answer at {self.bootstrap} ({EXTERNAL_KAFKA}); start it or correct the address."
                raise OperateError(message)
            return
        began = time.monotonic()
        await asyncio.to_thread(self.kafka.prepare, self.say)
        self.kafka.start()
        await self.kafka.wait_ready()
        self.bootstrap = self.kafka.address
        self.say(f"Kafka is ready ({time.monotonic() - began:.1f} s)")

    async def _prepare_topics(self) -> None:
        await self._start_kafka()
        await topics.create(self._bootstrap())

    async def _prepare_databases(self) -> None:
        await self._start_postgres()
        owns_server = self.postgres is not None
        await databases.prepare(str(self.admin_url), self.home, owns_server=owns_server)
        await self._migrate()

    async def _migrate(self) -> None:
        for name in SERVICES:
            url = databases.url_of(str(self.admin_url), name, self.home)
            applied = await asyncio.to_thread(databases.migrate, url, name)
            if name in databases.KEYED:
                keys = databases.keys_url_of(str(self.admin_url), name, self.home)
                applied += await asyncio.to_thread(databases.migrate_keys, keys, name)
            if applied:
                self.say(f"{name}: migrated ({', '.join(applied)})")

    def _bootstrap(self) -> str:
        return str(self.bootstrap)

    def _service(self, name: str) -> Child:
        place = self._sockets[name].fileno()
        mllp = self._sockets.get(MLLP.get(name, ""))
        env = {k: v for k, v in os.environ.items() if k != EXTERNAL_DATABASE} | {
            "HANDRAIL_HOME": str(self.home.folder),
            "HANDRAIL_SERVICE": name,
            "HANDRAIL_DATABASE_URL": databases.url_of(str(self.admin_url), name, self.home),
            "HANDRAIL_KAFKA_BOOTSTRAP": self._bootstrap(),
            "HANDRAIL_AUDIT_KEY": os.environ.get("HANDRAIL_AUDIT_KEY")
            or self.home.secret("audit_key"),
            ACCESS_KEY: os.environ.get(ACCESS_KEY) or self.home.secret("access_key"),
            "HANDRAIL_ACCESS_ISSUER": os.environ.get("HANDRAIL_ACCESS_ISSUER")
            or os.environ.get("HANDRAIL_OIDC_ISSUER")
            or f"http://{HOST}:{self.ports['alerts']}/development",
            "HANDRAIL_HL7_KEY": os.environ.get("HANDRAIL_HL7_KEY") or self.home.secret("hl7_key"),
            **(self._keys(name) if name in databases.KEYED else {}),
            "HANDRAIL_HTTP_HOST": HOST,
            "HANDRAIL_HTTP_PORT": str(self.ports[name]),
            "HANDRAIL_HTTP_FD": str(place),
            "HANDRAIL_INSTANCE": rolling.instance_beside(self.services.get(name)),
            **{f"HANDRAIL_{n.upper()}_URL": f"http://{HOST}:{self.ports[n]}" for n in SERVICES},
            **({"HANDRAIL_MLLP_PORT": str(self.ports[MLLP[name]])} if name in MLLP else {}),
            **({"HANDRAIL_MLLP_FD": str(mllp.fileno())} if mllp else {}),
            "PYTHONUNBUFFERED": "1",
            "MALLOC_ARENA_MAX": "2",
        }
        argv = [sys.executable, "-m", f"{name}.app"]
        hands = (place, mllp.fileno()) if mllp else (place,)
        return Child(name, argv, self.home.log(name), env=env, hands=hands)

    def _keys(self, name: str) -> dict[str, str]:
        """Where a service's keys lie, and what wraps them; the environment's comes first."""
        kept = {
            "HANDRAIL_KEYS_URL": databases.keys_url_of(str(self.admin_url), name, self.home),
            f"{PERSONAL_KEY}_FILE": str(self.home.wrapping_keys()),
        }
        if os.environ.get(PERSONAL_KEY) or os.environ.get(f"{PERSONAL_KEY}_FILE"):
            del kept[f"{PERSONAL_KEY}_FILE"]
        return kept

    def _listen(self, name: str) -> None:
        """Hold the sockets of a service; a new process of it takes over what waits at them."""
        self._sockets[name] = rolling.listen(self.ports[name])
        if name in MLLP:
            host = os.environ.get("HANDRAIL_MLLP_HOST", HOST)
            self._sockets[MLLP[name]] = rolling.listen(self.ports[MLLP[name]], host)

    async def _start_service(self, child: Child) -> None:
        """Wait for a service's first readiness; it may stumble, but not for long."""
        began, tries = time.monotonic(), 1
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            while not await _is_ready(client, self.ports[child.name]):
                if not child.is_alive():
                    code = child.process.returncode if child.process else None
                    if code == EXIT_USAGE or tries == TRIES_AT_START:
                        message = (
                            f"{child.name} {child.ending()}: {child.last_words()} (see {child.log})"
                        )
                        raise OperateError(message)
                    tries += 1
                    child.start()
                if time.monotonic() - began > START_SECONDS:
                    message = f"{child.name} is not ready after {START_SECONDS:.0f} s: {child.last_words()} (see {child.log})"
                    raise OperateError(message)
                await asyncio.sleep(LOOK_SECONDS)
        self.say(f"{child.name} is ready at http://{HOST}:{self.ports[child.name]}")

    async def _watch(self, child: Child) -> None:
        """Start one process again each time it ends."""
        pause, since = FIRST_PAUSE, time.monotonic()
        while True:
            if child.is_alive():
                await asyncio.sleep(LOOK_SECONDS)
                continue
            if time.monotonic() - since > GOOD_RUN_SECONDS:
                pause = FIRST_PAUSE
            self.say(f"{child.name} {child.ending()}; it is started again in {pause:.1f} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            try:
                child.start()
            except OSError as error:
                self.say(f"{child.name} could not be started: {error}")
            since = time.monotonic()
            self._write_run()

    async def _roll_when_asked(self) -> None:
        """Replace the services each time somebody asks; trouble is told and changes nothing."""
        while True:
            await self.rolls.asked.wait()
            self.rolls.asked.clear()
            self.rolls.under_way, self.rolls.told, self.rolls.trouble = True, [], None
            self._write_run()
            try:
                await self._roll()
            except OperateError as error:
                self.rolls.trouble = str(error)
                self.say(str(error))
            self.rolls.done, self.rolls.under_way = self.rolls.done + 1, False
            self._write_run()

    async def _roll(self) -> None:
        wanted = self.home.read("roll.json").get("services") or SERVICES
        await self._migrate()
        for name in rolling.ORDER:
            if name not in wanted:
                continue
            fresh = self._service(name)
            told = await rolling.replace_process(self.services[name], fresh, self.ports[name])
            self.say(told)
            self.rolls.told.append(told)
            self._write_run()

    async def _rotate_logs(self) -> None:
        while True:
            await asyncio.sleep(ROTATE_SECONDS)
            for child in self._children():
                child.rotate_log()

    def _children(self) -> Iterator[Child]:
        for part in (self.postgres, self.kafka):
            if part and part.child:
                yield part.child
        yield from self.services.values()

    def _write_run(self) -> None:
        """Say who runs where, for `status`, `down` and the next start."""
        services = {
            name: {"pid": child.pid, "address": f"http://{HOST}:{self.ports[name]}"}
            for name, child in self.services.items()
        }
        self.home.write(
            "run.json",
            {
                "state": self._state,
                "started_at": self._started_at.isoformat(),
                "supervisor": {"pid": os.getpid()},
                "parts": {
                    "postgres": self._part(self.postgres, EXTERNAL_DATABASE),
                    "kafka": self._part(self.kafka, self.bootstrap or ""),
                },
                "services": services,
                "rolls": self.rolls.shown(),
            },
        )

    def _part(self, part: Postgres | Kafka | None, external: str) -> dict[str, object]:
        if part is None:
            return {"pid": None, "address": external, "external": True}
        return {"pid": part.pid, "address": part.address, "external": False}

    def _end_leftovers(self) -> None:
        end_leftovers(self.home, self.say)


def end_leftovers(home: Home, say: Callable[[str], None]) -> int:
    """End what an earlier supervisor, ended by force, left running. Returns how many."""
    # Ports do not matter here: a leftover is known by its data folder.
    ports = dict.fromkeys(("postgres", "kafka", "kafka_controller"), 0)
    groups: list[tuple[str, list[psutil.Process], signal.Signals]] = [
        ("services", _services_left(home), signal.SIGTERM),
        ("Kafka", _kafka(home, ports).leftovers(), signal.SIGTERM),
        ("PostgreSQL", _postgres(home, ports).leftovers(), signal.SIGINT),
    ]
    count = 0
    for name, processes, ask in groups:
        if processes:
            count += len(processes)
            pids = ", ".join(str(process.pid) for process in processes)
            say(f"an earlier run left {name} running (process {pids}); ending it in order")
            end(processes, ask, patience=20)
    return count


def _services_left(home: Home) -> list[psutil.Process]:
    apps = {f"{name}.app" for name in SERVICES}

    def is_ours(argv: list[str], process: psutil.Process) -> bool:
        if len(argv) != 3 or argv[1] != "-m" or argv[2] not in apps:
            return False
        return process.environ().get("HANDRAIL_HOME") == str(home.folder)

    return find(is_ours)


def _postgres(home: Home, ports: dict[str, int]) -> Postgres:
    return Postgres(home.folder / "postgres", ports["postgres"], home.log("postgres"))


def _kafka(home: Home, ports: dict[str, int]) -> Kafka:
    folder = home.folder / "kafka"
    return Kafka(folder, ports["kafka"], ports["kafka_controller"], home.log("kafka"))


def _lock(home: Home) -> IO[str]:
    """Held as long as the supervisor lives; the system gives it back however it ends."""
    lock = (home.folder / "lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        pid = home.read("run.json").get("supervisor", {}).get("pid", "unknown")
        message = f"Handrail is already running for {home.folder} (process {pid}); `./handrail status` shows it, `./handrail down` ends it."
        raise OperateError(message) from None
    return lock


async def _is_ready(client: httpx.AsyncClient, port: int) -> bool:
    try:
        answer = await client.get(f"http://{HOST}:{port}/health/ready")
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK


async def run(
    home: Home, say: Callable[[str], None], during: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Start, and keep running until SIGTERM, SIGINT, or the end of `during`; then end in order."""
    ours = asyncio.current_task()
    assert ours is not None
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stopping.set)
    system = Supervisor(home, say)
    loop.add_signal_handler(rolling.ASK, system.rolls.asked.set)
    asked = asyncio.create_task(stopping.wait())
    try:
        starting = asyncio.create_task(system.start())
        await _first_of(starting, asked)
        if asked.done():
            return
        say(f"everything is ready; the care team's page: {home.addresses().alerts}/")
        watching = asyncio.create_task(system.watch())
        inner = [asyncio.create_task(_coroutine(during))] if during else []
        await _first_of(watching, asked, *inner)
    finally:
        say("stopping")
        asked.cancel()
        await system.stop()


async def _together(*works: Coroutine[object, object, None]) -> None:
    """Do all at once; the first trouble ends the others."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except BaseExceptionGroup as troubles:
        raise troubles.exceptions[0] from None


async def _first_of(*tasks: asyncio.Task[object]) -> None:
    """Wait for the first to end; cancel the others but the last request to stop."""
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        if task is not tasks[1]:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, OperateError):
                await task
    for task in done:
        task.result()


async def _coroutine(make: Callable[[], Awaitable[None]]) -> None:
    await make()


def source_folder() -> str:
    """The source tree, or a clear line that there is none."""
    root = checkout()
    if root is None:
        message = "this needs Handrail's source tree: clone it and use its ./handrail."
        raise OperateError(message)
    return str(root)
