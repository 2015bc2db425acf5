"""Starts the parts and the services in order, keeps them running, and ends them in order."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from datetime import UTC, datetime

import httpx

from operate import rolling
from operate.errors import OperateError
from operate.ground import Ground, unused_ports
from operate.home import HOST, MLLP, SERVICES, Home
from operate.leftovers import end_leftovers, lock
from operate.processes import Child
from operate.surroundings import Surroundings

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
# A process that ran this long had a good start: the next pause is short again.
GOOD_RUN_SECONDS = 10.0
START_SECONDS = 60.0
TRIES_AT_START = 3
LOOK_SECONDS = 0.1
ROTATE_SECONDS = 60.0
EXIT_USAGE = 2


class Supervisor:
    """Everything one home runs. `start`, then `watch`, then `stop`."""

    def __init__(self, home: Home, say: Callable[[str], None]) -> None:
        """`say` takes one line at a time for people to read."""
        self.home, self.say = home, say
        home.create()
        self._lock = lock(home)
        end_leftovers(home, say)
        self.ports = home.free_ports(unused=unused_ports())
        self.ground = Ground.of(home, self.ports, say)
        self.services: dict[str, Child] = {}
        self.rolls = rolling.Rolls()
        self._sockets: dict[str, socket.socket] = {}
        self._state = "starting"
        self._started_at = datetime.now(UTC)

    async def start(self) -> None:
        """Start everything and wait until it is ready. Raises OperateError."""
        self._write_run()
        await _together(self.ground.prepare_databases(), self.ground.prepare_topics())
        for name in SERVICES:
            self._listen(name)
            self.services[name] = self.new_process(name)
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
        await self.ground.stop()
        (self.home.folder / "run.json").unlink(missing_ok=True)
        self._lock.close()

    def new_process(self, name: str) -> Child:
        """One more process of a service at its sockets, not started, beside the one that may run."""
        place = self._sockets[name].fileno()
        mllp = self._sockets.get(MLLP.get(name, ""))
        ground = self.ground
        around = Surroundings(self.home, self.ports, ground.admin_url, ground.bootstrap)
        env = around.of(name) | {
            "HANDRAIL_HTTP_FD": str(place),
            "HANDRAIL_INSTANCE": rolling.instance_beside(self.services.get(name)),
            **({"HANDRAIL_MLLP_FD": str(mllp.fileno())} if mllp else {}),
        }
        argv = [sys.executable, "-m", f"{name}.app"]
        hands = (place, mllp.fileno()) if mllp else (place,)
        return Child(name, argv, self.home.log(name), env=env, hands=hands)

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
        await self.ground.migrate()
        for name in rolling.ORDER:
            if name not in wanted:
                continue
            fresh = self.new_process(name)
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
        yield from self.ground.children()
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
                "parts": self.ground.shown(),
                "services": services,
                "rolls": self.rolls.shown(),
            },
        )


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
