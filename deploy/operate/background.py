"""Starting a home in the background, and ending it."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from operate.errors import OperateError
from operate.home import Home
from operate.leftovers import end_leftovers
from operate.processes import tail
from operate.status import supervisor_pid

START_SECONDS = 600.0
STOP_SECONDS = 60.0
MOST_LINES = 1000


async def ensure_up(home: Home, say: Callable[[str], None]) -> bool:
    """Start the home in the background unless it runs. Returns whether it was started now."""
    home.create()
    if supervisor_pid(home):
        return False
    log = home.log("supervisor")
    process = _start(home, log)
    told, until = 0, time.monotonic() + START_SECONDS
    while True:
        ended = process.poll()
        lines = tail(log, MOST_LINES)
        fresh, told = lines[told:], len(lines)
        # The last line may have been told in an earlier turn.
        trouble = _trouble(lines) if ended is not None else None
        for line in fresh[:-1] if trouble else fresh:
            say(line)
        if trouble:
            raise OperateError(trouble)
        run = home.read("run.json")
        if run.get("state") == "ready" and run["supervisor"]["pid"] == process.pid:
            return True
        if time.monotonic() > until:
            message = f"Handrail is not ready after {START_SECONDS:.0f} s; see {log}"
            raise OperateError(message)
        await asyncio.sleep(0.1)


def _start(home: Home, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "operate", "up"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd="/",
            env=os.environ | {"HANDRAIL_HOME": str(home.folder), "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )


def _trouble(lines: list[str]) -> str:
    return lines[-1].removeprefix("handrail: ") if lines else "it ended without a word"


def down(home: Home, say: Callable[[str], None]) -> None:
    """End the home in order. Nothing running is fine."""
    pid = supervisor_pid(home)
    if pid is None:
        if not home.folder.is_dir() or end_leftovers(home, say) == 0:
            say("nothing was running")
        (home.folder / "run.json").unlink(missing_ok=True)
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(pid).send_signal(signal.SIGTERM)
    until = time.monotonic() + STOP_SECONDS
    # Not `Process.wait`: a supervisor whose parent still runs stays in the list after its end.
    while supervisor_pid(home) == pid and time.monotonic() < until:
        time.sleep(0.05)
    if supervisor_pid(home) == pid:
        message = f"the supervisor (process {pid}) did not end in {STOP_SECONDS:.0f} s; see {home.log('supervisor')}"
        raise OperateError(message)
    say("stopped")
