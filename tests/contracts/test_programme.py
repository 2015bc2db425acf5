"""The table of the programme names what there is: every command, event and test, and no other."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from aftercare.commands import COMMANDS as AFTERCARE
from attendance.commands import COMMANDS as ATTENDANCE
from handrail.events import REGISTER
from intake.commands import COMMANDS as INTAKE
from operate.home import source_folder

PAGE = Path(source_folder(), "docs", "programme.md").read_text()
TESTS = {path.stem for path in Path(source_folder(), "tests").rglob("test_*.py")}
WORDS = set(re.findall(r"`([a-z][a-z0-9_]*)`", PAGE))
PARTS = ("intake", "attendance", "aftercare")


def commands(adapter: TypeAdapter[Any]) -> set[str]:
    return set(adapter.json_schema()["items"]["discriminator"]["mapping"])


@pytest.mark.parametrize("adapter", [INTAKE, ATTENDANCE, AFTERCARE], ids=PARTS)
def test_every_command_has_a_row(adapter: TypeAdapter[Any]) -> None:
    found = commands(adapter)

    assert len(found) > 10
    assert found - WORDS == set()


@pytest.mark.parametrize("owner", PARTS)
def test_every_event_has_a_row(owner: str) -> None:
    found = {name.split(".")[1] for name in REGISTER if name.startswith(f"{owner}.")}

    assert len(found) > 10
    assert found - WORDS == set()


def test_every_test_that_is_named_exists() -> None:
    named = set(re.findall(r"\btest_[a-z0-9_]+", PAGE)) - {"test_intake_"}

    assert len(named) > 20
    assert named - TESTS == set()
