"""What every scene stands on: a home at work, people, drivers, and the judge at the end."""

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from operate.drill import judge
from operate.drill.faults import Faults
from operate.drill.real import DRIVERS, REST_SECONDS, WRONG
from operate.drill.ward import Ward
from operate.home import Home
from operate.supervise import Supervisor

LONG_SECONDS = 300.0
ESCALATED = """
select key::text, count(*) from outbox where type = 'alerts.alert_escalated.v1' group by key
"""
FLAGGED = "select admission_id::text from concerns where closed_at is null and level = 0"


class NotPossibleError(Exception):
    """The scene cannot be played on this machine, and why."""


@contextlib.contextmanager
def as_it_is(_home: Home) -> Iterator[None]:
    """A setting that changes nothing."""
    yield


@dataclass
class Stage:
    """A running home, the people in it, and what was found so far."""

    home: Home
    ward: Ward
    faults: Faults
    say: Callable[[str], None]
    # Where the scene itself runs the home, and nobody starts again what ends.
    system: Supervisor | None = None
    found: dict[str, Any] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)
    drives: int = 0
    # A topic was written again: what was said in between lies before it there, and waited as a gap.
    is_rewritten: bool = False

    def require(self, so: bool, trouble: str) -> None:  # noqa: FBT001  # a finding
        """Note a trouble unless it is `so`."""
        if not so:
            self.troubles.append(trouble)

    @contextlib.asynccontextmanager
    async def busy(self) -> AsyncIterator[None]:
        """Drivers record seats meanwhile."""
        self.drives += 1
        async with asyncio.TaskGroup() as group:
            drivers = [
                group.create_task(self.ward.record(math.inf, f"s{self.drives}-{n}"))
                for n in range(DRIVERS)
            ]
            try:
                yield
            finally:
                # What was asked and not answered is no promise.
                for driver in drivers:
                    driver.cancel()

    async def for_a_while(self, seconds: float) -> None:
        """Drivers record seats for so long."""
        async with self.busy():
            await asyncio.sleep(seconds)

    async def until(
        self, is_so: Callable[[], Awaitable[bool]], what: str, seconds: float = LONG_SECONDS
    ) -> float:
        """Wait until it is so; gives the seconds it took. A trouble where it takes longer."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                if await is_so():
                    return round(time.monotonic() - began, 2)
            await asyncio.sleep(0.1)
        self.troubles.append(f"after {seconds:.0f} s not yet: {what}")
        return seconds

    async def rest(self) -> None:
        """Wait until everything staged is sent, and everything sent is taken."""
        self.require(await judge.until_rest(self.home, REST_SECONDS), "it did not come to rest")

    async def flagged(self, count: int) -> list[str]:
        """So many people whose safety concern waits for a call; alerts knows them."""
        people = self.ward.admissions[:count]
        await self.ward.flag(people)

        async def are_known() -> bool:
            rows = await judge.ask(self.home, "alerts", FLAGGED)
            return {row[0] for row in rows} >= set(people)

        await self.until(are_known, "alerts knows who is flagged")
        return people

    async def escalations(self) -> dict[str, int]:
        """How often the next role was told, by person."""
        return dict(await judge.ask(self.home, "alerts", ESCALATED))

    async def judged(self) -> dict[str, Any]:
        """What the ledger, the databases and the topics say after one redrive."""
        await self.faults.until_well()
        await self.rest()
        async with self.ward.client(REST_SECONDS) as client:
            redriven = await judge.redrive(self.home, client)
        await self.rest()
        told = await judge.judge(self.home, self.ward)
        wrong = {name: told.pop(name, 0) for name in WRONG}
        if self.is_rewritten:
            self.found["out_of_order_on_the_wire"] = wrong.pop("out_of_order")
        is_good = not (any(wrong.values()) or told["refused"] or self.troubles)
        return {
            **self.found,
            **told,
            "redriven": redriven,
            **wrong,
            "troubles": self.troubles,
            "good": is_good,
        }
