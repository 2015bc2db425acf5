"""Old and new versions work side by side: events both ways, and databases under old code."""

import json
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from handrail.events import REGISTER
from handrail.schemas import FOLDER
from operate.checks import _tool
from operate.home import source_folder
from tests.contracts.first import KEPT, kept

# With each release `python -m tests.contracts.first` keeps what is new.
TYPES = sorted(REGISTER)
KEPT_TYPES = sorted(file.stem for file in KEPT.glob("*.json"))


def conforms(event: Any, schema: dict[str, Any]) -> None:
    Draft202012Validator(schema, format_checker=FormatChecker(["date", "uuid"])).validate(event)


def test_each_event_that_was_ever_kept_is_still_read() -> None:
    assert len(KEPT_TYPES) > 80
    assert set(KEPT_TYPES) <= set(TYPES)


@pytest.mark.parametrize("name", KEPT_TYPES)
def test_todays_reader_takes_the_first_event(name: str) -> None:
    first = kept(name)["example"]

    event = REGISTER[name].model_validate_json(json.dumps(first))

    said = json.loads(event.model_dump_json())
    assert {field: said.get(field) for field in first} == first


@pytest.mark.parametrize("name", KEPT_TYPES)
def test_the_first_reader_takes_todays_event(name: str) -> None:
    first = kept(name)["schema"]
    today = json.loads((FOLDER / name / "example.json").read_text())

    conforms(today, first)
    # An event of today that says no more than it has to, as a writer of today may send it.
    needed = REGISTER[name].model_validate(
        {field: today[field] for field in REGISTER[name].model_json_schema()["required"]}
    )
    conforms(json.loads(needed.model_dump_json()), first)


@pytest.mark.parametrize("name", KEPT_TYPES)
def test_the_first_example_satisfies_both_schemas(name: str) -> None:
    conforms(kept(name)["example"], kept(name)["schema"])
    conforms(kept(name)["example"], json.loads((FOLDER / name / "schema.json").read_text()))


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("alter table seats drop column guests;", "ban-drop-column"),
        ("drop table seats;", "ban-drop-table"),
        ("alter table seats rename column guests to visitors;", "renaming-column"),
        ("alter table seats rename to chairs;", "renaming-table"),
        ("alter table seats add column floor int not null;", "adding-required-field"),
        ("alter table seats alter column guests set not null;", "adding-not-nullable-field"),
        ("alter table seats alter column guests type bigint;", "changing-column-type"),
        ("create index seats_by_guests on seats (guests);", "require-concurrent-index-creation"),
        ("alter table seats add check (guests < 9);", "constraint-missing-not-valid"),
        ("alter table seats add column floor int;", None),
        ("alter table seats add column is_late boolean not null default false;", None),
        ("create table rooms (room_id uuid primary key, floor int not null);", None),
        ("-- transactional: false\ncreate index concurrently seats_by_guests on seats (guests);", None),
        ("-- squawk-ignore ban-drop-column\nalter table seats drop column guests;", None),
    ],
)  # fmt: skip
def test_a_migration_that_old_code_cannot_live_with_is_refused(
    tmp_path: Path, statement: str, rule: str | None
) -> None:
    file = tmp_path / "0099.next.sql"
    file.write_text(statement)

    done = subprocess.run(
        [_tool("squawk"), "--config", ".squawk.toml", "--reporter", "gcc", str(file)],
        check=False,
        capture_output=True,
        text=True,
        cwd=source_folder(),
    )

    assert (done.returncode == 0) is (rule is None), done.stdout
    assert rule is None or f": {rule} " in done.stdout


def test_every_migration_that_is_not_judged_was_there_before() -> None:
    folder = Path(source_folder())
    apart = tomllib.loads((folder / ".squawk.toml").read_text())["excluded_paths"]

    assert all((folder / file).is_file() for file in apart)
    assert all("*" not in file for file in apart)
