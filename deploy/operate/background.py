"""Starting a home in the background, and ending it."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import psutil

from operate.errors import OperateError
from operate.home import Home
from operate.processes import tail
from operate.status import supervisor_pid
from operate.supervise import end_leftovers

START_SECONDS = 600.0
STOP_SECONDS = 60.0


async def ensure_up(home: Home, say: Callable[[str], None]) -> bool:
    """Start the home in the background unless it runs. Returns whether it was started now."""
    home.create()
    if supervisor_pid(home):
        return False
    log = home.log("supervisor")
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "operate", "up"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd="/",
            env=os.environ | {"HANDRAIL_HOME": str(home.folder), "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
    told = 0
    until = time.monotonic() + START_SECONDS
    while True:
        ended = process.poll() is not None
        lines = tail(log, 1000)
        fresh, told = lines[told:], len(lines)
        if ended:
            message = (fresh or lines or ["it ended without a word"])[-1].removeprefix("handrail: ")
            raise OperateError(message)
        for line in fresh:
            say(line)
        run = home.read("run.json")
        if run.get("state") == "ready" and run.get("supervisor", {}).get("pid") == process.pid:
            return True
        if time.monotonic() > until:
            message = f"Handrail is not ready after {START_SECONDS:.0f} s; see {log}"
            raise OperateError(message)
        await asyncio.sleep(0.1)


def down(home: Home, say: Callable[[str], None]) -> None:
    """End the home in order. Nothing running is fine."""
    pid = supervisor_pid(home)
    if pid is None:
        if not home.folder.is_dir() or end_leftovers(home, say) == 0:
            say("nothing was running")
        (home.folder / "run.json").unlink(missing_ok=True)
        return
    process = psutil.Process(pid)
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except psutil.TimeoutExpired:
        message = f"the supervisor (process {pid}) did not end in {STOP_SECONDS:.0f} s; see {home.log('supervisor')}"
        raise OperateError(message) from None
    say("stopped")
