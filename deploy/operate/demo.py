"""`handrail demo`: plays a simulated clinic and tells in short what was raised and what came of it."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from operate import background
from operate.addresses import Addresses
from operate.home import Home
from operate.simulate import story
from operate.simulate.command import play_with_progress
from operate.simulate.play import Plan, Played
from operate.status import supervisor_pid

WIDTH = 100
SEED = 7


async def demo(addresses: Addresses, patients: int, days: int, page_url: str) -> None:
    """Play `days` days with `patients` people, then print the story. Raises OperateError."""
    console = Console()
    console.width = min(console.width, WIDTH)
    played = await play_with_progress(addresses, Plan(patients, days, SEED), console)
    _print_story(console, played, page_url)


def command(
    patients: Annotated[int, typer.Option(min=1, max=1000, help="People referred.")] = 60,
    days: Annotated[int, typer.Option(min=1, max=365, help="Days played.")] = 42,
    *,
    leave: Annotated[bool, typer.Option("--exit", help="End when the story is told.")] = False,
) -> None:
    """Start everything, play a simulated clinic, and tell what was raised."""
    asyncio.run(_run(patients, days, leave=leave))


async def _run(patients: int, days: int, *, leave: bool) -> None:
    home = Home.find()
    started_here = await background.ensure_up(home, _say)
    addresses = home.addresses()
    try:
        await demo(addresses, patients, days, f"{addresses.alerts}/")
        if not leave:
            _say("Serving until Ctrl-C.")
            while supervisor_pid(home) is not None:  # noqa: ASYNC110  # a process sets no event
                await asyncio.sleep(1)
    finally:
        if started_here:
            background.down(home, _say)


def _print_story(console: Console, played: Played, page_url: str) -> None:
    console.print()
    console.print(story.census(played), highlight=False)
    console.print(story.flagged(played), highlight=False)
    for paragraph in story.people_told(played):
        console.print()
        console.print(paragraph, highlight=False)
    console.print()
    console.print(story.totals(played), highlight=False)
    console.print(f"The care team's page: {page_url}", highlight=False, soft_wrap=True)


def _say(line: str) -> None:
    print(line, flush=True)
