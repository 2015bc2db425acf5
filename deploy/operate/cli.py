"""The command: `./handrail` and `handrail`."""

import asyncio
import importlib
import importlib.util
import json
import signal
import sys
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Never

import typer

from operate import background, checks, doctor, packages, status, supervise
from operate.errors import OperateError
from operate.home import Home
from operate.processes import tail

TABLE_WIDTH = 120
EXIT_FAILED, EXIT_INTERRUPTED = 1, 130
# Commands in modules of their own: each has a function `command` and is loaded when it is asked for.
ELSEWHERE = {
    "demo": "operate.demo",
    "replay": "operate.replay",
    "import": "operate.sheet",
    "bench": "operate.bench",
    "drill": "operate.drill",
    "backup": "operate.backup",
    "packages": "operate.supply",
    "prepare": "operate.prepare",
    "roll": "operate.rolling",
    "restore": "operate.restore",
    "republish": "operate.republish",
    "dead-letters": "operate.dead_letters",
    "audit": "operate.audit",
    "keys": "operate.keys",
    "risk": "alerts.risk.training.command",
    "simulate": "operate.simulate.command",
}

app = typer.Typer(
    name="handrail",
    help="Handrail tells a care team, early and with reasons, who is slipping away.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def say(line: str) -> None:
    """Tell a person one line."""
    print(line, flush=True)


@app.command()
def up(
    *, detach: Annotated[bool, typer.Option("--detach", help="Return once it is ready.")] = False
) -> None:
    """Start PostgreSQL, Kafka and the four services, and keep them running."""
    home = Home.find()
    if not detach:
        home.create()
        asyncio.run(supervise.run(home, say))
        return
    if not asyncio.run(background.ensure_up(home, say)):
        message = f"Handrail is already running for {home.folder}; `./handrail status` shows it."
        raise OperateError(message)


@app.command()
def down() -> None:
    """End what `up` started. The data stays."""
    background.down(Home.find(), say)


@app.command("status")
def show_status(
    *, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False
) -> None:
    """Show what runs, where and how well; exit code 0 only when everything is well."""
    state = asyncio.run(status.look(Home.find()))
    if as_json:
        print(json.dumps(state, indent=1))
    else:
        _print_table(state)
    if not status.is_healthy(state):
        raise typer.Exit(EXIT_FAILED)


@app.command()
def logs(
    service: Annotated[str | None, typer.Argument(help="A service, postgres or kafka.")] = None,
    lines: Annotated[int, typer.Option(help="How many of the last lines.")] = 50,
) -> None:
    """Print the last lines of the logs."""
    folder = Home.find().folder / "logs"
    files = sorted(folder.glob("*.log"))
    if service:
        files = [file for file in files if file.stem == service]
    if not files:
        known = ", ".join(file.stem for file in sorted(folder.glob("*.log"))) or "none yet"
        message = f"there is no log of {service or 'anything'} in {folder}; there are: {known}."
        raise OperateError(message)
    for file in files:
        for line in tail(file, lines):
            print(line if service else f"{file.stem:>10} | {line}")


@app.command(context_settings={"ignore_unknown_options": True})
def test(
    which: Annotated[
        str, typer.Argument(help="unit, contracts, integration, journeys, drills, all; containers")
    ] = "all",
    more: Annotated[list[str] | None, typer.Argument(help="More words for pytest.")] = None,
) -> None:
    """Run the tests; without a word all but those of the images."""
    raise typer.Exit(checks.run_tests(which, more or []))


@app.command()
def check() -> None:
    """Check format, lint, types, import contracts and event schemas."""
    raise typer.Exit(asyncio.run(checks.run_checks(say)))


@app.command()
def fmt() -> None:
    """Format the code and repair what can be repaired."""
    raise typer.Exit(checks.format_code())


@app.command()
def lock(
    *, upgrade: Annotated[bool, typer.Option(help="Take the newest versions.")] = False
) -> None:
    """Make requirements.lock anew from pyproject.toml."""
    packages.lock(upgrade=upgrade)


@app.command("doctor")
def show_doctor() -> None:
    """Say what is missing on this machine and how to get it."""
    troubles = doctor.look(Home.find(), say)
    if troubles:
        raise typer.Exit(EXIT_FAILED)


def _print_table(state: dict[str, Any]) -> None:
    from rich.console import Console  # noqa: PLC0415  # only this command draws
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False)
    for heading in ("", "health", "process", "MB", "address", "backlog", "lag", "dead letters"):
        table.add_column(heading)
    for name, one in (state["parts"] | state["services"]).items():
        detail = one.get("detail", {}).get("status") or {}
        letters = detail.get("dead_letters")
        count = sum(letters.values()) if isinstance(letters, dict) else letters
        numbers = (detail.get("relay", {}).get("backlog"), detail.get("feed", {}).get("lag"), count)
        row = (name, one["health"], one["pid"], one["rss_mb"], one["address"], *numbers)
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    console = Console()
    console.width = max(console.width, TABLE_WIDTH)
    console.print(f"{state['state']}  {state['home']}", highlight=False)
    console.print(table)


def _load(name: str) -> None:
    """Add a command that lives in a module of its own, if it is there."""
    module = ELSEWHERE[name]
    parent = module.rpartition(".")[0]
    if importlib.util.find_spec(parent) is None or importlib.util.find_spec(module) is None:
        return
    command = getattr(importlib.import_module(module), "command", None)
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=name)
    elif command is not None:
        app.command(name)(command)


def _leaves(group: BaseExceptionGroup) -> Iterator[BaseException]:
    for error in group.exceptions:
        yield from _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]


def _fail(errors: Iterable[BaseException]) -> Never:
    for line in dict.fromkeys(map(str, errors)):
        print(f"handrail: {line}", file=sys.stderr)
    sys.exit(EXIT_FAILED)


def main() -> None:
    """Run the command; errors are one clear line."""
    asked = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    for name in [asked] if asked in ELSEWHERE else [] if asked else ELSEWHERE:
        _load(str(name))
    # Ended by another program is ended as by Ctrl-C: what was started is stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app(prog_name="handrail")
    except OperateError as error:
        _fail([error])
    except ExceptionGroup as group:
        known, others = group.split(OperateError)
        if known is None or others is not None:
            raise
        _fail(_leaves(known))
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
