"""Whether the sessions of open streams go on: one question for all of them, once a second."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import asyncpg

from alerts.page import sessions
from alerts.page.access import Member

SECONDS = 1.0


class Watch:
    """Knows who listens, and since when that is not allowed any more."""

    def __init__(self, pool: asyncpg.Pool, idle: timedelta) -> None:
        """Nobody listens yet."""
        self.pool, self.idle = pool, idle
        self._listening: Counter[bytes] = Counter()
        self._good: set[bytes] = set()
        self._asked_at = 0.0
        self._asking = asyncio.Lock()

    @contextmanager
    def of(self, member: Member) -> Iterator[None]:
        """While this is open the session is asked about with the others."""
        key = member.hidden_id
        self._listening[key] += 1
        self._good.add(key)
        try:
            yield
        finally:
            self._listening[key] -= 1
            if not self._listening[key]:
                del self._listening[key]

    async def goes_on(self, member: Member) -> bool:
        """Whether the session still holds; known to a second."""
        clock = asyncio.get_running_loop().time
        async with self._asking:
            if clock() - self._asked_at >= SECONDS:
                asked = list(self._listening)
                async with self.pool.acquire() as conn:
                    self._good = await sessions.going_on(conn, asked, self.idle)
                self._asked_at = clock()
        return member.hidden_id in self._good
