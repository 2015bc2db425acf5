"""Reads a recorded history and says of each row what it is, or why it cannot be played."""

import csv
import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from operate.errors import OperateError

INTAKE_COLUMNS = ("patient_id", "trial", "admitted_day", "last_eval_day")
EVENT_COLUMNS = ("patient_id", "day", "seq", "event_type", "session", "session_day", "value")
KINDS = ("admitted", "attended", "no_show", "uds", "checkin", "stepped", "discharged")
BEFORE_ADMISSION = ("uds", "checkin", "admitted")
FAR_DAYS = 730
AFTER_DAYS = 366


@dataclass(frozen=True, slots=True)
class Person:
    """One row of the intake file that can be used. Days count from the study's own day 0."""

    line: int
    patient_id: str
    site_id: str
    admitted_day: int
    last_eval_day: int


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the event file that can be played."""

    line: int
    patient_id: str
    day: int
    seq: int
    kind: str
    session: str
    session_day: int | None
    value: str


@dataclass(slots=True)
class History:
    """Everything read, with each row that cannot be played and why: (file, line, reason)."""

    people: dict[str, Person] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    intake_rows: int = 0
    event_rows: int = 0
    duplicates: int = 0
    rejected: list[tuple[str, int, str]] = field(default_factory=list)


class BadRow(Exception):
    """The row cannot be played; the text is the reason, without a value of the row."""


def read_history(intake: Path, events: Path) -> History:
    """Read both files. Raises OperateError when one is missing or lacks a column."""
    history = History()
    for line, cells in lines_of(intake, INTAKE_COLUMNS):
        history.intake_rows += 1
        try:
            _take_person(history, line, checked(cells))
        except BadRow as bad:
            history.rejected.append((intake.name, line, str(bad)))
    reader = _Reader(history, events.name)
    for line, cells in lines_of(events, EVENT_COLUMNS):
        history.event_rows += 1
        try:
            reader.take(line, checked(cells))
        except BadRow as bad:
            history.rejected.append((events.name, line, str(bad)))
    return history


def read_policy(path: Path) -> dict[str, Any]:
    """The policy in a JSON file. Raises OperateError when it cannot be read as an object."""
    try:
        policy = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read as JSON"
        raise OperateError(message) from error
    if not isinstance(policy, dict):
        message = f"{path} must hold one object: the fields of the policy"
        raise OperateError(message)
    return policy


class _Reader:
    """Checks each event against the person's other rows."""

    def __init__(self, history: History, file: str) -> None:
        self.history, self.file = history, file
        self.seen: dict[tuple[str, int], tuple[str, ...]] = {}
        self.latest: dict[str, tuple[int, int]] = {}
        self.admitted: set[str] = set()

    def take(self, line: int, cells: dict[str, str]) -> None:
        person = self.history.people.get(cells["patient_id"])
        if person is None:
            raise BadRow("unknown_patient: there is no such row in the intake file")
        row = _row_of(line, cells)
        content = tuple(cells[name] for name in EVENT_COLUMNS)
        before = self.seen.get((row.patient_id, row.seq))
        if before == content:
            self.history.duplicates += 1
            return
        if before is not None:
            raise BadRow("conflicting_repeat: this patient's seq was used with other content")
        self._check_days(person, row)
        self.seen[(row.patient_id, row.seq)] = content
        self.latest[row.patient_id] = max(
            self.latest.get(row.patient_id, (row.seq, row.day)), (row.seq, row.day)
        )
        self.history.rows.append(row)

    def _check_days(self, person: Person, row: Row) -> None:
        if abs(row.day - person.admitted_day) > FAR_DAYS:
            raise BadRow(f"date_far_away: day {row.day} is over {FAR_DAYS} days from admission")
        if row.day > person.last_eval_day + AFTER_DAYS:
            raise BadRow(f"date_far_away: day {row.day} is over a year after the last day")
        if row.session_day is not None and abs(row.session_day - row.day) > FAR_DAYS:
            raise BadRow(f"date_far_away: session_day is over {FAR_DAYS} days from day {row.day}")
        seq, day = self.latest.get(row.patient_id, (row.seq, row.day))
        if (row.seq > seq and row.day < day) or (row.seq < seq and row.day > day):
            raise BadRow(f"out_of_order: seq {row.seq} on day {row.day}, seq {seq} on day {day}")
        if row.day < person.admitted_day and row.kind not in BEFORE_ADMISSION:
            raise BadRow(f"before_admission: day {row.day}, admitted on {person.admitted_day}")
        if row.kind == "admitted":
            if row.patient_id in self.admitted:
                raise BadRow("second_admission: this patient was admitted in an earlier row")
            self.admitted.add(row.patient_id)


