"""One supervisor a home: its lock, and the end of what an earlier one left running."""

import fcntl
import signal
from collections.abc import Callable
from typing import IO

import psutil

from operate.errors import OperateError
from operate.ground import kafka_of, postgres_of
from operate.home import SERVICES, Home
from operate.processes import end, find


def lock(home: Home) -> IO[str]:
    """Held as long as the supervisor lives; the system gives it back however it ends."""
    held = (home.folder / "lock").open("a")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        pid = home.read("run.json").get("supervisor", {}).get("pid", "unknown")
        message = f"Handrail is already running for {home.folder} (process {pid}); `./handrail status` shows it, `./handrail down` ends it."
        raise OperateError(message) from None
    return held


def end_leftovers(home: Home, say: Callable[[str], None]) -> int:
    """End what an earlier supervisor, ended by force, left running. Returns how many."""
    # Ports do not matter here: a leftover is known by its data folder.
    ports = dict.fromkeys(("postgres", "kafka", "kafka_controller"), 0)
    groups: list[tuple[str, list[psutil.Process], signal.Signals]] = [
        ("services", _services_left(home), signal.SIGTERM),
        ("Kafka", kafka_of(home, ports).leftovers(), signal.SIGTERM),
        ("PostgreSQL", postgres_of(home, ports).leftovers(), signal.SIGINT),
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
