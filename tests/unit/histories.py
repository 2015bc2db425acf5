"""Random histories of one admission, played to the rules in any order that keeps each owner's own."""

import dataclasses
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from random import Random
from uuid import UUID

from msgspec.structs import replace

from alerts import batch as batches
from alerts import record
from alerts.batch import Batch
from alerts.facts import Fact
from alerts.policy import DEFAULT
from alerts.risk.table import load_table
from alerts.rules import Ladder, Outcome
from alerts.store import Row
from alerts.story import Story
from alerts.telling import AlertRow, ConcernRow, Telling
from handrail.sites import Site

LADDER = Ladder(DEFAULT, load_table())
START = date(2026, 3, 2).toordinal()
OWNERS = ("intake", "attendance", "aftercare", "alerts")
SITE = Site("north", "UTC", "replay", date(2026, 3, 1))
PERSON = UUID(int=7)
A_DAY = 86_400_000_000


@dataclass
class History:
    """Facts of each owner, each owner's in its own order."""

    facts: dict[str, list[Fact]]
    days: int


def make(seed: int) -> History:
    """A history with misses, late rosters, corrections, holds, returns, safety and work."""
    return _Maker(Random(seed)).make()


@dataclass
class _Maker:
    random: Random
    facts: dict[str, list[Fact]] = field(default_factory=lambda: {owner: [] for owner in OWNERS})
    seats: list[tuple[int, str, str]] = field(default_factory=list)
    on_hold: bool = False
    ended: bool = False

    def make(self) -> History:
        days = self.random.randint(8, 24)
        attends = self.random.choice((0.3, 0.6, 0.85))
        for day in range(days):
            for _ in range(self.random.choice((0, 1, 1, 2, 3))):
                self._happens(day, attends)
            if day == 0:
                self._tell("intake", day, "admitted", START, ("evening",), (540.0, 3.0))
        # What is recorded later comes later from its owner: late rosters and corrections.
        for told in self.facts.values():
            told.sort(key=lambda fact: fact.recorded)
        return History({owner: _numbered(told) for owner, told in self.facts.items()}, days)

    def _happens(self, day: int, attends: float) -> None:
        what = self.random.random()
        if what < 0.62:
            self._seat(day, attends)
        elif what < 0.74:
            self._correction(day)
        elif what < 0.80:
            self._hold_or_resume(day)
        elif what < 0.84:
            flag = float(self.random.random() < 0.5)
            self._tell("attendance", day, "measured", None, ("phq-9",), (12.0, flag))
        elif what < 0.94:
            self._work(day)
        elif what < 0.96 and day > 6:
            self._tell("intake", day, "discharged", START + day, ("dropped_out",))
        elif what < 0.98:
            kind = self.random.choice(("first_visit_missed", "first_visit_kept"))
            self._tell("aftercare", day, kind, START + day)
        else:
            self._tell("attendance", day, "unheld", START + day)

    def _seat(self, day: int, attends: float) -> None:
        seat = f"s{len(self.seats)}"
        late = self.random.choice((0, 0, 0, 0, 1, 3, 6))
        self.seats.append((day + late, seat, ""))
        if self.random.random() < attends:
            numbers = (float(START + day), 180.0, 0.0)
            self._tell("attendance", day, "attended", START + day, (), numbers, seat, late)
            return
        codes = (self.random.choice(("no_show", "late_cancellation")), "unknown")
        self._tell("attendance", day, "missed", START + day, codes, (), seat, late)

    def _correction(self, day: int) -> None:
        known = [seat for at, seat, _ in self.seats if at <= day]
        if not known:
            return
        now = self.random.choice(("attended", "excused", "no_show"))
        seat = self.random.choice(known)
        planned = next(f.day for f in self.facts["attendance"] if f.seat == seat)
        assert planned is not None
        numbers = (float(planned), 180.0, 0.0)
        self._tell("attendance", day, "corrected", planned, ("no_show", now), numbers, seat)

    def _hold_or_resume(self, day: int) -> None:
        if self.on_hold:
            self._tell("intake", day, "resumed", START + day)
        else:
            self._tell("intake", day, "held", START + day, (self.random.choice(("leave", "jail")),))
        self.on_hold = not self.on_hold

    def _work(self, day: int) -> None:
        if self.random.random() < 0.2:
            ending = self.random.choice(("declined_documented", "exhausted"))
            self._tell("alerts", day, "resolved", START + day, (ending,))
            return
        outcome = self.random.choice(
            ("no_answer", "reached_undecided", "reached_declined", "found_in_hospital")
        )
        self._tell("alerts", day, "outreach", START + day, ("phone", outcome))

    def _tell(  # noqa: PLR0913, PLR0917  # a fact has as many parts
        self,
        owner: str,
        day: int,
        what: str,
        about: int | None = None,
        codes: tuple[str, ...] = (),
        numbers: tuple[float, ...] = (),
        seat: str = "",
        late: int = 0,
    ) -> None:
        occurred = (START + day) * A_DAY + self.random.randrange(A_DAY)
        recorded = START + day + late
        self.facts[owner].append(
            Fact(recorded, occurred, owner, 0, what, about, codes, numbers, seat)
        )


