"""One process we started: its life, its log and how to know it again."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

LOG_BYTES = 10 * 1024 * 1024


@dataclass
class Child:
    """A process in its own process group, writing to a log file."""

    name: str
    argv: Sequence[str]
    log: Path
    env: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    # The user to run as, when that is not ours: (user id, group id).
    owner: tuple[int, int] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    patience: float = 10.0
    # File descriptors that it is started with, under the same numbers.
    hands: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self.process.pid if self.process and self.is_alive() else None

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start it. Returns at once."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        user, group = self.owner or (None, None)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.env,
                cwd="/",
                start_new_session=True,
                user=user,
                group=group,
                extra_groups=[] if self.owner else None,
                pass_fds=self.hands,
            )

    async def stop(self) -> None:
        """Ask it to end; after its patience is over, end it."""
        if not self.process or not self.is_alive():
            return
        self.process.send_signal(self.stop_signal)
        try:
            async with asyncio.timeout(self.patience):
                while self.is_alive():  # noqa: ASYNC110  # a process sets no event
                    await asyncio.sleep(0.02)
        except TimeoutError:
            self.kill()

    def kill(self) -> None:
        """End it at once, with everything it started in its group."""
        if not self.process:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def ending(self) -> str:
        """How it ended, in words."""
        code = self.process.poll() if self.process else None
        if code is None:
            return "did not answer in time"
        if code < 0:
            return f"was ended by signal {-code} ({signal.Signals(-code).name})"
        return f"ended with exit code {code}"

    def last_words(self) -> str:
        """The last line of its log."""
        lines = tail(self.log, 20)
        return lines[-1].strip() if lines else "its log is empty"

    def rotate_log(self) -> None:
        """Keep one earlier file once the log has grown."""
        with contextlib.suppress(OSError):
            if self.log.stat().st_size > LOG_BYTES:
                shutil.copyfile(self.log, self.log.with_suffix(".log.1"))
                os.truncate(self.log, 0)


def tail(log: Path, lines: int) -> list[str]:
    """The last lines of a log that are not empty."""
    with contextlib.suppress(OSError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 65536))
        return [text for text in file.read().decode(errors="replace").splitlines() if text][-lines:]
    return []


def find(is_ours: Callable[[list[str], psutil.Process], bool]) -> list[psutil.Process]:
    """The running processes whose command line `is_ours` knows again."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            argv = process.cmdline()
            if argv and process.status() != psutil.STATUS_ZOMBIE and is_ours(argv, process):
                found.append(process)
    return found


def end(processes: list[psutil.Process], ask: signal.Signals, patience: float) -> None:
    """Ask processes to end, then end them."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(ask)
    _, left = psutil.wait_procs(processes, timeout=patience)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=5)


def memory_mb(pid: int | None, *, children: bool = False) -> float | None:
    """Resident memory of a process, in MB; with its children where they are one program."""
    if pid is None:
        return None
    try:
        process = psutil.Process(pid)
        total = process.memory_info().rss
        if children:
            # What PostgreSQL's processes share is counted once.
            total += sum(_own_memory(child) for child in process.children(recursive=True))
    except psutil.Error:
        return None
    return round(total / 1e6, 1)


def _own_memory(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error):
        memory = process.memory_info()
        return max(0, memory.rss - getattr(memory, "shared", 0))
    return 0
