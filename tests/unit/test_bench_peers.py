"""The bench goes on without a peer that this machine has not, and says in one line why."""

import sys
from pathlib import Path

import pytest

from operate.bench import consume, peers
from operate.bench.peers import Peers
from operate.errors import OperateError
from operate.home import Home

TELLS = 'print("warm"); print(\'{"events": 30, "seconds": 0.5}\')'
ENDS = "raise SystemExit('no RocksDB for this machine')"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_peer_that_cannot_be_had_is_left_out_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDRAIL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("HANDRAIL_JAVA", str(tmp_path / "no-java"))
    said: list[str] = []

    found = peers.found(Home(tmp_path), said.append)

    assert tuple(found.commands) == peers.PLAIN
    assert [line.partition(":")[0] for line in said] == [
        "the peer quix_streams is left out",
        "the peer kafka_streams is left out",
    ]
    assert "No matching distribution" in said[0]
    assert "Java cannot be started" in said[1]
    assert not any("\n" in line for line in said)


async def test_a_peer_that_does_not_run_here_is_left_out_with_its_last_words() -> None:
    said: list[str] = []
    beside = Peers({"kafka_streams": python(ENDS)}, said.append)

    assert await consume.peer_turn(beside, "kafka_streams", "", "", 1) == []

    assert beside.commands == {}
    assert beside.left_out == {"kafka_streams": "it ended with 1: no RocksDB for this machine"}
    assert said == [f"the peer kafka_streams is left out: {beside.left_out['kafka_streams']}"]


async def test_a_peer_of_our_own_packages_has_to_run() -> None:
    beside = Peers({"hand_written": python(ENDS)}, print)

    with pytest.raises(OperateError, match="hand_written: it ended with 1: no RocksDB"):
        await consume.peer_turn(beside, "hand_written", "", "", 1)


async def test_the_last_line_of_a_peer_is_its_rate() -> None:
    beside = Peers({"quix_streams": python(TELLS)}, print)

    assert await consume.peer_turn(beside, "quix_streams", "", "", 30) == [60.0]


def test_ratios_are_of_medians_and_of_every_peer_that_ran() -> None:
    told = consume.ratios(
        {"alerts": [1.0, 900.0, 600.0], "kafka_streams": [300.0], peers.EACH: [7]}
    )

    assert told == {
        "events_per_second": {"alerts": 600, "kafka_streams": 300, peers.EACH: 7},
        "alerts_to_kafka_streams": 2.0,
        f"alerts_to_{peers.EACH}": 85.7,
    }
