"""Half a minute of bad moments for real parts; `./handrail drill` is the long form."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.drill
@pytest.mark.slow
def test_nothing_is_lost_doubled_or_out_of_order_while_parts_are_broken(tmp_path: Path) -> None:
    result = tmp_path / "drill.json"
    words = ["drill", "--seconds", "20", "--seed", "1", "--json", str(result)]
    done = subprocess.run(
        [sys.executable, "-m", "operate", *words],
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.exists(), done.stdout + done.stderr
    told = json.loads(result.read_text())
    assert done.returncode == 0, told
    assert told["commands"] > 20
