"""Two systems that hear the same facts: one in order, one in any order, in batches, with repeats."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias, TypeVar
from uuid import uuid4

import asyncpg
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from handrail.outbox import Connection
from handrail.receipts import Result
from handrail.sight import SEES_ALL
from operate import databases
from operate.home import Home
from operate.parts.postgres import Postgres

Body: TypeAlias = dict[str, Any]
T = TypeVar("T")
PATIENCE = 200
# Without one, other histories are played after each change of this file.
SEED = 1
ROUNDS = 4
SETTINGS = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


async def left_in(
    conn: Connection,
    tables: Sequence[str],
    names: Mapping[str, str],
    tidied: Callable[[str], str] = str,
) -> list[tuple[str, list[str]]]:
    """All rows of these tables and all events as sets, with `names` for identifiers drawn here."""

    def named(row: str) -> str:
        text = tidied(json.dumps(json.loads(row), sort_keys=True))
        for identifier, name in names.items():
            text = text.replace(identifier, name)
        return text

    found: list[tuple[str, list[str]]] = []
    for table in tables:
        sql = f"select (to_jsonb(t) - 'received_at')::text as row from {table} t"  # noqa: S608
        found.append((table, sorted(named(r["row"]) for r in await conn.fetch(sql))))
    events: list[Any] = await conn.fetch(
        "select key, type, convert_from(data, 'utf8') as row from outbox"
    )
    told = sorted(f"{e['key']} {e['type']} {named(e['row'])}" for e in events)
    return [*found, ("outbox", told)]


@dataclass(frozen=True)
class Service:
    """What a service is told, how, and what is left of it."""

    name: str
    begin: Callable[[Connection], Coroutine[Any, Any, None]]
    take: Callable[[Connection, Sequence[Body]], Coroutine[Any, Any, list[Result]]]
    left: Callable[[Connection], Coroutine[Any, Any, Any]]
    # Of a fact: whose order counts, and what it is called by this side's own identifiers.
    lane: Callable[[Body], str]
    resolve: Callable[[Connection, Body], Coroutine[Any, Any, Body | None]]
    facts: st.SearchStrategy[Body]


def _is_overtaken(lane: str, batch: Sequence[tuple[str, Body]], done: set[str]) -> bool:
    """Whether a fact of this lane was taken after one that was not."""
    were = [fact["key"] in done for of, fact in batch if of == lane]
    return were != sorted(were, reverse=True)


@dataclass(eq=False)
class Twins(RuleBasedStateMachine):
    """Each fact that the orderly side takes is owed to the other, in the order of its lane only."""

    service: Service
    run: Callable[[Coroutine[Any, Any, Any]], Any]
    orderly: asyncpg.Connection
    other: asyncpg.Connection
    seen: set[str]
    owed: dict[str, list[Body]] = field(default_factory=dict)
    taken: list[Body] = field(default_factory=list)
    said: int = 0

    def __post_init__(self) -> None:
        """Both begin with nothing."""
        RuleBasedStateMachine.__init__(self)
        self.undo = [side.transaction() for side in (self.orderly, self.other)]
        for side, undo in zip((self.orderly, self.other), self.undo, strict=True):
            self.run(undo.start())
            self.run(self.service.begin(side))

    @rule(data=st.data())
    def happens(self, data: st.DataObject) -> None:
        """Some things are said; the orderly side hears each at once."""
        for drawn in data.draw(st.lists(self.service.facts, min_size=1, max_size=8)):
            self.said += 1
            fact = drawn | {"key": f"k{self.said}"}
            result = self.run(self._say(self.orderly, [fact]))
            if result and result[0].status == "applied":
                self.seen.add(fact["do"])
                self.taken.append(fact)
                self.owed.setdefault(self.service.lane(fact), []).append(fact)

    @rule(data=st.data())
    def arrives(self, data: st.DataObject) -> None:
        """The other side hears the next facts of some lanes, in one batch, some of them twice."""
        lanes = sorted(lane for lane, facts in self.owed.items() if facts)
        if not lanes:
            return
        chosen = data.draw(st.lists(st.sampled_from(lanes), min_size=1, max_size=6))
        self._deliver(chosen, twice=data.draw(st.booleans()))

    @rule(data=st.data())
    def is_said_again(self, data: st.DataObject) -> None:
        """An old fact comes again, to the side that has heard everything."""
        if self.taken:
            again = self.run(self._say(self.orderly, [data.draw(st.sampled_from(self.taken))]))
            assert [result.status for result in again] == ["duplicate"]

    def teardown(self) -> None:
        """All that is owed arrives; then both know the same."""
        try:
            for _ in range(PATIENCE):
                lanes = [lane for lane, facts in self.owed.items() if facts]
                if not lanes:
                    break
                for lane in lanes:
                    self._deliver([lane], twice=False)
            assert not any(self.owed.values()), "a fact is refused for ever"
            assert self.run(self._left(self.orderly)) == self.run(self._left(self.other))
        finally:
            for undo in self.undo:
                self.run(undo.rollback())

    def _deliver(self, lanes: Sequence[str], *, twice: bool) -> None:
        """What is refused, as it came too early, is said again later."""
        taken: dict[str, int] = {}
        batch: list[tuple[str, Body]] = []
        for lane in lanes:
            place = taken.get(lane, 0)
            if place < len(self.owed[lane]):
                batch.append((lane, self.owed[lane][place]))
                taken[lane] = place + 1
        facts = [fact for _, fact in batch]
        undo = self.other.transaction()
        self.run(undo.start())
        results = self.run(self._say(self.other, facts * 2 if twice else facts))
        done = {r.key for r in results if r.status in ("applied", "duplicate")}
        if len(batch) > 1 and any(_is_overtaken(lane, batch, done) for lane in taken):
            # What needs another lane was refused, and what stands behind it was not: a sender
            # who keeps to an order says them one by one.
            self.run(undo.rollback())
            for lane in lanes:
                self._deliver([lane], twice=twice)
            return
        self.run(undo.commit())
        for lane in taken:
            while self.owed[lane] and self.owed[lane][0]["key"] in done:
                self.owed[lane].pop(0)
            late = [fact["key"] for fact in self.owed[lane] if fact["key"] in done]
            assert not late, "a later fact of a lane was taken before an earlier one"

    async def _say(self, side: asyncpg.Connection, facts: Sequence[Body]) -> list[Result]:
        named = [await self.service.resolve(side, fact) for fact in facts]
        ready = named[: named.index(None)] if None in named else named
        return await self.service.take(side, [fact for fact in ready if fact])

    async def _left(self, side: asyncpg.Connection) -> Any:
        return await self.service.left(side)


def compare(template: tuple[Postgres, Home], service: Service, wanted: set[str]) -> set[str]:
    """Play histories on two databases of this test's own, until each `wanted` command was taken.

    What hypothesis draws from a seed differs with what else is imported, so one round may lack a
    seldom one. Gives the commands that were taken.
    """
    seen: set[str] = set()
    with asyncio.Runner() as runner, _two_databases(template, service.name, runner) as sides:
        begins = partial(Twins, service, runner.run, *sides, seen=seen)
        for number in range(SEED, SEED + ROUNDS):
            run_state_machine_as_test(seed(number)(begins), settings=SETTINGS)
            if seen >= wanted:
                break
    return seen


@contextlib.contextmanager
def _two_databases(
    template: tuple[Postgres, Home], name: str, runner: asyncio.Runner
) -> Iterator[list[asyncpg.Connection]]:
    server, home = template
    base = databases.url_of(server.admin_url(), name, home)
    databases.migrate(base, name)

    async def opened() -> asyncpg.Connection:
        fresh = f"test_{uuid4().hex}"
        admin = await asyncpg.connect(server.admin_url())
        await admin.execute(f"create database {fresh} template {name} owner {name}")
        await admin.close()
        return await asyncpg.connect(base.removesuffix(name) + fresh, server_settings=SEES_ALL)

    sides = [runner.run(opened()) for _ in range(2)]
    try:
        yield sides
    finally:
        for side in sides:
            runner.run(side.close())
