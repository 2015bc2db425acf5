"""Writes what came out: the same input gives the same bytes."""

import csv
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from operate.replay.client import Client
from operate.replay.play import Tally
from operate.replay.rows import Person
from operate.replay.script import day_of


async def write_results(
    client: Client, out: Path, people: dict[str, Person], tally: Tally, counts: dict[str, Any]
) -> None:
    """predictions.csv, alerts.csv and summary.json, mapped back to the history's own names."""
    names = {admission: patient for patient, admission in tally.admissions.items()}
    predictions, alerts = [], []
    for site in sorted({person.site_id for person in people.values()}):
        for line in await client.lines("alerts", "/v1/exports/assessments", site):
            admission, day, risk, level = line.split(",")
            patient = names.get(admission)
            if patient and day_of(day) <= people[patient].last_eval_day:
                predictions.append((patient, day_of(day), risk, level))
        for cells in csv.reader(await client.lines("alerts", "/v1/exports/alerts", site)):
            patient = names.get(cells[0])
            if patient:
                alerts.append((patient, day_of(cells[1]), int(cells[2]), cells[3], cells[4]))
    write_csv(out / "predictions.csv", ("patient_id", "day", "risk", "level"), sorted(predictions))
    write_csv(out / "alerts.csv", ("patient_id", "day", "level", "kind", "reasons"), sorted(alerts))
    levels = Counter(str(alert[2]) for alert in alerts)
    kinds = Counter(alert[3] for alert in alerts)
    summary = counts | {
        "alerts": len(alerts),
        "alerts_by_level": dict(levels),
        "alerts_by_kind": dict(kinds),
        "predictions": len(predictions),
        "people": len(people),
    }
    (out / "summary.json").write_text(json.dumps(summary, indent=1, sort_keys=True) + "\n")


def write_csv(path: Path, head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    """A CSV file with a head."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)
