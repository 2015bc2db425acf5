"""`handrail demo`: plays a simulated clinic and tells in short what was raised and what came of it."""

from rich.console import Console

from operate.addresses import Addresses
from operate.simulate import story
from operate.simulate.command import play_with_progress
from operate.simulate.play import Plan, Played

WIDTH = 100
SEED = 7


async def demo(addresses: Addresses, patients: int, days: int, page_url: str) -> None:
    """Play `days` days with `patients` people, then print the story. Raises Unreachable."""
    console = Console()
    if console.width > WIDTH:
        console.width = WIDTH
    played = await play_with_progress(addresses, Plan(patients, days, SEED), console)
    _print_story(console, played, page_url)


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
