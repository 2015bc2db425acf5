"""The broker's disk is full: commands go on, the broker ends, and catches up once there is room."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from operate.drill import judge
from operate.drill.scenes.stage import NotPossibleError, Stage
from operate.home import Home

PEOPLE = 40
MEGABYTES, KEPT_FREE = 192, 65_536
BALLAST = "ballast"


@contextlib.contextmanager
def setting(home: Home) -> Iterator[None]:
    """The broker's folder is a file system of its own, of a fixed size; that takes root."""
    folder = home.folder / "kafka"
    folder.mkdir(mode=0o700)
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if mount is None or unmount is None or os.geteuid() != 0:
        message = "a file system of a fixed size takes root"
        raise NotPossibleError(message)
    words = [mount, "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "handrail-drill", str(folder)]
    made = subprocess.run(words, check=False, capture_output=True)
    if made.returncode:
        message = "this machine lets nobody mount a file system"
        raise NotPossibleError(message)
    try:
        yield
    finally:
        subprocess.run([unmount, "--lazy", str(folder)], check=False, capture_output=True)


async def play(stage: Stage) -> None:
    """Fill the disk, record until the broker is gone and longer, then make room."""
    home, ward = stage.home, stage.ward
    await ward.admit(PEOPLE)
    await stage.for_a_while(3)
    broker = home.read("run.json")["parts"]["kafka"]["pid"]
    ballast = home.folder / "kafka" / BALLAST
    async with stage.busy():
        _fill(ballast)
        before = len(ward.said)

        async def is_gone() -> bool:
            now = home.read("run.json")["parts"]["kafka"]
            return now["pid"] != broker or not await _is_sent(stage)

        stage.found["seconds_until_full"] = await stage.until(is_gone, "nothing is sent any more")

        async def goes_on() -> bool:
            return len(ward.said) > before + 200

        await stage.until(goes_on, "commands are taken meanwhile")
        stage.found["taken_meanwhile"] = len(ward.said) - before
        ballast.unlink()
    said = await judge.sequences(home, set(ward.admissions))

    async def has_heard() -> bool:
        return await judge.has_heard(home, said)

    stage.found["seconds_until_caught_up"] = await stage.until(has_heard, "alerts has heard it all")


def _fill(ballast: Path) -> None:
    room = shutil.disk_usage(ballast.parent).free - KEPT_FREE
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, room)


async def _is_sent(stage: Stage) -> bool:
    """Whether the relays send what is staged."""
    rows = await judge.ask(
        stage.home,
        "attendance",
        "select coalesce(extract(epoch from now() - min(staged_at)), 0) from outbox_pending",
    )
    return float(rows[0][0]) < 3
