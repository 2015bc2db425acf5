"""A recorded history plays to the same bytes, and every row of it is accounted for."""

import csv
import json
import random
from pathlib import Path
from uuid import uuid4

import pytest

from tests.journeys.clinic import Clinic
from tests.parts import System, handrail_started, run_handrail, until

RESULTS = ("predictions.csv", "alerts.csv", "rejected.csv", "summary.json")
INTAKE = ("patient_id", "trial", "admitted_day", "last_eval_day")
EVENTS = ("patient_id", "day", "seq", "event_type", "session", "session_day", "value")
Rows = list[tuple[object, ...]]


def history(trial: str, people: int = 60, weeks: int = 20) -> tuple[Rows, Rows]:
    """Weekly visits of people of whom some slip away."""
    chance = random.Random(7)
    intake: Rows = []
    events: Rows = []
    for n in range(people):
        name, start, leaves = f"{trial}-{n:03}", chance.randrange(60), chance.randrange(4, 30)
        intake.append((name, trial, start, start + 7 * weeks))
        kinds: Rows = [(start, "admitted", "", "")]
        for week in range(1, weeks):
            day = start + 7 * week
            comes = week < leaves and chance.random() < 0.85
            kinds.append((day, "attended" if comes else "no_show", day, ""))
            if comes and chance.random() < 0.5:
                kinds.append((day, "uds", "", chance.choice(["negative", "Opioid|Thc"])))
        rows = enumerate(kinds, start=1)
        events += [
            (name, d, seq, kind, "", planned, value) for seq, (d, kind, planned, value) in rows
        ]
    return intake, events


def written(folder: Path, intake: Rows, events: Rows, more: str = "") -> list[str]:
    """The words of the command for these rows and, as they stand, some more lines of events."""
    folder.mkdir(exist_ok=True)
    for name, head, rows in (("intake", INTAKE, intake), ("events", EVENTS, events)):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([head, *rows])
    with (folder / "events.csv").open("a") as file:
        file.write(more)
    return ["replay", "--intake", f"{folder}/intake.csv", "--events", f"{folder}/events.csv"]


async def test_a_history_plays_to_the_same_bytes_also_when_services_die_on_the_way(
    clinic: Clinic, system: System, tmp_path: Path
) -> None:
    words = written(tmp_path, *history(f"trial-{uuid4().hex[:8]}"))
    outs = [tmp_path / name for name in ("killed", "again", "fresh")]

    with handrail_started(system.home, *words, "--out", str(outs[0])) as replay:
        for service in ("alerts", "attendance"):
            await applied_more(clinic, service, 100)
            system.kill(service)
        assert replay.wait(timeout=120) == 0
    again = system.handrail(*words, "--out", str(outs[1]))
    fresh = system.handrail(*words, "--fresh", "--out", str(outs[2]))

    assert [again.returncode, fresh.returncode] == [0, 0], again.stdout + fresh.stdout
    for name in RESULTS:
        assert len({(out / name).read_bytes() for out in outs}) == 1, name
    summary = json.loads((outs[0] / "summary.json").read_text())
    assert summary["rows_in"] == summary["applied"] > 1000
    assert summary["rejected"] == summary["unaccounted"] == 0
    assert summary["alerts"] > 0
    assert summary["predictions"] > 60 * 28


async def applied_more(clinic: Clinic, service: str, count: int) -> None:
    """Wait until a service has applied so many more events."""

    async def applied() -> int:
        return int((await clinic.get(service, "/status"))["feed"]["applied"])

    before = await applied()

    async def is_further() -> bool:
        return await applied() >= before + (count if service == "alerts" else 1)

    await until(is_further, f"{service} has applied {count} more")


BAD = """\
{t}-000,5
{t}-000,5,90,sang,,,
{t}-000,x,91,uds,,,negative
nobody,5,92,uds,,,negative
{t}-000,99999,93,uds,,,negative
{t}-001,0,94,uds,,,negative
{t}-000,1,1,attended,,,
{t}-002,800,95,no_show,,,
"""
REASONS = [
    "malformed_row",
    "unknown_event_type",
    "day: needs a whole number",
    "unknown_patient",
    "date_far_away",
    "out_of_order",
    "conflicting_repeat",
    "session_day",
]


def test_each_bad_row_is_rejected_with_its_line_and_reason(system: System, tmp_path: Path) -> None:
    trial = f"trial-{uuid4().hex[:8]}"
    intake, events = history(trial, people=5, weeks=6)
    words = written(tmp_path, intake, [*events, events[-1]], BAD.format(t=trial))

    played = system.handrail(*words, "--out", str(tmp_path))

    assert played.returncode == 0, played.stdout + played.stderr
    rejected = list(csv.DictReader((tmp_path / "rejected.csv").read_text().splitlines()))
    first = len(events) + 3
    assert [int(row["line"]) for row in rejected] == list(range(first, first + len(REASONS)))
    for row, reason in zip(rejected, REASONS, strict=True):
        assert row["file"] == "events.csv"
        assert row["reason"].startswith(reason)
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["duplicate"] == 1
    assert summary["rejected"] == len(REASONS)
    assert summary["rows_in"] == summary["applied"] + 1 + len(REASONS)
    assert trial not in "".join(row["reason"] for row in rejected)


async def test_a_strict_replay_plays_nothing_when_a_row_is_bad(
    clinic: Clinic, system: System, tmp_path: Path
) -> None:
    trial = f"trial-{uuid4().hex[:8]}"
    words = written(tmp_path, *history(trial, people=5, weeks=6), BAD.format(t=trial))

    played = system.handrail(*words, "--strict", "--out", str(tmp_path))

    assert played.returncode == 2
    assert "rejected.csv" in played.stdout
    assert await clinic.get("intake", "/v1/admissions", site_id=trial) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--intake", "none.csv", "--events", "none.csv"], "there is no such file"),
        (["--intake", "intake.csv", "--events", "intake.csv"], "there is no column"),
    ],
)
def test_a_file_that_cannot_be_played_is_one_clear_line(
    system: System, tmp_path: Path, words: list[str], said: str
) -> None:
    written(tmp_path, *history("t", people=1, weeks=2))
    paths = [str(tmp_path / word) if word.endswith(".csv") else word for word in words]

    ended = run_handrail(system.home, "replay", *paths, "--out", str(tmp_path))

    assert ended.returncode == 1
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
