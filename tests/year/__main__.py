"""`python -m tests.year`: the whole year, each day's census, dose and report reckoned twice."""

import argparse
import asyncio
import sys
import time
from collections import Counter

from operate.drill.faults import database_url
from operate.replay.client import Client
from tests.parts import System, running_system
from tests.year.compare import Verdict, compare, every
from tests.year.play import Player, play_year
from tests.year.story import SITES, story_of


async def run(system: System, asked: argparse.Namespace) -> tuple[list[Player], Verdict]:
    """Play and compare."""
    stories = [story_of(site, zone, asked.places, asked.seed) for site, zone in SITES]
    client = Client(system.addresses, print)
    began = time.monotonic()
    try:
        players = await play_year(client, stories, asked.close_every)
    finally:
        await client.close()
    sent = sum(player.sent for player in players)
    print(f"played {sent} commands in {time.monotonic() - began:.0f} s", flush=True)
    sites = [site for site, _ in SITES]
    verdict = await compare(lambda name: database_url(system.home, name), sites, every(asked.every))
    return players, verdict


def main() -> int:
    """Exit 0 only when nothing differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.year")
    parser.add_argument(
        "--places",
        type=int,
        default=126,
        help="of a site; some wait to begin, the census is a little less",
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=1, help="compare the report each so many days")
    parser.add_argument("--close-every", type=int, default=1, help="close so many days at once")
    asked = parser.parse_args()
    with running_system() as system:
        players, verdict = asyncio.run(run(system, asked))
    refused = sum((player.refused for player in players), start=Counter[str]())
    people = sum(len(player.admissions) for player in players)
    print(f"{people} referrals; census at most {sum(verdict.census.values())}, {verdict.census}")
    print(f"refused: {dict(refused)}")
    print(
        f"{verdict.days} days and {verdict.reports} reports compared, {verdict.numbers} numbers: "
        f"{len(verdict.differences)} differ"
    )
    for line in verdict.differences:
        print(line)
    return 1 if verdict.differences else 0


if __name__ == "__main__":
    sys.exit(main())
