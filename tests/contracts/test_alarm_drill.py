"""The drill of alarms causes every alarm, by steps that stand in its page, on shorter rules."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from operate.drill import alarms
from operate.drill.alarms import shorter
from operate.drill.alarms.pages import page_of
from operate.home import SERVICES

OBSERVE = Path(__file__).parents[2] / "deploy" / "observe"
RULES = (OBSERVE / "rules.yml").read_text()
ALARMS = {
    rule["alert"]
    for group in yaml.safe_load(RULES)["groups"]
    for rule in group["rules"]
    if "alert" in rule
}
STEPS = [
    (alarm, step)
    for scene in dict.fromkeys(alarms.known().values())
    for alarm, steps in (scene.fires | scene.fires_later).items()
    for step in steps
]


def test_every_alarm_has_a_case_in_the_drill() -> None:
    assert alarms.known().keys() == ALARMS


def test_no_alarm_has_two_cases() -> None:
    scenes = [scene for act in alarms.ACTS for scene in act]

    assert sum(len(scene.fires) + len(scene.fires_later) for scene in scenes) == len(ALARMS)


@pytest.mark.parametrize(("alarm", "step"), STEPS)
def test_a_step_of_the_drill_stands_in_the_page(alarm: str, step: str) -> None:
    assert f"`{step}`" in page_of(alarm).read_text()


def test_every_alarm_s_page_is_followed() -> None:
    assert {alarm for alarm, _ in STEPS} == ALARMS


def test_only_durations_are_divided() -> None:
    """What is not a number or its unit stays, and each kind of duration is met."""
    short = shorter.divided(RULES, 60)

    assert shape(short) == shape(RULES)
    assert "handrail:alerts_late:ratio5m" in short
    assert 'le="5.0"}[5000ms]' in short
    assert "for: 1000ms" in short
    assert "handrail_notice_oldest_seconds > 15\n" in short
    assert 'handrail_last_success_timestamp_seconds{loop="feed"} > 1\n' in short
    assert "14.4 * 0.01" in short
    assert "increase(handrail_waits_total[5000ms])) > 10\n" in short
    assert not re.search(r"\[\d+[smhd]\]", short)


def test_the_configuration_is_the_project_s_own_with_other_addresses() -> None:
    own = (OBSERVE / "prometheus.yml").read_text()
    addresses = {name: f"127.0.0.1:{n}" for n, name in enumerate(SERVICES)}
    placed = yaml.safe_load(shorter.placed(shorter.divided(own, 15), addresses))

    assert placed["global"] == {"scrape_interval": "1000ms", "evaluation_interval": "1000ms"}
    before = yaml.safe_load(own)["scrape_configs"]
    for config in before:
        for static in config["static_configs"]:
            static["targets"] = [addresses[static["labels"]["service"]]]
    assert placed["scrape_configs"] == before


def test_prometheus_takes_the_shorter_rules(tmp_path: Path) -> None:
    program = shutil.which("promtool")
    assert program, "promtool is not here; on Debian: apt-get install prometheus"
    rules = tmp_path / "rules.yml"
    rules.write_text(shorter.divided(RULES, alarms.FACTOR))

    done = subprocess.run([program, "check", "rules", str(rules)], check=False, capture_output=True)

    assert done.returncode == 0, done.stdout


def shape(text: str) -> str:
    """The text without numbers that have a unit, and without those that are compared with."""
    return re.sub(r"\b\d+(ms|s|m|h|d)\b|(?<=_seconds > )[\d.]+|(?<=\} > )[\d.]+", "#", text)
