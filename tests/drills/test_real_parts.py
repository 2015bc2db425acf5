"""Half a minute of bad moments for real parts; `./handrail drill` is the long form."""

import pytest

from operate.drill import real


@pytest.mark.drill
@pytest.mark.slow
async def test_nothing_is_lost_doubled_or_out_of_order_while_parts_are_broken() -> None:
    told = await real.run(20, seed=1, say=print)
    assert told["good"], told
    assert told["commands"] > 50
