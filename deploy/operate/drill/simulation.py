"""The kit's protocol without I/O: one seed is one history of faults, judged by a ledger."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias
from uuid import UUID

from handrail import inbox
from handrail.dead_letters import Letter
from handrail.envelope import Received
from handrail.inbox import Standing
from handrail.topics import PARTITIONS, SHARDS, partition_of, shard_of
from operate.drill import actors
from operate.drill.protocol import Protocol, Row

OWNER = "attendance"
ADMISSIONS = 24
WRITERS, RELAYS, CONSUMERS = 3, 2, 3
# PostgreSQL ends a transaction that stands still for this long.
IDLE_TRANSACTION_SECONDS = 10.0
QUIET_STEPS = 200_000
Steps: TypeAlias = Iterator[None]


@dataclass(slots=True)
class Wire:
    """One producer's records on their way, in order for each partition."""

    queues: dict[int, list[Row]] = field(default_factory=lambda: defaultdict(list))
    answered: set[int] = field(default_factory=set)
    failed: bool = False
    dropped: bool = False


@dataclass(slots=True)
class Work:
    """A transaction that holds locks until it ends, or until the database ends it."""

    began: float
    locks: set[object] = field(default_factory=set)
    dead: bool = False


@dataclass(slots=True)
class Actor:
    """A process: it can be ended at any step, frozen, and started again."""

    name: str
    make: Callable[[], Steps]
    steps: Steps
    frozen_until: float = 0.0


