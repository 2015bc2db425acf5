"""Starting a service warns of nothing: what is deprecated is found before it is gone."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("service", ["intake", "attendance", "alerts", "aftercare"])
def test_a_service_is_imported_without_a_warning(service: str) -> None:
    words = [sys.executable, "-W", "error", "-c", f"import {service}.app"]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
