"""Sends a site's script to the running services; waits until its every day is decided."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from handrail.topics import partition_of
from operate.errors import OperateError
from operate.replay import script as scripts
from operate.replay.client import Client, Result
from operate.replay.rows import Row
from operate.replay.script import Script

WINDOW_DAYS = 14
WINDOWS_AHEAD = 3
ROWS_A_CALL = 1500
STILL_SECONDS = 120.0
REFERRAL = -1


@dataclass(slots=True)
class Tally:
    """What became of the rows."""

    applied: int = 0
    duplicates: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)
    admissions: dict[str, str] = field(default_factory=dict)

    def count(self, line: int, result: Result) -> None:
        """Enter the result of the row on this line."""
        if result["status"] == "applied":
            self.applied += 1
        elif result["status"] == "duplicate":
            self.duplicates += 1
        else:
            self.refused.append((line, f"{result['code']}: {result['detail']}"))


async def play(client: Client, script: Script, tally: Tally, moved: Callable[[int], None]) -> None:
    """Send one site's script. `moved(rows)` is told of progress. Raises OperateError."""
    days = list(scripts.days(script))
    windows = [days[i : i + WINDOW_DAYS] for i in range(0, len(days), WINDOW_DAYS)]
    ready: asyncio.Queue[list[int] | None] = asyncio.Queue(WINDOWS_AHEAD)
    async with asyncio.TaskGroup() as group:
        group.create_task(_play_intake(client, script, windows, tally, ready, moved))
        group.create_task(_play_attendance(client, script, tally, ready, moved))
        group.create_task(_play_aftercare(client, script))


async def _play_intake(
    client: Client,
    script: Script,
    windows: list[list[int]],
    tally: Tally,
    ready: "asyncio.Queue[list[int] | None]",
    moved: Callable[[int], None],
) -> None:
    """Intake runs some windows ahead, so that attendance knows each admission in time."""
    for window in windows:
        lines = [pair for day in window for pair in script.intake.get(day, [])]
        results = await client.commands("intake", [command for _, command in lines])
        for (row, command), result in zip(lines, results, strict=True):
            if row is None:
                if result["status"] == "rejected":
                    message = f"intake refused a referral: {result['detail']}"
                    raise OperateError(message)
                tally.admissions[command["key"]] = result["subject"]
            else:
                tally.count(row.line, result)
        if window[-1] >= script.first_day:
            day = scripts.date_of(window[-1])
            await client.post("intake", f"/v1/sites/{script.site_id}/days/{day}/close")
        moved(sum(row is not None for row, _ in lines))
        await _wait_until_known(client, lines, tally)
        await ready.put(window)
    await ready.put(None)


async def _wait_until_known(
    client: Client, lines: list[tuple[Row | None, scripts.Command]], tally: Tally
) -> None:
    """Attendance has taken the last of the new admissions on each partition."""
    new = [tally.admissions[command["key"]] for row, command in lines if row is None]
    last = {partition_of(UUID(admission)): admission for admission in new}
    for admission in last.values():
        path, until = f"/v1/admissions/{admission}/attendance", time.monotonic() + STILL_SECONDS
        while await client.get("attendance", path) is None:
            if time.monotonic() > until:
                message = "attendance does not learn of new admissions; see ./handrail status"
                raise OperateError(message)
            await asyncio.sleep(0.02)


async def _play_attendance(
    client: Client,
    script: Script,
    tally: Tally,
    ready: "asyncio.Queue[list[int] | None]",
    moved: Callable[[int], None],
) -> None:
    """Rows and day ends in one stream, some hundred rows a call."""
    lines: list[tuple[Row | None, scripts.Command]] = []
    while (window := await ready.get()) is not None:
        for day in window:
            for row in script.attendance.get(day, []):
                admission = tally.admissions[row.patient_id]
                lines.append((row, scripts.attendance(script.site_id, row, admission)))
            if day >= script.first_day:
                lines.append((None, scripts.close(script.site_id, day)))
            if len(lines) >= ROWS_A_CALL:
                await _send(client, lines, tally, moved)
                lines = []
    await _send(client, lines, tally, moved)


async def _send(
    client: Client,
    lines: list[tuple[Row | None, scripts.Command]],
    tally: Tally,
    moved: Callable[[int], None],
) -> None:
    results = await client.commands("attendance", [command for _, command in lines])
    for (row, _), result in zip(lines, results, strict=True):
        if row is not None:
            tally.count(row.line, result)
        elif result["status"] == "rejected":
            message = f"attendance did not close a day: {result['detail']}"
            raise OperateError(message)
    moved(sum(row is not None for row, _ in lines))


async def _play_aftercare(client: Client, script: Script) -> None:
    """Nothing happens in aftercare; its days are closed at once, when it knows the site."""
    until = time.monotonic() + STILL_SECONDS
    while True:
        closing = scripts.close(script.site_id, script.last_day)
        [result] = await client.commands("aftercare", [closing])
        if result["status"] != "rejected":
            return
        if time.monotonic() > until:
            message = f"aftercare did not close its days: {result['detail']}"
            raise OperateError(message)
        await asyncio.sleep(0.05)


async def until_decided(client: Client, script: Script) -> None:
    """Wait until alerts has decided the site's last day. Raises OperateError when it stands still."""
    last, seen = scripts.date_of(script.last_day), ""
    until = time.monotonic() + STILL_SECONDS
    while True:
        progress = await client.get("alerts", f"/v1/sites/{script.site_id}/progress")
        through = (progress or {}).get("closed_through") or ""
        if through >= last:
            return
        if through != seen:
            seen, until = through, time.monotonic() + STILL_SECONDS
        if time.monotonic() > until:
            message = f"alerts stands still at {through or 'the start'}; see ./handrail status"
            raise OperateError(message)
        await asyncio.sleep(0.05)
