"""`handrail drill`: breaks things on purpose and says what was lost, doubled or out of order."""

import asyncio
import json
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from operate.drill import alarms, real, roll, scenes
from operate.drill.planted import PLANTED
from operate.drill.simulation import World
from operate.errors import OperateError

STEPS_A_HISTORY = 20_000
QUICK_SECONDS, FULL_SECONDS = 150, 3600


def command(  # noqa: PLR0913  # one a word that can be said
    *,
    simulate: Annotated[
        int | None, typer.Option(min=1, help="Only the protocol, without real parts: steps.")
    ] = None,
    rolling: Annotated[
        bool, typer.Option("--roll", help="Replace every service under load; break nothing.")
    ] = False,
    all_alarms: Annotated[
        bool, typer.Option("--alarms", help="Cause each alarm, follow its page, see it end.")
    ] = False,
    alarm: Annotated[
        list[str] | None, typer.Option(help="Only this one's cause; may be said again.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Under six minutes (default).")] = False,
    full: Annotated[bool, typer.Option("--full", help="An hour, wide.")] = False,
    wide: Annotated[
        bool, typer.Option("--wide", help="Three brokers, a standby, a network that fails.")
    ] = False,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="Only this kind of fault, such as kill_broker; may be said again."),
    ] = None,
    scene: Annotated[
        list[str] | None,
        typer.Option("--scene", help="One bad thing at a time: a scene's name, or all."),
    ] = None,
    seconds: Annotated[int | None, typer.Option(min=5, help="Break things for so long.")] = None,
    seed: Annotated[int, typer.Option(help="The dice: what is broken, and in which order.")] = 1,
    result: Annotated[Path | None, typer.Option("--json", help="Write the result here.")] = None,
) -> None:
    """Break things on purpose; exit code 0 only when nothing was lost, doubled or out of order."""
    if quick and full:
        message = "say --quick or --full, not both."
        raise OperateError(message)
    if simulate:
        told = simulated(simulate, seed)
    elif all_alarms or alarm:
        told = asyncio.run(alarms.run(_known(alarm or []), _say))
    elif scene:
        told = asyncio.run(scenes.run(_named(scene), seed, _say))
    elif rolling:
        told = asyncio.run(roll.run(seconds or 0, seed, _say))
    else:
        length = seconds or (FULL_SECONDS if full else QUICK_SECONDS)
        told = asyncio.run(real.run(length, seed, _say, wide=wide or full, only=fault or ()))
    text = json.dumps(told, indent=1)
    print(text)
    if result:
        result.write_text(text + "\n")
    if not told["good"]:
        message = f"the drill found trouble; `--seed {seed}` throws the same dice again."
        if all_alarms or alarm:
            message = "an alarm did not come or did not end; its times above are null."
        raise OperateError(message)


def _known(names: list[str]) -> list[str]:
    strangers = {*names} - alarms.known().keys()
    if strangers:
        message = f"there is no alarm {min(strangers)}; deploy/observe/rules.yml has their names."
        raise OperateError(message)
    return names


def _named(wanted: list[str]) -> list[str]:
    names = [*scenes.SCENES] if wanted == ["all"] else wanted
    wrong = [name for name in names if name not in scenes.SCENES]
    if wrong:
        message = f"no scene is called {wrong[0]}; there are {', '.join(scenes.SCENES)}."
        raise OperateError(message)
    return names


def _say(line: str) -> None:
    print(line, flush=True)


def simulated(steps: int, seed: int) -> dict[str, Any]:
    """Play histories of the protocol until `steps` are played, then every planted bug."""
    began, played = time.monotonic(), 0
    totals: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    troubles: dict[str, dict[str, int]] = {}
    histories = 0
    while played < steps:
        number = seed * 1_000_000 + histories
        world = World(number)
        wrong = world.run(STEPS_A_HISTORY)
        histories, played = histories + 1, played + world.steps
        faults += world.faults
        totals["commands"] += len(world.promised)
        totals["records"] += sum(map(len, world.log))
        if wrong:
            troubles[str(number)] = dict(wrong)
    seconds = time.monotonic() - began
    caught = {bug.__name__: caught_after(bug, seed) for bug in PLANTED}
    missed = [name for name, history in caught.items() if history is None]
    return {
        "good": not troubles and not missed,
        "seed": seed,
        "steps": played,
        "histories": histories,
        "seconds": round(seconds, 1),
        **totals,
        "faults": dict(faults),
        "troubles": troubles,
        "planted": len(PLANTED),
        "planted_missed": missed,
        "planted_caught_in_history": caught,
    }


def caught_after(bug: type[Any], seed: int, histories: int = 40) -> int | None:
    """In which history a planted bug is caught; None when it is not."""
    for number in range(histories):
        if World(seed * 1_000_000 + number, bug()).run(STEPS_A_HISTORY):
            return number + 1
    return None
