"""One bad thing at a time, with what it must not do: `handrail drill --scene NAME`."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from operate import background
from operate.drill.faults import Faults
from operate.drill.real import new_home, remove
from operate.drill.scenes import clock, disk, outage, poison, topic
from operate.drill.scenes.stage import NotPossibleError, Stage, as_it_is
from operate.drill.ward import Ward
from operate.home import Home


@dataclass(frozen=True, slots=True)
class Scene:
    """What is played, and in which setting the home starts."""

    play: Callable[[Stage], Awaitable[None]]
    setting: Callable[[Home], AbstractContextManager[None]] = as_it_is


SCENES = {
    "outage": Scene(outage.play),
    "topic": Scene(topic.play),
    "poison": Scene(poison.play),
    "disk": Scene(disk.play, disk.setting),
    "clock": Scene(clock.play, clock.setting),
}


async def run(names: Sequence[str], seed: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Play scenes one after another, each in a home of its own; good when all of them are."""
    told = {name: await _run(name, seed, say) for name in names}
    return {"seed": seed, "scenes": told, "good": all(one["good"] for one in told.values())}


async def _run(name: str, seed: int, say: Callable[[str], None]) -> dict[str, Any]:
    scene, home, good = SCENES[name], new_home(), False
    say(f"{name}: begins")
    try:
        with scene.setting(home):
            try:
                await background.ensure_up(home, say)
                told = await _play(scene, home, seed, say)
                good = told["good"]
            finally:
                await asyncio.to_thread(background.down, home, say)
    except NotPossibleError as reason:
        say(f"{name}: {reason}")
        good = True
        return {"skipped": str(reason), "good": True}
    finally:
        remove(home, say, good=good)
    return told


async def _play(scene: Scene, home: Home, seed: int, say: Callable[[str], None]) -> dict[str, Any]:
    dice = random.Random(seed)  # noqa: S311  # a drill must be repeatable
    ward = Ward(home.addresses(), random.Random(seed + 1), home.folder / "ledger.jsonl")  # noqa: S311
    stage = Stage(home, ward, Faults(home, dice, ward.admissions), say)
    await scene.play(stage)
    return await stage.judged()
