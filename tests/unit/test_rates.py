"""How often one caller may call."""

import pytest

from handrail.access.guard import AccessSettings
from handrail.access.rates import Rates


def test_each_caller_has_a_limit_of_their_own_and_is_told_how_long_to_wait() -> None:
    rates = Rates("3/minute")

    assert [rates.wait("one") for _ in range(3)] == [None, None, None]
    wait = rates.wait("one")
    assert wait is not None
    assert 1 <= wait <= 60
    assert rates.wait("two") is None


@pytest.mark.parametrize("written", ["", "often", "3", "3/fortnight", "-1/minute"])
def test_what_is_no_limit_is_refused_at_the_start(written: str) -> None:
    with pytest.raises(ValueError):
        AccessSettings(access_rate=written)
