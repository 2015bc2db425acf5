"""A service whose end hangs is ended, and says on what it waited."""

import json
import subprocess
import sys

HANGS = """
import asyncio
from handrail import ending, telemetry

async def never_cancelled():
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass

async def main():
    telemetry.start_logging("alerts", "INFO")
    hanging = asyncio.create_task(never_cancelled())
    ending.end_within(0.2, 75)

asyncio.run(main())
"""


def test_an_end_that_hangs_is_forced() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HANGS], check=False, capture_output=True, text=True, timeout=30
    )

    assert done.returncode == 75
    [line] = [json.loads(line) for line in (done.stdout + done.stderr).splitlines()]
    assert (line["event"], line["waiting"]) == ("service.end_forced", ["never_cancelled"])
