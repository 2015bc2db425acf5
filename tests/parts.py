"""Real parts for tests: each in a folder and on ports of its own, gone afterwards."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil

from operate.addresses import Addresses
from operate.home import Home
from operate.parts.kafka import Kafka
from operate.parts.postgres import Postgres

START_SECONDS = 180
MEMORY, ENOUGH = Path("/dev/shm"), 12 * 1024**3  # noqa: S108  # a folder of its own is made in it
T = TypeVar("T")


@dataclass(frozen=True)
class System:
    """A whole Handrail that a test talks to from outside."""

    home: Home
    addresses: Addresses

    def handrail(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the command on this system."""
        return run_handrail(self.home, *words)

    def kill(self, name: str) -> None:
        """End a service or a part by force; the supervisor starts it again."""
        run = self.home.read("run.json")
        pid = (run["services"] | run["parts"])[name]["pid"]
        psutil.Process(pid).kill()

    def logs(self) -> str:
        """Everything that anything here has logged."""
        files = sorted(self.home.log("x").parent.iterdir())
        return "\n".join(file.read_text(errors="replace") for file in files)


@contextlib.contextmanager
def temporary_home() -> Iterator[Home]:
    """A data folder that others may pass through, as PostgreSQL's user has to when we are root."""
    folder = Path(tempfile.mkdtemp(prefix="handrail-", dir=_in_memory()))
    if os.geteuid() == 0:
        folder.chmod(0o711)
    home = Home(folder.resolve())
    home.create()
    try:
        yield home
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _in_memory() -> Path | None:
    """A folder in memory where there is plenty: what is thrown away need not reach a disk."""
    try:
        room = os.statvfs(MEMORY)
    except OSError:
        return None
    is_large = room.f_bavail * room.f_frsize > ENOUGH < psutil.virtual_memory().available
    return MEMORY if is_large and not room.f_flag & os.ST_NOEXEC else None


@contextlib.asynccontextmanager
async def running_postgres() -> AsyncIterator[Postgres]:
    """A PostgreSQL of the test's own."""
    with temporary_home() as home:
        port = home.free_ports()["postgres"]
        server = Postgres(home.folder / "postgres", port, home.log("postgres"))
        try:
            server.start()
            await server.wait_ready()
            yield server
        finally:
            if server.child:
                # At once: hundreds of copies of databases need not reach the disk to be thrown away.
                server.child.stop_signal = signal.SIGQUIT
            await server.stop()


@contextlib.asynccontextmanager
async def running_kafka() -> AsyncIterator[Kafka]:
    """A Kafka broker of the test's own, without topics."""
    with temporary_home() as home:
        ports = home.free_ports()
        folder = home.folder / "kafka"
        broker = Kafka(folder, ports["kafka"], ports["kafka_controller"], home.log("kafka"))
        try:
            broker.start()
            await broker.wait_ready()
            yield broker
        finally:
            await broker.stop()


@contextlib.contextmanager
def running_system(**env: str) -> Iterator[System]:
    """Everything `./handrail up` starts, in a home of its own; `env` is what it is set to."""
    with temporary_home() as home:
        try:
            started = run_handrail(home, "up", "--detach", **env)
            assert started.returncode == 0, started.stdout + started.stderr
            yield System(home, home.addresses())
        finally:
            run_handrail(home, "down")


def run_handrail(home: Home, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command on a home and give back what it said."""
    return subprocess.run(
        [sys.executable, "-m", "operate", *words],
        check=False,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        env=os.environ | {"HANDRAIL_HOME": str(home.folder)} | env,
    )


@contextlib.contextmanager
def handrail_started(home: Home, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """The command on a home, running; ended by force if the test leaves before it."""
    with subprocess.Popen(
        [sys.executable, "-m", "operate", *words],
        stdout=subprocess.DEVNULL,
        env=os.environ | {"HANDRAIL_HOME": str(home.folder)},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


async def until(holds: Callable[[], Awaitable[T]], what: str, seconds: float = 30.0) -> T:
    """Wait until it gives something true, and give that. Fails, and says what did not come."""
    try:
        async with asyncio.timeout(seconds):
            while not (found := await holds()):  # noqa: ASYNC110  # what is waited for sets no event
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {seconds:.0f} s: {what}") from None
    return found
