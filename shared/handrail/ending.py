"""An end that cannot hang: a library that waits for a network that is gone is not waited for."""

import asyncio
import os
import sys
import threading

from handrail.telemetry import log


def end_within(seconds: float, code: int) -> None:
    """End this process, if it is still there then. What is committed is safe, as in a power cut."""
    loop = asyncio.get_running_loop()

    def end() -> None:
        tasks = {getattr(t.get_coro(), "__qualname__", "task") for t in asyncio.all_tasks(loop)}
        log.error("service.end_forced", waiting=sorted(tasks))
        sys.stdout.flush()
        os._exit(code)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
