"""The clock of the services and their database jumps forward and back."""

import contextlib
import importlib.util
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from operate.drill import judge
from operate.drill.scenes.stage import NotPossibleError, Stage
from operate.home import SERVICES, Home
from operate.parts import kafka

PEOPLE, FLAGGED = 40, 5
# Further than the hours after which a safety concern escalates.
FORWARD, BACK = "+3h", "-3h"
BUSY_SECONDS = 6.0
LIBRARIES = (
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
)
NAMED = "HANDRAIL_LIBFAKETIME"


@contextlib.contextmanager
def setting(home: Home) -> Iterator[None]:
    """The services and PostgreSQL have a clock that can be set; Kafka, elsewhere, has the true one."""
    library, true_java = _library(), kafka.java()
    set_clock(home, "+0")
    untouched = home.folder / "java"
    untouched.write_text(f'#!/bin/sh\nunset LD_PRELOAD\nexec "{true_java}" "$@"\n')
    untouched.chmod(0o755)
    faked = {
        "LD_PRELOAD": library,
        kafka.JAVA: str(untouched),
        "FAKETIME_TIMESTAMP_FILE": str(_file(home)),
        "FAKETIME_CACHE_DURATION": "1",
        # Pauses and leases of a process are measured by a clock that nobody sets.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    before = {name: os.environ.get(name) for name in faked}
    os.environ.update(faked)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


async def play(stage: Stage) -> None:
    """Ahead, what is due is told, once; back again, nothing stands still and nothing comes twice."""
    await stage.ward.admit(PEOPLE)
    flagged = await stage.flagged(FLAGGED)
    # Whoever sends has the true time: it must not lie ahead of a clock that went back.
    stage.ward.ago = timedelta(hours=4)
    await stage.for_a_while(BUSY_SECONDS)
    set_clock(stage.home, FORWARD)

    async def are_told() -> bool:
        return set(await stage.escalations()) >= set(flagged)

    async with stage.busy():
        stage.found["seconds_until_escalated"] = await stage.until(are_told, "escalations")
    set_clock(stage.home, BACK)
    # Leases taken by the clock that was ahead: their holders are gone.
    for service in SERVICES:
        stage.faults.count[stage.faults.kill(service)] += 1
    for service in SERVICES:
        await stage.faults.until_back(service)
    await stage.for_a_while(BUSY_SECONDS)
    stage.found["seconds_until_sent"] = await _rested(stage)
    set_clock(stage.home, "+0")
    await stage.for_a_while(BUSY_SECONDS)
    await stage.rest()
    told = await stage.escalations()
    stage.found["lost_escalations"] = sum(who not in told for who in flagged)
    stage.require(
        all(told.get(who) == 1 for who in flagged), "an escalation was lost or came twice"
    )


async def _rested(stage: Stage) -> float:
    async def is_at_rest() -> bool:
        return await judge.at_rest(stage.home)

    return await stage.until(is_at_rest, "everything is sent and taken")


def set_clock(home: Home, offset: str) -> None:
    """Set it so far from the true time; within a second everybody has it."""
    made = _file(home).with_suffix(".new")
    made.write_text(offset + "\n")
    made.chmod(0o644)
    made.replace(_file(home))


def _file(home: Home) -> Path:
    return home.folder / "clock"


def _library() -> str:
    named = os.environ.get(NAMED)
    spec = importlib.util.find_spec("libfaketime")
    packaged = (
        [str(Path(spec.origin).parent / "vendor/libfaketime/src/libfaketime.so.1")]
        if spec and spec.origin
        else []
    )
    for path in [*([named] if named else []), *packaged, *LIBRARIES]:
        if Path(path).exists():
            return path
    message = (
        f"libfaketime is not here (Debian: faketime; PyPI: libfaketime), or name it in {NAMED}"
    )
    raise NotPossibleError(message)
