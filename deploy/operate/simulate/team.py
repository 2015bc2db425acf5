"""The simulated care team: takes on open concerns, tries to reach people, notes what came of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, time, timedelta
from random import Random
from uuid import UUID

from operate.simulate.desk import Desk
from operate.simulate.tracks import SUN

LIST_ONLY = 3
TAKEN_ON = 0.93
CHANNELS = ("phone", "phone", "text", "in_person", "letter")
MOST_ATTEMPTS = 8
# Days until the next attempt, by outcome; one day where nothing else is said.
NEXT_IN = {
    "reached_returning": 4,
    "reached_undecided": 2,
    "reached_declined": 60,
    "support_person_reached": 2,
    "found_in_hospital": 10,
}

Reach = Callable[[int, str, date], str]


@dataclass(frozen=True, slots=True)
class Matter:
    """An open concern, as far as the care team needs it."""

    concern_id: UUID
    number: int
    level: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to reach a person, and its outcome."""

    day: date
    number: int
    concern_id: UUID
    channel: str
    outcome: str


@dataclass(slots=True)
class Case:
    """What the team keeps of one concern."""

    level: int = LIST_ONLY
    attempts: int = 0
    next_on: date = date.min


class Team:
    """Works through the list once a day, person by person."""

    def __init__(self, seed: int) -> None:
        """The same seed and the same list give the same work."""
        self.seed = seed
        self.cases: dict[UUID, Case] = {}
        self.attempts: list[Attempt] = []

    @property
    def taken_on(self) -> int:
        """How many concerns someone has acknowledged."""
        return sum(case.level < LIST_ONLY for case in self.cases.values())

    def work(self, desk: Desk, matters: Iterable[Matter], reach: Reach) -> None:
        """A day's work on the open list, in the order of the people."""
        for matter in sorted(matters, key=lambda m: m.number):
            rng = Random(f"{self.seed}/team/{desk.day}/{matter.number}")
            off = desk.day.weekday() == SUN and matter.level > 0
            if matter.level < LIST_ONLY and not off:
                self._take_on(desk, matter, rng)
                self._attempt(desk, matter, reach)

    def _take_on(self, desk: Desk, matter: Matter, rng: Random) -> None:
        case = self.cases.setdefault(matter.concern_id, Case())
        if matter.level >= case.level or (matter.level > 0 and rng.random() > TAKEN_ON):
            return
        case.level, case.next_on = matter.level, desk.day
        key = f"p{matter.number}/acknowledge/{desk.day}"
        desk.say("alerts", "acknowledge", key, time(9, 30), concern_id=str(matter.concern_id))

    def _attempt(self, desk: Desk, matter: Matter, reach: Reach) -> None:
        case = self.cases[matter.concern_id]
        waits = case.level == LIST_ONLY or desk.day < case.next_on
        if waits or case.attempts >= MOST_ATTEMPTS:
            return
        channel = CHANNELS[min(case.attempts, len(CHANNELS) - 1)]
        outcome = reach(matter.number, channel, desk.day)
        case.attempts += 1
        pause = NEXT_IN.get(outcome, 1 if case.attempts < len(CHANNELS) else 5)
        case.next_on = desk.day + timedelta(days=pause)
        attempt = Attempt(desk.day, matter.number, matter.concern_id, channel, outcome)
        self.attempts.append(attempt)
        desk.say(
            "alerts",
            "record_outreach",
            f"p{matter.number}/outreach/{desk.day}",
            time(10, 0),
            concern_id=str(matter.concern_id),
            channel=channel,
            outcome=outcome,
        )
