"""Every alarm fires and clears, has its page, and asks only for numbers that are there."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from operate import dashboards

ROOT = Path(__file__).parents[2]
OBSERVE, RUNBOOKS = ROOT / "deploy" / "observe", ROOT / "docs" / "runbooks"
GROUPS = yaml.safe_load((OBSERVE / "rules.yml").read_text())["groups"]
RULES: list[dict[str, Any]] = [rule for group in GROUPS for rule in group["rules"]]
ALARMS = [rule["alert"] for rule in RULES if "alert" in rule]
OF_PROMETHEUS = {"up"}


def documented() -> set[str]:
    """The series of docs/metrics.md: a histogram has three."""
    found = set()
    for line in (ROOT / "docs" / "metrics.md").read_text().splitlines():
        named = re.match(r"\| `(\w+)` \| (\w+) \|", line)
        if named and named[2] == "histogram":
            found |= {f"{named[1]}_{part}" for part in ("bucket", "count", "sum")}
        elif named:
            found.add(named[1])
    return found


def asked_in(query: str) -> set[str]:
    return set(re.findall(r"\b(?:handrail[_:][\w:]+|up)\b", query))


def promtool(*words: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("promtool")
    if program is None:
        pytest.fail("promtool is not here; on Debian: apt-get install prometheus")
    return subprocess.run(
        [program, *words], check=False, capture_output=True, text=True, cwd=OBSERVE
    )


def test_each_alarm_fires_and_is_over() -> None:
    done = promtool("test", "rules", "rules.test.yml")

    assert done.returncode == 0, done.stdout + done.stderr
    tested = {
        test["name"] for test in yaml.safe_load((OBSERVE / "rules.test.yml").read_text())["tests"]
    }
    assert tested == set(ALARMS)


def test_prometheus_takes_the_configuration() -> None:
    done = promtool("check", "config", "prometheus.yml")

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alarm", ALARMS)
def test_each_alarm_has_a_page_that_says_what_to_do(alarm: str) -> None:
    [rule] = [rule for rule in RULES if rule.get("alert") == alarm]

    page = ROOT / rule["annotations"]["runbook"]
    assert page == RUNBOOKS / f"{alarm}.md"
    text = page.read_text()
    assert text.startswith(f"# {alarm}\n")
    assert "\n1. " in text
    assert "**Over when**" in text


def test_no_page_is_about_an_alarm_that_is_gone() -> None:
    assert {page.stem for page in RUNBOOKS.glob("*.md")} == set(ALARMS)


def test_every_number_in_a_rule_or_dashboard_is_documented() -> None:
    recorded = {rule["record"] for rule in RULES if "record" in rule}
    known = documented() | recorded | OF_PROMETHEUS
    queries = [rule["expr"] for rule in RULES] + [
        target["expr"]
        for file in sorted((OBSERVE / "grafana").glob("*.json"))
        for panel in json.loads(file.read_text())["panels"]
        for target in panel["targets"]
    ]

    asked = set().union(*map(asked_in, queries))
    assert len(asked) > 20
    assert asked - known == set()


def test_the_dashboards_are_made_from_the_code() -> None:
    kept = {file.name: file.read_text() for file in (OBSERVE / "grafana").glob("*.json")}

    assert kept == dashboards.made()
