"""Keeps the first published schema and example of each event: `python -m tests.contracts.first`.

A file that is there is never written again; one that lacks is made from what is published now.
"""

import json
from pathlib import Path
from typing import Any

from handrail.events import REGISTER
from handrail.schemas import FOLDER

KEPT = Path(__file__).with_name("first")


def kept(name: str) -> dict[str, Any]:
    """`schema` and `example`, as they were first published."""
    found: dict[str, Any] = json.loads((KEPT / f"{name}.json").read_text())
    return found


def keep(name: str, schema: Any, example: Any) -> None:
    """Write them, for ever."""
    text = json.dumps({"schema": schema, "example": example}, indent=1, sort_keys=True)
    (KEPT / f"{name}.json").write_text(text + "\n")


def main() -> None:
    """Keep what is new."""
    for name in sorted(REGISTER):
        if not (KEPT / f"{name}.json").is_file():
            read = [
                json.loads((FOLDER / name / file).read_text())
                for file in ("schema.json", "example.json")
            ]
            keep(name, *read)


if __name__ == "__main__":
    main()