def _take_person(history: History, line: int, cells: dict[str, str]) -> None:
    person = Person(
        line,
        _filled(cells, "patient_id"),
        site_of(_filled(cells, "trial")),
        _whole(cells, "admitted_day"),
        _whole(cells, "last_eval_day"),
    )
    if abs(person.admitted_day) > FAR_DAYS or abs(person.last_eval_day) > 2 * FAR_DAYS:
        raise BadRow("date_far_away: admitted_day or last_eval_day lies years away")
    if person.last_eval_day < person.admitted_day:
        raise BadRow("last_eval_day lies before admitted_day")
    before = history.people.get(person.patient_id)
    if before is None:
        history.people[person.patient_id] = person
    elif (before.site_id, before.admitted_day, before.last_eval_day) == (
        person.site_id,
        person.admitted_day,
        person.last_eval_day,
    ):
        history.duplicates += 1
    else:
        raise BadRow("conflicting_repeat: this patient stands in an earlier row with other days")


def site_of(trial: str) -> str:
    """A site's identifier from the trial's name."""
    site = "".join(c if c.isascii() and c.isalnum() else "-" for c in trial.lower()).strip("-")[:40]
    if not site:
        raise BadRow("trial: needs a name with a letter or a digit")
    return site


def _row_of(line: int, cells: dict[str, str]) -> Row:
    kind = cells["event_type"]
    if kind not in KINDS:
        raise BadRow(f"unknown_event_type: it may be {', '.join(KINDS)}")
    session_day = _whole(cells, "session_day") if cells["session_day"] else None
    if kind == "checkin" and cells["value"]:
        _number(cells, "value")
    if kind == "no_show" and session_day is None:
        raise BadRow("session_day: a no_show needs the day it was planned for")
    return Row(
        line,
        cells["patient_id"],
        _whole(cells, "day"),
        _whole(cells, "seq"),
        kind,
        cells["session"],
        session_day,
        cells["value"],
    )


def lines_of(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str] | None]]:
    """Line number and cells of each row; None for a row of another width or not UTF-8."""
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            head = next(csv.reader([file.readline().decode("utf-8-sig")]), [])
            missing = [name for name in columns if name not in head]
            if missing:
                message = f"{path}: line 1: there is no column {', '.join(missing)}"
                raise OperateError(message)
            for number, raw in enumerate(file, start=2):
                if raw.strip():
                    yield number, _cells(raw, head)
    except FileNotFoundError as error:
        message = f"{path}: there is no such file"
        raise OperateError(message) from error
    except (OSError, EOFError, UnicodeDecodeError) as error:
        message = f"{path}: cannot be read ({type(error).__name__}); is it a CSV or CSV.gz file?"
        raise OperateError(message) from error


def _cells(raw: bytes, head: list[str]) -> dict[str, str] | None:
    try:
        values = next(csv.reader([raw.decode("utf-8").rstrip("\r\n")], strict=True))
    except (UnicodeDecodeError, csv.Error, StopIteration):
        return None
    if len(values) != len(head):
        return None
    return dict(zip(head, values, strict=True))


def checked(cells: dict[str, str] | None) -> dict[str, str]:
    """The cells of a row that could be read. Raises BadRow."""
    if cells is None:
        raise BadRow("malformed_row: it needs as many UTF-8 columns as the first line")
    return cells


def _filled(cells: dict[str, str], name: str) -> str:
    value = cells[name].strip()
    if not value or len(value) > 100:
        raise BadRow(f"{name}: needs 1 to 100 characters")
    return value


def _whole(cells: dict[str, str], name: str) -> int:
    try:
        value = int(cells[name])
    except ValueError as error:
        raise BadRow(f"{name}: needs a whole number") from error
    if abs(value) > 10**6:
        raise BadRow(f"date_far_away: {name} is not a day or number of this history")
    return value


def _number(cells: dict[str, str], name: str) -> float:
    try:
        value = float(cells[name])
    except ValueError as error:
        raise BadRow(f"{name}: needs a number") from error
    if abs(value) > 1000:
        raise BadRow(f"{name}: is not a score")
    return value