@dataclass
class World:
    """Two databases, a broker, processes and a clock."""

    seed: int
    protocol: Protocol = field(default_factory=Protocol)
    now: float = 0.0
    steps: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)
    # The source's database.
    pending: dict[int, Row] = field(default_factory=dict)
    streams: dict[UUID, int] = field(default_factory=dict)
    receipts: set[int] = field(default_factory=set)
    leases: dict[int, tuple[int, int, float]] = field(default_factory=dict)
    # The broker.
    log: list[list[Received | Letter]] = field(
        default_factory=lambda: [[] for _ in range(PARTITIONS)]
    )
    wires: list[Wire] = field(default_factory=list)
    landed: dict[UUID, int] = field(default_factory=dict)
    swapped: set[UUID] = field(default_factory=set)
    # The consumer's database.
    offsets: list[int] = field(default_factory=lambda: [0] * PARTITIONS)
    hints: list[int] = field(default_factory=lambda: [0] * PARTITIONS)
    standings: dict[UUID, tuple[int, int]] = field(default_factory=dict)
    parked: dict[UUID, str] = field(default_factory=dict)
    letters: dict[tuple[int, int], tuple[Letter, Received | None]] = field(default_factory=dict)
    effects: dict[UUID, list[int]] = field(default_factory=lambda: defaultdict(list))
    works: list[Work] = field(default_factory=list)
    # The group, the clients and the ledger of what was promised to them.
    assigned: list[int] = field(default_factory=lambda: [0] * PARTITIONS)
    generation: int = 0
    unanswered: list[tuple[int, UUID]] = field(default_factory=list)
    promised: set[int] = field(default_factory=set)
    committed: dict[UUID, list[int]] = field(default_factory=lambda: defaultdict(list))
    commands: int = 0
    drawn: int = 0
    mended: bool = False
    actors: list[Actor] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start every process."""
        self.dice = random.Random(self.seed)  # noqa: S311  # a history must be repeatable
        self.keys = [UUID(int=self.dice.getrandbits(122)) for _ in range(ADMISSIONS)]
        made: list[tuple[str, Callable[[], Steps]]] = [
            *((f"writer{n}", partial(actors.writer, self)) for n in range(WRITERS)),
            *((f"relay{n}", partial(actors.relay, self)) for n in range(RELAYS)),
            *((f"consumer{n}", partial(actors.consumer, self, n)) for n in range(CONSUMERS)),
            ("operator", partial(actors.operator, self)),
        ]
        self.actors = [Actor(name, make, make()) for name, make in made]

    def draw(self) -> int:
        """The next number of a sequence that never gives one twice."""
        self.drawn += 1
        return self.drawn

    def lock(self, work: Work, what: object) -> bool:
        """Take a lock for a transaction, if nobody has it."""
        for other in self.works:
            if what in other.locks and other is not work:
                return False
        work.locks.add(what)
        return True

    def begin(self) -> Work:
        """A transaction."""
        work = Work(self.now)
        self.works.append(work)
        return work

    def end(self, work: Work) -> None:
        """Its locks are free."""
        if work in self.works:
            self.works.remove(work)

    def run(self, steps: int) -> Counter[str]:
        """Play so many steps with faults, then until all is quiet. Returns what is wrong."""
        while self.steps < steps:
            self._step(stormy=True)
        self._quiet()
        return self._judge()

    def _step(self, *, stormy: bool) -> None:
        self.steps += 1
        dice = self.dice.random
        self.now += dice() * 0.02
        if stormy:
            if len(self.unanswered) < 4 and dice() < 0.1:
                self.commands += 1
                self.unanswered.append((self.commands, self.dice.choice(self.keys)))
            if dice() < 0.02:
                self._fault()
        if dice() < 0.5:
            self._carry(stormy=stormy)
        actor = self.actors[int(dice() * len(self.actors))]
        if actor.frozen_until > self.now:
            return
        next(actor.steps)
        if self.works and dice() < 0.05:
            self._end_idle()

    def _fault(self) -> None:
        kind = self.dice.choices(
            ("kill", "freeze", "rebalance", "cut", "repeat", "poison", "database"),
            (4, 2, 2, 3, 6, 0.3, 1),
        )[0]
        self.faults[kind] += 1
        getattr(self, f"_{kind}")()

    def _kill(self) -> None:
        actor = self.dice.choice(self.actors)
        actor.steps.close()  # type: ignore[attr-defined]  # they are generators
        actor.steps, actor.frozen_until = actor.make(), self.now + self.dice.random()

    def _freeze(self) -> None:
        self.dice.choice(self.actors).frozen_until = self.now + self.dice.random() * 20

    def _rebalance(self) -> None:
        self.generation += 1
        self.assigned = [self.dice.randrange(CONSUMERS) for _ in range(PARTITIONS)]

    def _cut(self) -> None:
        """A producer's answers are lost: what is on its way may still land, or may not."""
        if self.wires:
            wire = self.dice.choice(self.wires)
            wire.failed = True
            if self.dice.random() < 0.5:
                wire.queues.clear()

    def _repeat(self) -> None:
        """A record of the past comes again."""
        log = self.dice.choice(self.log)
        if log:
            log.append(self.dice.choice(log[-200:]))

    def _poison(self) -> None:
        key = self.dice.choice(self.keys)
        place = partition_of(key)
        self.log[place].append(actors.unreadable(place, len(self.log[place]), key, "bad_header"))

    def _database(self) -> None:
        """The database ends every transaction, as a crash of it does."""
        for work in self.works:
            work.dead = True
        self.works.clear()

    def _end_idle(self) -> None:
        for work in [w for w in self.works if self.now - w.began > IDLE_TRANSACTION_SECONDS]:
            work.dead = True
            self.works.remove(work)

    def _carry(self, *, stormy: bool) -> None:
        """The network brings one record to the broker."""
        for wire in self.wires:
            for place, queue in wire.queues.items():
                if not queue or self.dice.random() < 0.3:
                    continue
                at = 0
                loose = not self.protocol.producer_keeps_order
                if stormy and len(queue) > 1 and self.dice.random() < (0.2 if loose else 0.05):
                    at = 1
                    if not loose:
                        # Past the kit's own order: only the inbox can put this right.
                        self.swapped.add(queue[0].key)
                        self.faults["reorder"] += 1
                row = queue.pop(at)
                self._land(row, place)
                if not wire.failed:
                    wire.answered.add(row.id)
                return
        self.wires = [w for w in self.wires if not w.dropped or any(w.queues.values())]

    def _land(self, row: Row, place: int) -> None:
        log = self.log[place]
        if place != partition_of(row.key):
            log.append(actors.unreadable(place, len(log), row.key, "wrong_partition"))
            return
        log.append(row.event)
        last = self.landed.get(row.key, 0)
        if row.sequence > last + 1 and row.key not in self.swapped:
            self.troubles["out_of_order_on_the_wire"] += 1
        self.landed[row.key] = max(last, row.sequence)

    def _quiet(self) -> None:
        """No more faults: everything has to come to rest by itself, then by one redrive."""
        for actor in self.actors:
            actor.frozen_until = 0.0
        self._rest("not_at_rest")
        for key, reason in self.parked.items():
            kept = [original for letter, original in self.letters.values() if letter.key == key]
            if reason == inbox.GAP and all(map(actors.can_be_applied, kept)):
                self.troubles["gap_left_open"] += 1
        self.mended = True
        self._rest("not_redriven")

    def _rest(self, trouble: str) -> None:
        limit = self.steps + QUIET_STEPS
        while not self._is_at_rest():
            self._step(stormy=False)
            if self.steps > limit:
                self.troubles[trouble] += 1
                return

    def _is_at_rest(self) -> bool:
        return not (
            self.unanswered
            or self.pending
            or self.works
            or any(any(wire.queues.values()) for wire in self.wires)
            or any(at < len(log) for at, log in zip(self.offsets, self.log, strict=True))
            or (self.mended and self.letters)
        )

    def _judge(self) -> Counter[str]:
        wrong = Counter(self.troubles)
        told: Counter[int] = Counter()
        for key in self.keys:
            had = self.effects[key]
            told.update(had)
            if [c for c in dict.fromkeys(had) if c in self.promised] != [
                c for c in dict.fromkeys(self.committed[key]) if c in told
            ]:
                wrong["out_of_order"] += 1
        wrong["lost"] += sum(1 for command in self.promised if command not in told)
        wrong["duplicated"] += sum(count - 1 for count in told.values())
        return +wrong

    def shard_rows(self, shards: set[int]) -> list[Row]:
        """What is staged and not crossed off, of these shards."""
        return [r for r in self.pending.values() if shard_of(partition_of(r.key)) in shards]

    def holds(self, holder: int, shard: int) -> tuple[bool, int]:
        """Whether this relay holds the shard's lease, and the present epoch."""
        who, epoch, _ = self.leases.get(shard, (0, 0, 0.0))
        return who == holder, epoch

    def standing(self, key: UUID) -> Standing:
        """Where a stream stands with the consumer, as committed."""
        sequence, incarnation = self.standings.get(key, (0, 1))
        return Standing(sequence, incarnation, self.parked.get(key))

    @property
    def shards(self) -> range:
        """All shards."""
        return range(SHARDS)