def _numbered(told: list[Fact]) -> list[Fact]:
    return [replace(fact, sequence=number) for number, fact in enumerate(told, 1)]


@dataclass
class Play:
    """What the alerts service holds of one admission, and what it said, without a database."""

    row: Row = field(default_factory=lambda: Row.new(PERSON, "north", 0))
    known: list[Fact] = field(default_factory=list)
    concerns: dict[UUID, ConcernRow] = field(default_factory=dict)
    alerts: dict[UUID, AlertRow] = field(default_factory=dict)
    withdrawn: set[UUID] = field(default_factory=set)
    settled: list[Outcome] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    # What was raised while absence was expected.
    amiss: list[Outcome] = field(default_factory=list)
    # The story with everything told.
    present: Story = field(default_factory=Story)
    # The last batch, as it goes to the tables.
    made: Batch = field(default_factory=lambda: Batch(LADDER))

    def hear(self, fact: Fact) -> None:
        """One fact arrives."""
        self.row.record.waiting.append(fact)
        self.known.append(fact)
        made = self._batch()
        early = made.glimpse(self.row, self._before())
        self.present = early.story or self.present
        batches.tell(made, self.row, [], early)
        self._write(made.telling)

    def end(self, day: int) -> None:
        """A day is over."""
        made = self._batch()
        settled = record.settle(self.row.record, [day], LADDER, self._before())
        self.settled += settled.outcomes
        # A correction of the same day may put a pause back under what was raised before it.
        undone = any(fact.what == "corrected" and fact.recorded == day for fact in self.known)
        pauses = [] if undone else settled.story.pauses
        self.amiss += [
            outcome
            for outcome in settled.outcomes
            for reason, first, last in pauses
            if outcome.what == "raised" and outcome.level and first < day < (last or day + 1)
            # After the end of treatment the first visit elsewhere is still waited for.
            if (reason, outcome.kind) != ("discharge", "first_visit_missed")
        ]
        early = made.glimpse(self.row, self._before())
        self.present = early.story or settled.story
        batches.tell(made, self.row, settled.outcomes, early, settled.story)
        self._write(made.telling)

    def open_concerns(self) -> list[ConcernRow]:
        """The open list."""
        return [row for row in self.concerns.values() if row.ending is None]

    def result(self) -> object:
        """All that must not depend on the order of arrival."""
        held = sorted(
            (alert.alert_id, alert.day, alert.kind, alert.reasons, alert.alert_id in self.withdrawn)
            for alert in self.alerts.values()
            if alert.held
        )
        listed = [(r.concern_id, r.level, r.kind, r.reasons) for r in self.open_concerns()]
        return self.settled, held, listed, bytes(self.row.record.story)

    def _batch(self) -> Batch:
        self.row.record = record.decode(record.encode(self.row.record))
        made = Batch(LADDER, rows={PERSON: self.row}, sites={"north": SITE})
        made.now = datetime(2026, 3, 2, tzinfo=UTC)
        self.made = made
        return made

    def _before(self) -> list[Fact]:
        waiting = {(fact.owner, fact.sequence) for fact in self.row.record.waiting}
        return [fact for fact in self.known if (fact.owner, fact.sequence) not in waiting]

    def _write(self, telling: Telling) -> None:
        """As the statements of `board.py` do; test_alerts_tables.py holds the two together."""
        for row in sorted(telling.concerns.values(), key=lambda r: r.ending is None):
            old = self.concerns.get(row.concern_id)
            reasons = row.reasons or (old.reasons if old else [])
            self.concerns[row.concern_id] = dataclasses.replace(row, reasons=reasons)
        for alert in telling.alerts.values():
            before = self.alerts.get(alert.alert_id)
            self.alerts[alert.alert_id] = before if before and before.held else alert
            self.withdrawn.discard(alert.alert_id)
        self.withdrawn |= set(telling.withdrawn) & set(self.alerts)
        standing = telling.standing()
        for alert in self.alerts.values():
            if alert.concern_id in standing:
                holds = alert.level in standing[alert.concern_id]
                (self.withdrawn.discard if holds else self.withdrawn.add)(alert.alert_id)
        self.told += [type(event).__name__ for event in telling.events]


def orders(history: History, random: Random) -> Iterator[Fact | int]:
    """One arrival order: a fact, or an ordinal day that has just ended for everybody."""
    streams = {owner: deque(_stream(history.facts[owner], history.days)) for owner in OWNERS}
    closed = dict.fromkeys(OWNERS, -1)
    over = -1
    while any(streams.values()):
        # What the care team does comes in the day it is recorded in, never after its end.
        ready = [owner for owner, stream in streams.items() if stream]
        owner = random.choice(ready)
        for _ in range(random.choice((1, 1, 2, 6))):
            if not streams[owner]:
                break
            told = streams[owner].popleft()
            if isinstance(told, Fact):
                yield told
                continue
            closed[owner] = told
        while over < min(closed.values()):
            over += 1
            yield START + over


def _stream(facts: list[Fact], days: int) -> Iterator[Fact | int]:
    place = 0
    for day in range(days + 7):
        while place < len(facts) and facts[place].recorded <= START + day:
            yield facts[place]
            place += 1
        yield day
