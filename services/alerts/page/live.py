"""What changed, as server-sent events: one look at the database for all open streams."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg

from alerts.page import store
from alerts.page.store import Batch
from handrail import telemetry
from handrail.transient import TRANSIENT

LOOK_SECONDS = 0.25
BEAT_SECONDS = 15.0
BATCHES_KEPT = 200


class Changes:
    """Looks for changed concerns while anyone listens, and hands them to every stream."""

    def __init__(self, pool: asyncpg.Pool, is_stopping: Callable[[], bool]) -> None:
        """`is_stopping` tells when streams shall end."""
        self.pool, self.is_stopping = pool, is_stopping
        self._listeners: set[asyncio.Queue[Batch | None]] = set()
        self._rung = asyncio.Event()
        self._position: int | None = None

    def ring(self) -> None:
        """Something was committed in this process: look now."""
        self._rung.set()

    async def run(self) -> None:
        """Look for ever."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._rung.wait(), LOOK_SECONDS)
            self._rung.clear()
            if not self._listeners:
                self._position = None
                continue
            with contextlib.suppress(*TRANSIENT):
                await self._look()

    async def _look(self) -> None:
        if self._position is None:
            return
        async with self.pool.acquire() as conn:
            position, rows = await store.changed_since(conn, self._position)
            raised = (
                await store.traces_of(conn, [row["concern_id"] for row in rows]) if rows else []
            )
        moved, self._position = position != self._position, position
        for trace in raised:
            about: telemetry.Attributes = {telemetry.STREAMS: len(self._listeners)}
            telemetry.mark("update page", trace, about)
        if rows or moved:
            for queue in list(self._listeners):
                if queue.full():
                    self._listeners.discard(queue)
                    queue.get_nowait()
                    queue.put_nowait(None)
                else:
                    queue.put_nowait((position, rows))

    async def since(
        self, position: int, seconds: float, still: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[Batch]:
        """Everything that changed since `position`, as it comes; an empty batch is a sign of life.

        Ends after `seconds`, when the service stops, or when `still` says no.
        """
        queue: asyncio.Queue[Batch | None] = asyncio.Queue(BATCHES_KEPT)
        self._listeners.add(queue)
        loop = asyncio.get_running_loop()
        end, beat = loop.time() + seconds, loop.time()
        seen: dict[object, int] = {}
        try:
            async with self.pool.acquire() as conn:
                # The looks begin before this stream's own first look, so nothing falls between.
                first = await store.position(conn)
                self._position = self._position or first
                batch: Batch | None = await store.changed_since(conn, position)
            while batch is not None:
                at, rows = batch
                new = [r for r in rows if seen.get(r["concern_id"]) != r["changed_in"]]
                seen = {r["concern_id"]: r["changed_in"] for r in rows if r["changed_in"] >= at}
                if new or loop.time() >= beat:
                    beat = loop.time() + BEAT_SECONDS
                    if not await still():
                        return
                    yield at, new
                batch = await self._next(queue, at, end)
        finally:
            self._listeners.discard(queue)

    async def _next(self, queue: asyncio.Queue[Batch | None], at: int, end: float) -> Batch | None:
        left = end - asyncio.get_running_loop().time()
        if left <= 0 or self.is_stopping():
            return None
        try:
            return await asyncio.wait_for(queue.get(), min(left, 1.0))
        except TimeoutError:
            return at, []
