"""The protocol in thousands of bad moments, and bugs planted in it that must be found."""

import pytest

from operate.drill import STEPS_A_HISTORY, caught_after
from operate.drill.planted import PLANTED
from operate.drill.protocol import Protocol
from operate.drill.simulation import World


@pytest.mark.parametrize("seed", range(10))
def test_every_event_takes_effect_once_and_in_order_whatever_happens(seed: int) -> None:
    world = World(seed)
    assert not world.run(STEPS_A_HISTORY)
    assert len(world.promised) > 300
    assert sum(world.faults.values()) > 200


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.__name__)
def test_a_planted_bug_is_caught(bug: type[Protocol]) -> None:
    assert caught_after(bug, seed=1)


def test_one_seed_is_one_history() -> None:
    one, other = World(5), World(5)
    one.run(5_000)
    other.run(5_000)
    assert (one.now, one.steps, one.log) == (other.now, other.steps, other.log)
