"""Recorded histories as signs: each person's file fed to `Behaviour` exactly as the story does."""

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alerts.risk import behaviour
from alerts.risk.behaviour import Behaviour
from alerts.risk.signs import read_signs

WATCHED_DAYS = 28
Floats = NDArray[np.float64]
Row = tuple[int, int, str, int | None, str]


@dataclass(frozen=True, slots=True)
class Days:
    """Assessed days: who and when, the signs, and what became of them (nan: cannot be known)."""

    people: NDArray[np.str_]
    days: NDArray[np.int64]
    signs: Floats
    gone28: Floats
    gone14: Floats
    landmark: NDArray[np.bool_]
    just_attended: NDArray[np.bool_]

    def where(self, keep: NDArray[np.bool_]) -> "Days":
        """Only these days."""
        return Days(*(getattr(self, name)[keep] for name in self.__slots__))


def read(folder: Path, trials: Iterable[str]) -> Days:
    """Every watched day of every person in these trials, in order of person and day."""
    people: list[str] = []
    days: list[int] = []
    signs: list[tuple[float, ...]] = []
    truth: dict[tuple[str, int], dict[str, str]] = {}
    for trial in trials:
        for row in rows_of(folder / f"{trial}_truth_landmarks.csv.gz"):
            truth[row["patient_id"], int(row["day"])] = row
        files = (folder / f"{trial}_{name}.csv.gz" for name in ("intake", "events"))
        for person, day, b in watched(*files):
            people.append(person)
            days.append(day)
            signs.append(tuple(read_signs(b, day)))
    known = [truth.get(key) for key in zip(people, days, strict=True)]
    return Days(
        np.array(people),
        np.array(days, dtype=np.int64),
        np.array(signs, dtype=np.float64),
        np.array([_outcome(row, "y28") for row in known]),
        np.array([_outcome(row, "y14") for row in known]),
        np.array([row is not None for row in known]),
        np.array([row is not None and row["trigger"] == "attended" for row in known]),
    )


def watched(intake: Path, events: Path) -> Iterator[tuple[str, int, Behaviour]]:
    """Each person's behaviour at the end of each watched day. It is live: read it at once."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for cells in rows_of(events):
        rows[cells["patient_id"]].append(_row(cells))
    last = {cells["patient_id"]: int(cells["last_eval_day"]) for cells in rows_of(intake)}
    for person in sorted(rows):
        for day, b in _days(sorted(rows[person]), last[person]):
            yield person, day, b


def _days(rows: list[Row], last: int) -> Iterator[tuple[int, Behaviour]]:
    b, place = Behaviour(), 0
    for day in range(rows[0][0], last + 1):
        while place < len(rows) and rows[place][0] <= day:
            _feed(b, *rows[place])
            place += 1
        seen = b.last_seen if b.last_seen is not None else b.admitted
        if b.admitted is not None and seen is not None and day - seen < WATCHED_DAYS:
            yield day, b


def _feed(b: Behaviour, day: int, _seq: int, kind: str, planned: int | None, value: str) -> None:
    if kind == "admitted":
        behaviour.admitted(b, day)
    elif kind == "attended":
        behaviour.attended(b, day, planned)
    elif kind == "no_show":
        behaviour.missed(b, day if planned is None else planned)
    elif kind == "uds":
        found = () if value in ("", "negative") else tuple(value.lower().split("|"))
        behaviour.screened(b, day, found)
    elif kind == "checkin" and value:
        behaviour.measured(b, day, "withdrawal", float(value))
    elif kind == "stepped":
        behaviour.level_changed(b, day)


def _row(cells: dict[str, str]) -> Row:
    planned = int(cells["session_day"]) if cells["session_day"] else None
    return int(cells["day"]), int(cells["seq"]), cells["event_type"], planned, cells["value"]


def _outcome(row: dict[str, str] | None, column: str) -> float:
    return float(row[column]) if row is not None and row[column] else float("nan")


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV file, packed or not."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
