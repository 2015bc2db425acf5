"""`handrail drill`: breaks things on purpose and says what was lost, doubled or out of order."""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from operate.drill.planted import PLANTED
from operate.drill.simulation import World
from operate.errors import OperateError

STEPS_A_HISTORY = 20_000


def command(
    *,
    simulate: Annotated[int, typer.Option(min=1, help="So many simulated steps.")] = 1_000_000,
    seed: Annotated[int, typer.Option(help="The same seed is the same history.")] = 1,
    result: Annotated[Path | None, typer.Option("--json", help="Write the result here.")] = None,
) -> None:
    """Break things on purpose; exit code 0 only when nothing was lost, doubled or out of order."""
    told = simulated(simulate, seed)
    text = json.dumps(told, indent=1)
    print(text)
    if result:
        result.write_text(text + "\n")
    if told["troubles"] or told["planted_missed"]:
        message = f"the drill found trouble; `--seed {seed}` plays it again."
        raise OperateError(message)


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
    return {
        "seed": seed,
        "steps": played,
        "histories": histories,
        "seconds": round(seconds, 1),
        **totals,
        "faults": dict(faults),
        "troubles": troubles,
        "planted": len(PLANTED),
        "planted_missed": [name for name, history in caught.items() if history is None],
        "planted_caught_in_history": caught,
    }


def caught_after(bug: type[Any], seed: int, histories: int = 40) -> int | None:
    """In which history a planted bug is caught; None when it is not."""
    for number in range(histories):
        if World(seed * 1_000_000 + number, bug()).run(STEPS_A_HISTORY):
            return number + 1
    return None
