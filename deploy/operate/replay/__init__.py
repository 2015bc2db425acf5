"""`handrail replay`: plays a recorded history through the running services."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from operate import background
from operate.addresses import Addresses
from operate.home import Home
from operate.replay.client import Client
from operate.replay.files import write_csv, write_results
from operate.replay.play import Tally, play, until_decided
from operate.replay.rows import FAR_DAYS, History, read_history, read_policy
from operate.replay.script import date_of, scripts

EXIT_USAGE = 2
console = Console(highlight=False)


def command(
    intake: Annotated[Path, typer.Option(help="Who was admitted: CSV or CSV.gz.")],
    events: Annotated[Path, typer.Option(help="What happened: CSV or CSV.gz.")],
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
    *,
    fresh: Annotated[bool, typer.Option("--fresh", help="In an empty system of its own.")] = False,
    policy: Annotated[
        Path | None, typer.Option(help="Policy of all its sites, as JSON; else the default.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Play nothing if a row is bad.")] = False,
) -> None:
    """Play a recorded history, in order, on replay time; write predictions and alerts."""
    history = read_history(intake, events)
    out.mkdir(parents=True, exist_ok=True)
    _write_rejected(out, history.rejected)
    if strict and history.rejected:
        console.print(
            f"{len(history.rejected)} rows are rejected; nothing was played. "
            f"See {out / 'rejected.csv'}",
            soft_wrap=True,
        )
        raise typer.Exit(EXIT_USAGE)
    wanted = None if policy is None else read_policy(policy)
    asyncio.run(_replay(history, events.name, out, wanted, fresh=fresh))


async def _replay(
    history: History, file: str, out: Path, policy: Any | None, *, fresh: bool
) -> None:
    async with _system(fresh=fresh) as addresses:
        tally, began = Tally(), time.monotonic()
        client = Client(addresses, console.print)
        try:
            if policy is not None:
                await _set_policy(client, history, policy)
            await _play_all(client, history, tally)
            seconds = time.monotonic() - began
            rejected = history.rejected + [(file, *refused) for refused in tally.refused]
            _write_rejected(out, rejected)
            counts = _counts(history, tally, len(rejected))
            await write_results(client, out, history.people, tally, counts)
        finally:
            await client.close()
    console.print(
        f"rows in {counts['rows_in']} = applied {counts['applied']} + duplicate "
        f"{counts['duplicate']} + rejected {counts['rejected']}"
    )
    played = tally.applied + tally.duplicates
    console.print(
        f"{played} events in {seconds:.1f} s: {played / seconds:.0f} events/s; results in {out}"
    )


async def _set_policy(client: Client, history: History, policy: Any) -> None:
    """One policy for all sites of the history, from before its first day."""
    for site in sorted({person.site_id for person in history.people.values()}):
        body = {"begins_on": date_of(-FAR_DAYS), "policy": policy}
        await client.put("alerts", f"/v1/sites/{site}/policies", body)


async def _play_all(client: Client, history: History, tally: Tally) -> None:
    columns = (
        TextColumn("events"),
        MofNCompleteColumn(),
        BarColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        began, done = time.monotonic(), 0
        bar = progress.add_task("events", total=len(history.rows), speed="")

        def moved(rows: int) -> None:
            nonlocal done
            done += rows
            speed = f"{done / (time.monotonic() - began):.0f}/s"
            progress.update(bar, completed=done, speed=speed)

        async with asyncio.TaskGroup() as decided:
            for script in scripts(history.people, history.rows):
                await play(client, script, tally, moved)
                decided.create_task(until_decided(client, script))


def _counts(history: History, tally: Tally, rejected: int) -> dict[str, Any]:
    """How every row was accounted for; people count as applied once their referral is taken."""
    people = len(tally.admissions)
    counts = {
        "rows_in": history.intake_rows + history.event_rows,
        "applied": people + tally.applied + tally.duplicates,
        "duplicate": history.duplicates,
        "rejected": rejected,
    }
    known = counts["applied"] + counts["duplicate"] + counts["rejected"]
    return counts | {"unaccounted": counts["rows_in"] - known}


def _write_rejected(out: Path, rejected: list[tuple[str, int, str]]) -> None:
    write_csv(out / "rejected.csv", ("file", "line", "reason"), sorted(rejected))


@asynccontextmanager
async def _system(*, fresh: bool) -> AsyncIterator[Addresses]:
    """The running system, started if it is not up; or a throw-away one of its own."""
    if not fresh:
        home = Home.find()
        await background.ensure_up(home, console.print)
        yield home.addresses()
        return
    folder = Path(tempfile.mkdtemp(prefix="handrail-replay-"))
    home = Home(folder)
    try:
        await background.ensure_up(home, console.print)
        yield home.addresses()
    finally:
        background.down(home, lambda _line: None)
        shutil.rmtree(folder, ignore_errors=True)
