"""`handrail roll`: new processes for the running services, one after another, under load.

The supervisor holds the listening sockets, so both generations of a service take connections at
the same place and none is refused in between.
"""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import httpx
import typer

from operate.errors import OperateError
from operate.home import HOST, SERVICES, Home
from operate.processes import Child

# Who reads before who is read: what a new process publishes is known to those who hear it.
ORDER = ("alerts", "aftercare", "attendance", "intake")
ASK = signal.SIGUSR1
WAITING = 2048
READY_SECONDS = 120.0
LEAVE_SECONDS = 30.0
LOOK_SECONDS = 0.05


def listen(port: int, host: str = HOST) -> socket.socket:
    """A socket that takes connections as long as the supervisor lives, whoever answers them."""
    made = socket.socket()
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(WAITING)
    except OSError as error:
        made.close()
        message = f"port {port} cannot be listened at: {error.strerror}."
        raise OperateError(message) from None
    return made


@dataclass
class Rolls:
    """What the supervisor has to say about rolls: how many, the lines of the last, its trouble."""

    done: int = 0
    under_way: bool = False
    told: list[str] = field(default_factory=list)
    trouble: str | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    def shown(self) -> dict[str, Any]:
        """For `run.json`."""
        return {
            "done": self.done,
            "under_way": self.under_way,
            "told": self.told,
            "trouble": self.trouble,
        }


def instance_beside(running: Child | None) -> str:
    """A name in the consumer group that the process before does not have."""
    name = os.environ.get("HANDRAIL_INSTANCE", "1")
    is_taken = running is not None and running.env["HANDRAIL_INSTANCE"] == name
    return f"{name}-next" if is_taken else name


async def replace_process(child: Child, fresh: Child, port: int) -> str:
    """Start `fresh` beside `child`'s process, wait for it, let the old one go. Gives a line to say.

    Raises OperateError where the new process does not become ready: the old one goes on.
    """
    began, before = time.monotonic(), child.pid
    fresh.start()
    try:
        await until_ready(fresh, port)
    except BaseException:
        fresh.kill()
        raise
    old = replace(child, patience=LEAVE_SECONDS)
    child.process, child.env = fresh.process, fresh.env
    try:
        await old.stop()
    except BaseException:
        old.kill()
        raise
    seconds = time.monotonic() - began
    return f"{child.name}: process {before} handed over to {child.pid} ({seconds:.1f} s)"


async def until_ready(fresh: Child, port: int) -> None:
    """Wait for one of the processes that answer at a port; each question is a connection of its own.

    Raises OperateError where it ends, or is not ready in time.
    """
    url, until = f"http://{HOST}:{port}/health/ready", time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        if not fresh.is_alive():
            message = f"the new {fresh.name} {fresh.ending()}: {fresh.last_words()} (see {fresh.log}); the old one goes on."
            raise OperateError(message)
        answered = await _ready_process(url)
        if answered is not None and answered == fresh.pid:
            return
        await asyncio.sleep(LOOK_SECONDS)
    message = f"the new {fresh.name} is not ready after {READY_SECONDS:.0f} s (see {fresh.log}); the old one goes on."
    raise OperateError(message)


async def _ready_process(url: str) -> int | None:
    """Who answers that it is ready."""
    try:
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            answer = await client.get(url)
            return int(answer.json()["process"]) if answer.is_success else None
    except (httpx.HTTPError, ValueError, KeyError):
        return None


def command(
    services: Annotated[list[str] | None, typer.Argument(help="Which; all without a word.")] = None,
) -> None:
    """Replace the running services by processes of the code as it is now; no request fails."""
    from operate.status import supervisor_pid  # noqa: PLC0415  # it imports the supervisor

    home = Home.find()
    strange = sorted(set(services or []) - set(SERVICES))
    if strange:
        message = f"there is no service called {strange[0]}; say some of: {', '.join(SERVICES)}."
        raise OperateError(message)
    pid = supervisor_pid(home)
    if pid is None:
        message = f"Handrail is not running for {home.folder}; `./handrail up` starts it."
        raise OperateError(message)
    home.write("roll.json", {"services": services or list(SERVICES)})
    asyncio.run(follow(home, pid, lambda line: print(line, flush=True)))


async def follow(home: Home, supervisor: int, say: Callable[[str], None]) -> None:
    """Ask the supervisor for a roll and tell how it goes. Raises OperateError."""
    done, told = _rolls(home)["done"], 0
    os.kill(supervisor, ASK)
    until = time.monotonic() + len(SERVICES) * (READY_SECONDS + LEAVE_SECONDS)
    while time.monotonic() < until:
        rolls = _rolls(home)
        # Lines of the roll before stand there until this one begins.
        if rolls["done"] > done or rolls["under_way"]:
            for line in rolls["told"][told:]:
                say(line)
            told = len(rolls["told"])
        if rolls["done"] > done:
            if rolls["trouble"]:
                raise OperateError(str(rolls["trouble"]))
            return
        await asyncio.sleep(LOOK_SECONDS)
    message = f"the roll did not end; see {home.log('supervisor')}"
    raise OperateError(message)


def _rolls(home: Home) -> dict[str, Any]:
    rolls: dict[str, Any] = home.read("run.json").get("rolls", {})
    return {"done": 0, "under_way": False, "told": [], "trouble": None} | rolls
