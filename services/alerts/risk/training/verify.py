"""The replay's predictions against the same table, computed from the files alone."""

import csv
from dataclasses import dataclass
from pathlib import Path

from alerts.risk.table import Table, assess
from alerts.risk.training.histories import watched

TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many rows both have, how far apart they are, and how many only one has."""

    rows: int
    largest: float
    missing: int
    unknown: int

    def is_equal(self) -> bool:
        """Every row is in both, to the ninth decimal."""
        return self.largest <= TOLERANCE and not (self.missing or self.unknown)


def compare(intake: Path, events: Path, predictions: Path, table: Table) -> Comparison:
    """Compare every row of predictions.csv with the table's own computation."""
    computed = {
        (person, day): assess(b, day, table).risk28 for person, day, b in watched(intake, events)
    }
    with predictions.open(encoding="utf-8", newline="") as file:
        replayed = {
            (row["patient_id"], int(row["day"])): float(row["risk"]) for row in csv.DictReader(file)
        }
    both = computed.keys() & replayed.keys()
    largest = max((abs(computed[key] - replayed[key]) for key in both), default=0.0)
    return Comparison(len(both), largest, len(computed) - len(both), len(replayed) - len(both))
