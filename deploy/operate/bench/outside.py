"""The outside of a running system: hospitals that subscribe, consents, and what became of messages."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import asyncpg

from operate.bench.hospital import Hospital, listening
from operate.bench.live import SITE, Live, command_of, day
from operate.errors import OperateError

SETTLE_SECONDS = 600.0
AT_ONCE = 16
_STATES = "select state, count(*) from deliveries where subscriber_id = $1 group by state"
_KEYS = "select delivery_id from deliveries where subscriber_id = $1 order by id"
_LATER = """
update subscribers set next_try_at = next_try_at - $1 * interval '1 hour',
    failing_since = failing_since - $1 * interval '1 hour'
where subscriber_id = $2
"""


@dataclass(frozen=True)
class Outside:
    """A running system, and intake's database, where only time is moved and rows are counted."""

    system: Live
    intake: asyncpg.Connection

    @contextlib.asynccontextmanager
    async def subscribed(self, hospital: Hospital) -> AsyncIterator[tuple[Hospital, str]]:
        """This hospital subscribes to the site, until the end."""
        subscriber = str(uuid4())
        url = f"{self.system.addresses.intake}/v1/subscribers/{subscriber}"
        wanted = {
            "site_id": SITE,
            "recipient_class": "hospital",
            "recipient": "general",
            "purpose": "treatment",
            "data_classes": ["attendance"],
        }
        with listening(hospital):
            answer = await self.system.client.put(url, json=wanted | {"url": hospital.url})
            answer.raise_for_status()
            try:
                yield hospital, subscriber
            finally:
                await self.system.client.delete(url)

    async def consent(self, people: Iterable[str]) -> dict[str, str]:
        """A consent of each, by which the hospital may be told of attendance."""
        consents = {person: str(uuid4()) for person in people}
        granted = [_consent(person, consent) for person, consent in consents.items()]
        await self.system.commands("intake", granted)
        return consents

    async def names(self, subscriber: str, people: list[str]) -> dict[str, str]:
        """The subscriber's own name of each."""
        base = f"{self.system.addresses.intake}/v1/subscribers/{subscriber}/subjects"

        async def name(person: str) -> str:
            answer = await self.system.client.get(f"{base}/{person}")
            return str(answer.raise_for_status().json()["subject"])

        found: list[str] = []
        for start in range(0, len(people), AT_ONCE):
            found += await asyncio.gather(*map(name, people[start : start + AT_ONCE]))
        return dict(zip(people, found, strict=True))

    async def settled(self, subscriber: str, count: int) -> Counter[str]:
        """Wait until so many messages were decided. How many came to which end."""

        async def is_so() -> bool:
            states = await self.states(subscriber)
            return states.total() >= count and not states["waiting"]

        await self.until(is_so)
        return await self.states(subscriber)

    async def states(self, subscriber: str) -> Counter[str]:
        """How many messages are waiting, sent and withheld."""
        rows = await self.intake.fetch(_STATES, subscriber)
        return Counter({row["state"]: row["count"] for row in rows})

    async def has(self, subscriber: str, state: str, count: int) -> bool:
        """Whether so many are in this state."""
        return (await self.states(subscriber))[state] >= count

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait for this. Raises OperateError when it does not come."""
        until = time.monotonic() + SETTLE_SECONDS
        while not await holds():
            if time.monotonic() > until:
                message = f"what waited for a subscriber did not leave in {SETTLE_SECONDS:.0f} s"
                raise OperateError(message)
            await asyncio.sleep(0.05)

    async def keys(self, subscriber: str) -> list[str]:
        """The keys of all its messages, in order."""
        return [str(row[0]) for row in await self.intake.fetch(_KEYS, subscriber)]

    async def passes(self, subscriber: str, hours: int) -> None:
        """Time goes by for a subscriber that does not answer."""
        await self.intake.execute(_LATER, hours, subscriber)


def _consent(person: str, consent: str) -> dict[str, Any]:
    return command_of(
        "grant_consent",
        admission_id=person,
        consent_id=consent,
        recipient_class="hospital",
        recipient="general",
        purpose="treatment",
        data_classes=["attendance"],
        from_on=day(0),
    )
