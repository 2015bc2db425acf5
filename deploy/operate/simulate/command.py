"""`handrail simulate`: the play without the story, against a running system."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from operate.addresses import Addresses, from_environment
from operate.errors import OperateError
from operate.home import Home
from operate.simulate.play import Plan, Played, play
from operate.status import supervisor_pid


async def play_with_progress(addresses: Addresses, plan: Plan, console: Console) -> Played:
    """Play with a progress bar; the first alert is told the moment it is there."""
    columns = (
        TextColumn("day"),
        MofNCompleteColumn(),
        BarColumn(),
        TextColumn("{task.fields[so_far]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("days", total=plan.days, so_far="")
        said: list[float] = []

        def told(played: Played) -> None:
            progress.update(bar, completed=played.days, so_far=_so_far(played))
            if played.first_alert_after is not None and not said:
                said.append(played.first_alert_after)
                progress.console.print(_first_alert(played), highlight=False)

        played = await play(addresses, plan, told)
    for what, times in sorted(played.refused.items()):
        console.print(f"refused {times} x {what}", style="yellow", highlight=False)
    return played


def command(
    patients: Annotated[int, typer.Option(min=1, max=1000, help="People referred.")] = 60,
    days: Annotated[int, typer.Option(min=1, max=365, help="Days played.")] = 42,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same story.")] = 7,
) -> None:
    """Play a simulated clinic against the running system."""
    home, named = Home.find(), from_environment()
    if named is None and supervisor_pid(home) is None:
        message = "Handrail is not running; start it with `./handrail up --detach`."
        raise OperateError(message)
    console = Console()
    plan = Plan(patients, days, seed)
    played = asyncio.run(play_with_progress(named or home.addresses(), plan, console))
    line = f"Played {played.days} days at {played.site_id}: {_so_far(played)}."
    console.print(line, highlight=False)


def _so_far(played: Played) -> str:
    in_care = sum(person.status in ("admitted", "on_hold") for person in played.clinic.people)
    return f"{in_care} in care, {played.clinic.sessions} sessions, {len(played.alerts())} alerts"


def _first_alert(played: Played) -> str:
    alert, concern = played.alerts()[0]
    person = played.clinic.person(played.number_of(concern))
    reasons = "; ".join(alert.reasons[:2])
    return (
        f"first alert after {played.first_alert_after:.1f} s: "
        f"Person {person.number}, {person.track} track, level {alert.level}: {reasons}"
    )
