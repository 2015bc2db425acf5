"""What a replay predicts is what the table says, computed from the files alone."""

import csv
import gzip
from pathlib import Path

import pytest

from alerts.risk.table import load_table
from alerts.risk.training.verify import compare
from tests.parts import System, run_handrail

ROOT = Path(__file__).resolve().parents[2]
PLACES = [folder / "shared" / "data" / "ctn" for folder in ROOT.parents]
PEOPLE = 20


def recorded() -> Path:
    """The folder of the recorded histories; the test is skipped where there is none."""
    found = next((place for place in PLACES if place.is_dir()), None)
    if found is None:
        pytest.skip("needs the recorded histories in ../shared/data/ctn")
    return found


def sliced(out: Path) -> tuple[Path, Path]:
    """The first people of each trial as one history."""
    data, people = recorded(), set[str]()
    files = out / "intake.csv", out / "events.csv"
    for path in files:
        rows, head = list[list[str]](), list[str]()
        for trial in ("ctn0027", "ctn0030"):
            with gzip.open(data / f"{trial}_{path.stem}.csv.gz", "rt", newline="") as file:
                head, *more = csv.reader(file)
            if path.stem == "intake":
                people |= {row[0] for row in more[:PEOPLE]}
            rows += [row for row in more if row[0] in people]
        with path.open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([head, *rows])
    return files


def test_each_prediction_of_a_replay_equals_the_table_to_the_ninth_decimal(
    system: System, tmp_path: Path
) -> None:
    intake, events = sliced(tmp_path)
    words = ("replay", "--intake", str(intake), "--events", str(events))

    ended = run_handrail(system.home, *words, "--out", str(tmp_path / "out"))

    assert ended.returncode == 0, ended.stderr
    found = compare(intake, events, tmp_path / "out" / "predictions.csv", load_table())
    assert found.rows > 1000
    assert found.is_equal(), found

    data, out = recorded(), str(tmp_path / "out")
    audit = run_handrail(system.home, "risk", "fairness", "--data", str(data), "--out", out)
    assert audit.returncode == 0, audit.stderr
    groups = [line.split("|")[1].strip() for line in audit.stdout.splitlines()[2:]]
    assert {"everyone", "male: No", "Hispanic: Yes", "45 and over"} <= set(groups)
