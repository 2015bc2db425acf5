"""`handrail import`: a spreadsheet, previewed or carried out, and a report of both."""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from operate.addresses import from_environment
from operate.errors import OperateError
from operate.home import Home
from operate.replay.client import AT_ONCE, Client
from operate.replay.files import write_csv
from operate.replay.rows import BadRow
from operate.sheet.mapping import Mapping, read_mapping
from operate.sheet.plan import STAYS, Command, Row, Sheet, read_sheet, seat, stays
from operate.status import supervisor_pid

# What intake has just told reaches attendance by Kafka.
PATIENCE_SECONDS = 60.0
NOT_YET = "admission_unknown"
console = Console(highlight=False)


@dataclass(slots=True)
class Report:
    """What became of each row: (line, command, outcome, reason)."""

    lines: list[tuple[int, str, str, str]] = field(default_factory=list)
    admissions: dict[str, str] = field(default_factory=dict)
    new: set[str] = field(default_factory=set)

    def note(self, row: Row, command: Command, result: dict[str, Any]) -> None:
        """Enter one command's result."""
        why = f"{result['code']}: {result['detail']}" if result["status"] == "rejected" else ""
        self.lines.append((row.line, command["do"], result["status"], why))


def command(
    file: Annotated[Path, typer.Argument(help="The spreadsheet, as CSV or CSV.gz.")],
    mapping: Annotated[Path, typer.Option(help="Which column is what; see docs/csv.md.")],
    out: Annotated[Path, typer.Option(help="Folder for the report and rejected.csv.")],
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Carry it out; else a preview.")] = False,
) -> None:
    """Say what a spreadsheet would do; with --apply do it. The same row is taken once."""
    wanted, key = read_mapping(mapping), _key()
    sheet = read_sheet(file, wanted, key)
    out.mkdir(parents=True, exist_ok=True)
    report = asyncio.run(_carry_out(sheet, wanted, key, apply=apply))
    _write(out, sheet, report, apply=apply)


def _key() -> bytes:
    given = os.environ.get("HANDRAIL_HL7_KEY") or Home.find().secret("hl7_key")
    return given.encode()


async def _carry_out(sheet: Sheet, mapping: Mapping, key: bytes, *, apply: bool) -> Report:
    home, named = Home.find(), from_environment()
    if named is None and supervisor_pid(home) is None:
        message = "Handrail is not running; start it with `./handrail up --detach`."
        raise OperateError(message)
    client, report = Client(named or home.addresses(), console.print), Report()
    try:
        await _tell_intake(client, sheet, mapping, report, apply=apply)
        await _tell_attendance(client, sheet, mapping, report, key, apply=apply)
    finally:
        await client.close()
    return report


async def _tell_intake(
    client: Client, sheet: Sheet, mapping: Mapping, report: Report, *, apply: bool
) -> None:
    told: list[list[tuple[Row, Command]]] = []
    for rows in sheet.people.values():
        try:
            told.append(list(stays(mapping, rows)))
        except BadRow as bad:
            sheet.rejected += [(row.line, str(bad)) for row in rows]
    for part in _parts(told):
        results = await _sent(client, "intake", [c for _, c in part], apply=apply)
        for (row, said), result in zip(part, results, strict=True):
            is_first = said["do"] == "receive_referral"
            if is_first and result["subject"]:
                report.admissions[row.person] = result["subject"]
                if result["status"] == "applied":
                    report.new.add(row.person)
            report.note(row, said, result)


async def _tell_attendance(
    client: Client, sheet: Sheet, mapping: Mapping, report: Report, key: bytes, *, apply: bool
) -> None:
    told: list[tuple[Row, Command]] = []
    for person, rows in sheet.people.items():
        for row in rows:
            if row.what in STAYS or person not in report.admissions:
                continue
            if not apply and person in report.new:
                report.lines.append((row.line, row.what, "after_admission", ""))
                continue
            try:
                told.append((row, seat(mapping, row, report.admissions[person], key)))
            except BadRow as bad:
                sheet.rejected.append((row.line, str(bad)))
    for part in _parts([[one] for one in told]):
        commands = [c for _, c in part]
        results = await _sent(client, "attendance", commands, apply=apply)
        if apply:
            await _wait_for_intake(client, commands, results)
        for (row, said), result in zip(part, results, strict=True):
            report.note(row, said, result)


async def _wait_for_intake(
    client: Client, commands: list[Command], results: list[dict[str, Any]]
) -> None:
    """Send again what is about somebody of whom attendance has not heard yet."""
    until = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while early := [n for n, result in enumerate(results) if result["code"] == NOT_YET]:
        if asyncio.get_running_loop().time() > until:
            return
        await asyncio.sleep(0.2)
        again = await _sent(client, "attendance", [commands[n] for n in early], apply=True)
        for number, result in zip(early, again, strict=True):
            results[number] = result


async def _sent(
    client: Client, service: str, commands: list[Command], *, apply: bool
) -> list[dict[str, Any]]:
    path = "/v1/commands" if apply else "/v1/commands/preview"
    found: list[dict[str, Any]] = await client.post(service, path, commands)
    return found


def _parts(told: list[list[tuple[Row, Command]]]) -> Iterator[list[tuple[Row, Command]]]:
    """Some hundred at once; what is one person's stays together."""
    part: list[tuple[Row, Command]] = []
    for one in told:
        if part and len(part) + len(one) > AT_ONCE:
            yield part
            part = []
        part += one
    if part:
        yield part


def _write(out: Path, sheet: Sheet, report: Report, *, apply: bool) -> None:
    refused = [(line, why) for line, _, outcome, why in report.lines if outcome == "rejected"]
    rejected = sorted({*sheet.rejected, *refused})
    lines = sorted(report.lines)
    write_csv(out / "report.csv", ("line", "command", "outcome", "reason"), lines)
    write_csv(out / "rejected.csv", ("line", "reason"), rejected)
    outcomes = Counter(f"{what} {outcome}" for _, what, outcome, _ in lines)
    summary = {
        "applied": apply,
        "rows": sheet.count,
        "people": len(sheet.people),
        "new_people": len(report.new),
        "rejected_rows": len({line for line, _ in rejected}),
        "outcomes": dict(sorted(outcomes.items())),
    }
    (out / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    said = "carried out" if apply else "preview; nothing was changed"
    console.print(f"{sheet.count} rows, {len(sheet.people)} people ({said})")
    for name, count in sorted(outcomes.items()):
        console.print(f"  {count:6} {name}")
    if rejected:
        console.print(f"{summary['rejected_rows']} rows are rejected; see {out / 'rejected.csv'}")
