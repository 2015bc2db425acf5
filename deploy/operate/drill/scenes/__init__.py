"""One bad thing at a time, with what it must not do: `handrail drill --scene NAME`."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeAlias

from operate import background
from operate.drill.faults import Faults
from operate.drill.real import new_home, remove
from operate.drill.scenes import clock, disk, outage, pair, poison, topic
from operate.drill.scenes.stage import NotPossibleError, Stage, as_it_is
from operate.drill.ward import Ward
from operate.home import Home
from operate.supervise import Supervisor

Say: TypeAlias = Callable[[str], None]


@contextlib.asynccontextmanager
async def watched(home: Home, say: Say) -> AsyncIterator[None]:
    """The home runs in the background; who ends is started again."""
    try:
        await background.ensure_up(home, say)
        yield
    finally:
        await asyncio.to_thread(background.down, home, say)


@dataclass(frozen=True, slots=True)
class Scene:
    """What is played, in which setting the home starts, and who runs it."""

    play: Callable[[Stage], Awaitable[None]]
    setting: Callable[[Home], AbstractContextManager[None]] = as_it_is
    running: Callable[[Home, Say], AbstractAsyncContextManager[Supervisor | None]] = watched


SCENES = {
    "outage": Scene(outage.play, outage.setting),
    "topic": Scene(topic.play),
    "poison": Scene(poison.play),
    "disk": Scene(disk.play, disk.setting),
    "clock": Scene(clock.play, clock.setting),
    "pair": Scene(pair.play, running=pair.unwatched),
}


async def run(names: Sequence[str], seed: int, say: Say) -> dict[str, Any]:
    """Play scenes one after another, each in a home of its own; good when all of them are."""
    told = {name: await _run(name, seed, say) for name in names}
    return {"seed": seed, "scenes": told, "good": all(one["good"] for one in told.values())}


async def _run(name: str, seed: int, say: Say) -> dict[str, Any]:
    scene, home, good = SCENES[name], new_home(), False
    say(f"{name}: begins")
    try:
        with scene.setting(home):
            async with scene.running(home, say) as system:
                told = await _play(scene, home, seed, say, system)
                good = told["good"]
    except NotPossibleError as reason:
        say(f"{name}: {reason}")
        good = True
        return {"skipped": str(reason), "good": True}
    finally:
        remove(home, say, good=good)
    return told


async def _play(
    scene: Scene, home: Home, seed: int, say: Say, system: Supervisor | None
) -> dict[str, Any]:
    dice = random.Random(seed)  # noqa: S311  # a drill must be repeatable
    ward = Ward(home.addresses(), random.Random(seed + 1), home.folder / "ledger.jsonl")  # noqa: S311
    stage = Stage(home, ward, Faults(home, dice, ward.admissions), say, system)
    await scene.play(stage)
    return await stage.judged()
