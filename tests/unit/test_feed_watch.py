"""When a consumer is taken to stand still."""

import asyncio
import time
from collections.abc import Sequence

import asyncpg
import pytest

from handrail import feed
from handrail.applying import Applier
from handrail.envelope import Received
from handrail.feed import STUCK_SECONDS, Feed, StuckError
from handrail.outbox import Connection


class Behind(Feed):
    """A feed with records waiting that takes none."""

    async def lag(self) -> dict[str, int]:
        return {"intake.events/0": 5}


async def nothing(_conn: Connection, _events: Sequence[Received]) -> None:
    """What is never called here."""


def behind_since(moment: float) -> Behind:
    pool = asyncpg.create_pool("postgresql://127.0.0.1:1/none", min_size=0)
    return Behind("alerts", ("intake.events",), Applier(pool, nothing), _moved_at=moment)


async def test_who_waited_for_kafka_is_not_ended_the_moment_it_is_back() -> None:
    watching = asyncio.create_task(behind_since(time.monotonic() - 2 * STUCK_SECONDS).watch())

    ended, _ = await asyncio.wait({watching}, timeout=1.2)

    watching.cancel()
    assert not ended


async def test_who_takes_nothing_for_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "STUCK_SECONDS", 0.5)

    with pytest.raises(StuckError):
        await behind_since(time.monotonic()).watch()
