"""How often one caller may call a service: counted here, in this process."""

import math
import time

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter


class Rates:
    """A limit for each caller, as `1200/minute`."""

    def __init__(self, written: str) -> None:
        """Raises ValueError for what is no limit."""
        self._limit = parse(written)
        self._seen = SlidingWindowCounterRateLimiter(MemoryStorage())

    def wait(self, who: str) -> int | None:
        """Count one call. Gives the seconds to wait where it is one too many, else None."""
        if self._seen.hit(self._limit, who):
            return None
        again_at = self._seen.get_window_stats(self._limit, who).reset_time
        return max(1, math.ceil(again_at - time.time()))
