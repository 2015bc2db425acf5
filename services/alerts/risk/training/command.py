"""`handrail risk`: trains the table from the data files, and reports how well it does."""

import json
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from alerts.risk.table import TABLES, Table, load_table

TRIALS = ["ctn0027", "ctn0030"]

command = typer.Typer(help="Train and measure the points table.", no_args_is_help=True)
Data = Annotated[Path, typer.Option(help="Folder of the recorded histories.")]
Trials = Annotated[list[str], typer.Option(help="Trials to read; give the option again for more.")]


@command.command("train")
def train_table(
    data: Data,
    out: Annotated[Path | None, typer.Option(help="File of the table.")] = None,
    version: Annotated[str, typer.Option(help="Name of the new version.")] = "2026-11-b",
    trial: Trials = TRIALS,
) -> None:
    """Train a table from the data files. The same files give the same bytes."""
    from alerts.risk.training import fit, histories  # noqa: PLC0415  # needs the dev extra

    days = histories.read(data, trial)
    table = fit.train(days.where(days.landmark), version)
    path = out or TABLES / f"{version}.json"
    path.write_text(written(table), encoding="utf-8")
    print(f"{len(table.terms)} lines, scores 0 to {len(table.risk28) - 1}: {path}")


@command.command()
def report(
    data: Data,
    out: Annotated[Path | None, typer.Option(help="File of the numbers, as JSON.")] = None,
    scorer: Annotated[Path | None, typer.Option(help="The scorer's file.")] = None,
    draws: Annotated[int, typer.Option(help="Bootstrap draws of people an interval.")] = 200,
    trial: Trials = TRIALS,
) -> None:
    """Print, with 95 % intervals, cross-validation and each trial from the other, beside rules."""
    from alerts.risk.training import report as measured  # noqa: PLC0415  # needs the dev extra

    path = scorer or data.parent.parent / "tools" / "score_alerts.py"
    numbers = measured.measure(data, trial, path, draws, print)
    if out:
        out.write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")


@command.command()
def fairness(
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder of a replay of these trials, together.")],
    scorer: Annotated[Path | None, typer.Option(help="The scorer's file.")] = None,
    draws: Annotated[int, typer.Option(help="Bootstrap draws of people an interval.")] = 500,
    trial: Trials = TRIALS,
) -> None:
    """Print, group by group with 95 % intervals, how a replay's alerts and risks did."""
    from alerts.risk.training import emitted, report  # noqa: PLC0415  # needs the dev extra
    from alerts.risk.training.fairness import groups_of  # noqa: PLC0415  # the same

    score = report.load(scorer or data.parent.parent / "tools" / "score_alerts.py")
    truth = score.Truth(str(data), trial)
    groups = groups_of(data, trial, truth.pats)
    for line in emitted.lines(score, truth, groups, out, draws):
        print(line)


@command.command()
def recalibration(
    data: Data,
    draws: Annotated[int, typer.Option(help="How often clinics are drawn.")] = 20,
    trial: Trials = TRIALS,
) -> None:
    """Print what a clinic's own first eight weeks would do to the chance there."""
    from alerts.risk.training import histories, recalibrated  # noqa: PLC0415  # needs the dev extra

    recalibrated.measure(histories.read(data, trial), draws, print)


@command.command()
def verify(
    intake: Annotated[Path, typer.Option(help="The intake file that was played.")],
    events: Annotated[Path, typer.Option(help="The event file that was played.")],
    predictions: Annotated[Path, typer.Option(help="predictions.csv of that replay.")],
    version: Annotated[str | None, typer.Option(help="The table; the current one if left.")] = None,
) -> None:
    """Compute every row of a replay's predictions again, from the files and the table alone."""
    from alerts.risk.training import verify as verified  # noqa: PLC0415  # needs the dev extra

    found = verified.compare(intake, events, predictions, load_table(version))
    print(
        f"{found.rows} rows, largest difference {found.largest:.1e}; "
        f"{found.missing} only computed, {found.unknown} only replayed"
    )
    raise typer.Exit(0 if found.is_equal() else 1)


def written(table: Table) -> str:
    """The table as a file a person can read: one line of the file a line of the table."""
    lines = [
        msgspec.json.encode({name: getattr(term, name) for name in term.__struct_fields__}).decode()
        for term in table.terms
    ]
    terms = ",\n  ".join(lines)
    head = f' "version": "{table.version}",\n "middle": {table.middle},\n "high": {table.high},'
    curves = "".join(
        f',\n "{name}": {json.dumps(list(getattr(table, name)))}' for name in ("risk28", "risk14")
    )
    return f'{{\n{head}\n "terms": [\n  {terms}\n ],\n "lowest": {table.lowest}{curves}\n}}\n'
