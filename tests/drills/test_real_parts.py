"""Half a minute of bad moments for real parts, and a roll; `./handrail drill` is the long form."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.drill
@pytest.mark.slow
def test_nothing_is_lost_doubled_or_out_of_order_while_parts_are_broken(tmp_path: Path) -> None:
    told = drilled(tmp_path, "--seconds", "20", "--seed", "1")
    assert told["commands"] > 20


@pytest.mark.drill
@pytest.mark.slow
def test_no_request_fails_and_nothing_is_lost_while_every_service_is_replaced(
    tmp_path: Path,
) -> None:
    told = drilled(tmp_path, "--roll")
    assert (told["rolls"], told["failed"]) == (1, {})
    assert min(told["requests"].values()) > 20
    assert told["repeated_records"] == 0


def drilled(folder: Path, *words: str) -> dict[str, Any]:
    """What a drill found; it says itself whether that is good."""
    result = folder / "drill.json"
    done = subprocess.run(
        [sys.executable, "-m", "operate", "drill", *words, "--json", str(result)],
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.exists(), done.stdout + done.stderr
    told: dict[str, Any] = json.loads(result.read_text())
    assert done.returncode == 0, json.dumps(told)
    return told
