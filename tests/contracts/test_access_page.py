"""The page of who may call what is made from the tables."""

from pathlib import Path

import pytest

from handrail.access import table
from handrail.access.table import Caller, Row, TableMistake, refusal
from operate.home import SERVICES

PAGE = Path(__file__).parents[2] / "docs" / "access.md"
CARE = Row(("care",), "own")
SITE = Row(("care", "system"), "all")
EVERYONE = Row(("everyone",), "")


def test_the_page_of_access_is_made_from_the_tables() -> None:
    assert PAGE.read_text() == table.documented(SERVICES)


def caller(role: table.Role, *programs: str) -> Caller:
    return Caller("s", role, None if "*" in programs else frozenset(programs))


@pytest.mark.parametrize(
    ("row", "who", "why"),
    [
        (EVERYONE, None, None),
        (CARE, None, "sign_in"),
        (None, None, "sign_in"),
        (None, caller("system", "*"), "role"),
        (CARE, caller("counsellor", "iop"), None),
        (CARE, caller("operator", "*"), "role"),
        (CARE, caller("subscriber", "*"), "role"),
        (CARE, caller("support", "*"), "role"),
        (SITE, caller("supervisor", "*"), None),
        (SITE, caller("supervisor", "iop"), "programme"),
        (SITE, caller("supervisor"), "programme"),
        (SITE, caller("system", "*"), None),
    ],
)
def test_the_table_decides(row: Row | None, who: Caller | None, why: str | None) -> None:
    assert refusal(row, who) == why


@pytest.mark.parametrize(
    ("programs", "of", "sees"),
    [
        (("*",), [], True),
        (("iop",), ["iop"], True),
        (("iop",), ["php"], False),
        (("iop",), ["iop", "php"], False),
        (("iop", "php"), ["iop", "php"], True),
        (("iop",), [None], False),
        (("iop",), [], False),
        ((), ["iop"], False),
    ],
)
def test_what_is_of_ones_own_programmes(
    programs: tuple[str, ...],
    of: list[str | None],
    sees: bool,  # noqa: FBT001
) -> None:
    assert caller("counsellor", *programs).sees(of) is sees


@pytest.mark.parametrize("words", ["", "nurses", "care some", "care+ all", "everyone own more"])
def test_a_line_that_cannot_be_read_is_a_mistake(words: str) -> None:
    with pytest.raises(TableMistake, match="GET /x"):
        table._row("GET /x", words)
