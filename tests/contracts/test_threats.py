"""Each threat of docs/threats.md names a test that is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = re.findall(
    r"^\| ([stride]) \| (.+?) \| (.+?) \| `(.+?)::(.+?)` \|$",
    (ROOT / "docs" / "threats.md").read_text(),
    re.MULTILINE,
)


@pytest.mark.parametrize(("file", "test"), [row[3:] for row in ROWS])
def test_the_test_of_each_threat_is_there(file: str, test: str) -> None:
    tree = ast.parse((ROOT / file).read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)

    assert test in {one.name for one in ast.walk(tree) if isinstance(one, kinds)}


def test_every_row_is_read_and_every_letter_has_one() -> None:
    text = (ROOT / "docs" / "threats.md").read_text()

    assert len(ROWS) == len(re.findall(r"^\| [a-z] \|", text, re.MULTILINE)) > 30
    assert {row[0] for row in ROWS} == set("stride")
    assert len({row[1] for row in ROWS}) == len(ROWS)
