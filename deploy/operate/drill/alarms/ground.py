"""The home a drill of alarms plays on: people, clinics, and whoever looks at the page meanwhile."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from operate.bench.live import Live
from operate.bench.streams import sign_in
from operate.drill.alarms.pages import Pages
from operate.drill.cluster import connected
from operate.drill.faults import database_url
from operate.errors import OperateError
from operate.home import Home
from operate.parts.kafka import Kafka

NOT_NOW = (404, 503)
PATIENCE_SECONDS = 60.0
MISS_EVERY_SECONDS = 2.0
VISIT_EVERY_SECONDS = 0.5
LOOK_SECONDS = 0.1


@dataclass
class Ground:
    """One running home. `people` are admitted and have not missed anything yet."""

    home: Home
    kafka: Kafka
    client: httpx.AsyncClient
    live: Live
    pages: Pages
    people: list[str] = field(default_factory=list)
    # Set while sessions are missed now and then, as on any day.
    day: asyncio.Event = field(default_factory=asyncio.Event)

    async def say(self, service: str, do: str, **fields: object) -> str:
        """Have a command carried out, sent again until it is taken; gives what it is about."""
        now = datetime.now(UTC).isoformat()
        body = {"do": do, "key": uuid4().hex, "source": "drill", "occurred_at": now} | fields
        url = f"{getattr(self.home.addresses(), service)}/v1/command"

        async def taken() -> httpx.Response | None:
            answer = await self.client.post(url, json=body)
            return None if answer.status_code in NOT_NOW else answer

        answer = await self.until(taken, f"{service} takes {do}")
        if answer.is_error:
            message = f"{service} refused {do}: {answer.text}"
            raise OperateError(message)
        return str(answer.json()["subject"])

    async def ask(self, service: str, path: str) -> Any:
        """What a service answers to a question."""
        answer = await self.client.get(getattr(self.home.addresses(), service) + path)
        return answer.raise_for_status().json()

    async def put(self, service: str, path: str, body: dict[str, Any]) -> None:
        """Set something."""
        url = getattr(self.home.addresses(), service) + path
        (await self.client.put(url, json=body)).raise_for_status()

    async def admitted(self, site: str) -> str:
        """Somebody admitted at a site of its own a week ago, whom alerts knows."""
        person = await self.say("intake", "receive_referral", site_id=site, time_zone="UTC")
        await self.say(
            "intake",
            "complete_intake",
            admission_id=person,
            admitted_on=day(-7),
            program_id="iop",
            weekly_minutes=540,
            sessions_per_week=3,
            eligibility_waived_for="assessed_elsewhere",
        )
        url = f"{self.home.addresses().alerts}/v1/admissions/{person}/risk"

        async def is_known() -> bool:
            return (await self.client.get(url)).status_code == httpx.codes.OK

        await self.until(is_known, "alerts knows the person")
        return person

    async def in_danger(self, person: str) -> None:
        """An answer that asks for safety: an alert of level 0, told at any hour."""
        about = {"admission_id": person, "instrument": "c-ssrs", "score": 4, "safety": True}
        await self.say("attendance", "record_measure", **about)

        async def is_open() -> bool:
            path = f"/v1/concerns?open=true&admission_id={person}"
            return [one["level"] for one in await self.ask("alerts", path)] == [0]

        await self.until(is_open, "a concern of level 0")

    async def made_older(self, service: str, statement: str, *values: object) -> None:
        """Days pass for a row: a database's clock cannot be moved, what it wrote down can."""
        async with connected(database_url(self.home, service)) as conn:
            await conn.execute(statement, *values)

    async def until(self, holds: Callable[[], Awaitable[Any]], what: str) -> Any:
        """Wait until it gives something true, and give that. Raises OperateError."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not (found := await self._tried(holds)):  # noqa: ASYNC110  # no event
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            message = f"not within {PATIENCE_SECONDS:.0f} s: {what}"
            raise OperateError(message) from None
        return found

    async def _tried(self, holds: Callable[[], Awaitable[Any]]) -> Any:
        with contextlib.suppress(httpx.HTTPError, OSError, asyncpg.PostgresError):
            return await holds()
        return None

    async def miss_sessions(self) -> None:
        """Somebody misses a session now and then, for ever; each is an alert."""
        while self.people:
            await self.day.wait()
            await self.live.miss([self.people.pop()])
            await asyncio.sleep(MISS_EVERY_SECONDS)

    async def visit(self) -> None:
        """The care team opens its page, and a subscriber asks, for ever, whatever the answer."""
        base = self.home.addresses().alerts
        async with httpx.AsyncClient(timeout=10, trust_env=False) as browser:
            await sign_in(browser, base, "counsellor")
            while True:
                for path in ("/", "/v1/suppressions"):
                    with contextlib.suppress(httpx.HTTPError):
                        await browser.get(base + path)
                await asyncio.sleep(VISIT_EVERY_SECONDS)


def day(offset: int) -> str:
    """A day before or after today, in UTC."""
    return (datetime.now(UTC).date() + timedelta(days=offset)).isoformat()
