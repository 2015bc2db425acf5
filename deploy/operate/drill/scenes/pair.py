"""Each service has two processes; one of the two is killed, and the other goes on alone."""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from uuid import UUID

from handrail.topics import owner_of, partition_of
from operate import rolling
from operate.drill import judge
from operate.drill.real import quantiles
from operate.drill.scenes.stage import Stage
from operate.home import SERVICES, Home
from operate.processes import Child
from operate.supervise import Supervisor

PEOPLE = 100
KILLS_OF_EACH, QUIET_PROBES = 10, 10
PAUSE_SECONDS, RANDOM_SECONDS = 0.5, 2.0
MOST_SECONDS = 5.0
LAST = "select coalesce(max(id), 0) from outbox_pending"
WAITING = "select count(*) from outbox_pending where id <= $1"


@contextlib.asynccontextmanager
async def unwatched(home: Home, say: Callable[[str], None]) -> AsyncIterator[Supervisor]:
    """The home runs in this process; who ends is not started again."""
    system = Supervisor(home, say)
    try:
        await system.start()
        yield system
    finally:
        await system.stop()


async def play(stage: Stage) -> None:
    """Kill one of two under load, again and again; who was killed comes back once all is well."""
    pairs = Pairs(stage)
    took: dict[str, list[float]] = defaultdict(list)
    await stage.ward.admit(PEOPLE)
    async with pairs.started():
        await pairs.prepare()
        order = [name for name in SERVICES for _ in range(KILLS_OF_EACH)]
        stage.faults.dice.shuffle(order)
        async with stage.busy():
            quiet = [await pairs.probe() for _ in range(QUIET_PROBES)]
            for number, name in enumerate(order):
                await asyncio.sleep(PAUSE_SECONDS + stage.faults.dice.random() * RANDOM_SECONDS)
                stage.say(f"kill {number + 1} of {len(order)}: {name}")
                took[name].append(await pairs.kill_one(name))
    all_took = quantiles([*chain.from_iterable(took.values())])
    stage.found |= {
        "kills": dict(stage.faults.count),
        "seconds_to_recover": all_took,
        "seconds_to_recover_from": {name: quantiles(took[name]) for name in SERVICES},
        "seconds_without_a_kill": quantiles(quiet),
    }
    stage.require(all_took["p99"] <= MOST_SECONDS, f"it took {all_took['p99']} s at p99")


@dataclass
class Pairs:
    """Two processes of each service at one listening socket."""

    stage: Stage
    pairs: dict[str, tuple[Child, Child]] = field(default_factory=dict)
    # Who reads whom: (owner, reader).
    ways: set[tuple[str, str]] = field(default_factory=set)
    # Somebody on each partition, and the step-down of each.
    people: list[str] = field(default_factory=list)
    step_downs: list[str] = field(default_factory=list)
    probes: int = 0

    @contextlib.asynccontextmanager
    async def started(self) -> AsyncIterator[None]:
        """The second process of each runs meanwhile."""
        system = self.stage.system
        assert system is not None
        self.pairs = {
            name: (child, system.new_process(name)) for name, child in system.services.items()
        }
        others = [other for _, other in self.pairs.values()]
        try:
            for other in others:
                other.start()
            for other in others:
                await self._until_ready(other)
            yield
        finally:
            await asyncio.gather(*(other.stop() for other in others))

    async def prepare(self) -> None:
        """Find somebody on each partition, and start handing them on, so that aftercare speaks too."""
        home, ward = self.stage.home, self.stage.ward
        await self.stage.rest()
        self.people = [*{partition_of(UUID(who)): who for who in ward.admissions}.values()]
        visit = {"destination": "outpatient", "receiver": "riverside", "first_visit_on": _ahead()}
        self.step_downs = await ward.tell(
            "aftercare",
            [
                visit | {"do": "start_step_down", "key": f"hand-on-{who}", "admission_id": who}
                for who in self.people
            ],
        )
        await self.stage.rest()
        for reader in SERVICES:
            rows = await judge.ask(home, reader, judge.OFFSETS)
            self.ways |= {(owner_of(topic), reader) for topic, _, _ in rows}

    async def kill_one(self, name: str) -> float:
        """`kill -9` of either; gives the seconds until all is well, and lets it come back."""
        victim = self.stage.faults.dice.choice(self.pairs[name])
        self.stage.faults.count[f"kill_{name}"] += 1
        victim.kill()
        seconds = await self.probe()
        victim.start()
        await self._until_ready(victim)
        return seconds

    async def probe(self) -> float:
        """Seconds until what is said from now on has reached everybody, and what they add is sent."""
        began = time.monotonic()
        await self._speak()
        await asyncio.gather(*(self._until_heard(*way) for way in self.ways))
        await asyncio.gather(*map(self._until_sent, SERVICES))
        return time.monotonic() - began

    async def _speak(self) -> None:
        """Each service that is read says something about somebody on each partition."""
        self.probes += 1
        number, ward = self.probes, self.stage.ward
        dose = {"weekly_minutes": 540 + 60 * (number % 2), "sessions_per_week": 3}
        item = {"item": f"item-{number % 5}", "kind": "coping"}
        await asyncio.gather(
            ward.say(f"probe-{number}", self.people),
            ward.tell(
                "intake",
                [
                    dose | {"do": "change_plan", "key": f"plan-{number}-{who}", "admission_id": who}
                    for who in self.people
                ],
            ),
            ward.tell(
                "aftercare",
                [
                    item | {"do": "set_plan_item", "key": f"item-{number}-{n}", "step_down_id": one}
                    for n, one in enumerate(self.step_downs)
                ],
            ),
        )

    async def _until_heard(self, owner: str, reader: str) -> None:
        home = self.stage.home
        said = await judge.sequences(home, set(self.people), owner)

        async def has_heard() -> bool:
            return await judge.has_heard(home, said, owner, reader)

        await self.stage.until(has_heard, f"{reader} has heard {owner}")

    async def _until_sent(self, service: str) -> None:
        (last,) = (await judge.ask(self.stage.home, service, LAST))[0]

        async def is_sent() -> bool:
            return not (await judge.ask(self.stage.home, service, WAITING, last))[0][0]

        await self.stage.until(is_sent, f"what {service} has staged is sent")

    async def _until_ready(self, child: Child) -> None:
        await rolling.until_ready(child, self.stage.home.ports()[child.name])


def _ahead() -> str:
    return (datetime.now(UTC).date() + timedelta(days=7)).isoformat()
