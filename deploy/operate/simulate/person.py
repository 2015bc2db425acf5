"""One simulated person: how likely they come, what keeps them away, and how they answer."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from math import exp
from random import Random

# Early weeks are the weakest: log-odds of coming, by week since admission.
EARLY = (-1.1, -0.7, -0.3, 0.0)
MISS_WEIGHT = -0.7
BARRIER_WEIGHT = -1.8
COURAGE_WEIGHT = 1.2
# The chance to stay away for good after the nth miss in a row.
LEAVING = (0.0, 0.15, 0.36, 0.5)
EARLY_LEAVING = 1.6
BARRIERS = ("transport", "childcare", "work", "illness", "return_to_use")
BARRIER_A_DAY = 0.018
# Kind, chance a day, chance that the programme is told.
AWAY = (("hospital", 0.0015, 0.5), ("leave", 0.0008, 1.0))
CHANNEL_REACH = {"phone": 1.0, "text": 0.85, "in_person": 1.1, "letter": 0.35}


@dataclass(slots=True)
class Person:
    """Someone referred to the programme; `number` is all the name they have."""

    number: int
    rng: Random
    track: str
    sessions_per_week: int
    weeks: int
    referred_on: date
    due_on: date
    lost_for: str
    engagement: float
    answering: float
    status: str = "awaited"
    admitted_on: date = date.max
    seen_on: date | None = None
    ended_on: date | None = None
    ended_for: str = ""
    misses_in_row: int = 0
    barrier: str = ""
    barrier_until: date = date.min
    courage_until: date = date.min
    away_until: date = date.min
    away_for: str = ""
    # Known to the programme: a hold is due.
    away_known: bool = False
    gone: bool = False
    silent: bool = False
    leaves_on: date = date.max
    measured_on: date = date.min
    severity: float = 12.0
    diary: list[tuple[date, str]] = field(default_factory=list)

    @property
    def is_in_care(self) -> bool:
        """Admitted and not on hold."""
        return self.status == "admitted"

    def note(self, day: date, what: str) -> None:
        """Keep what happened, for the story at the end."""
        self.diary.append((day, what))


def live(person: Person, day: date) -> None:
    """A day of ordinary life: engagement drifts, barriers come and go."""
    rng = person.rng
    person.engagement += rng.gauss(0.002, 0.05)
    if person.barrier and day > person.barrier_until:
        person.barrier = ""
    if not person.barrier and rng.random() < BARRIER_A_DAY:
        person.barrier = rng.choice(BARRIERS)
        person.barrier_until = day + timedelta(days=rng.randint(2, 7))
    if person.is_in_care and not person.gone and day > person.away_until:
        _go_away(person, day)


def _go_away(person: Person, day: date) -> None:
    for kind, chance, told in AWAY:
        if person.rng.random() < chance:
            person.away_for = kind
            person.away_until = day + timedelta(days=person.rng.randint(4, 9))
            person.away_known = person.rng.random() < told
            return


def chance_of_coming(person: Person, day: date) -> float:
    """How likely the person comes to a session on this day."""
    if person.gone or day <= person.away_until:
        return 0.0
    week = (day - person.admitted_on).days // 7
    odds = person.engagement + EARLY[min(week, len(EARLY) - 1)]
    odds += MISS_WEIGHT * min(person.misses_in_row, 3)
    odds += BARRIER_WEIGHT * bool(person.barrier)
    odds += COURAGE_WEIGHT * (day <= person.courage_until)
    return 1 / (1 + exp(-odds))


def came(person: Person, day: date) -> None:
    """The person was there."""
    if person.misses_in_row >= 2:
        person.note(day, "returned")
    person.misses_in_row, person.seen_on = 0, day


def stayed_away(person: Person, day: date) -> None:
    """A miss makes the next one likelier, and may be the last that is seen of the person."""
    person.misses_in_row += 1
    if person.gone or day <= person.away_until:
        return
    leaving = LEAVING[min(person.misses_in_row, len(LEAVING) - 1)]
    if (day - person.admitted_on).days < 14:
        leaving *= EARLY_LEAVING
    if person.rng.random() < leaving:
        person.gone = True
        person.silent = person.rng.random() < 0.45
        seen = person.seen_on or person.admitted_on
        person.leaves_on = seen + timedelta(days=person.rng.randint(26, 34))


def answer(person: Person, channel: str, day: date) -> str:
    """What an attempt to reach the person comes to, and what it changes for them."""
    rng = person.rng
    if day <= person.away_until:
        person.away_known = person.away_known or rng.random() < 0.6
        found = person.away_known and person.away_for == "hospital"
        return "found_in_hospital" if found else "no_answer"
    reach = person.answering * CHANNEL_REACH[channel]
    if (person.gone and person.silent) or rng.random() > reach:
        return _unanswered(person)
    returning, undecided = (0.55, 0.32) if person.gone else (0.8, 0.18)
    throw = rng.random()
    if throw < returning:
        _take_heart(person, day)
        return "reached_returning"
    if throw < returning + undecided:
        return "reached_undecided"
    _part(person, day)
    return "reached_declined"


def _unanswered(person: Person) -> str:
    outcomes = ("no_answer", "left_neutral_message", "support_person_reached", "bad_number")
    return person.rng.choices(outcomes, (60, 30, 5, 5))[0]


def _take_heart(person: Person, day: date) -> None:
    person.gone = False
    person.leaves_on = date.max
    person.courage_until = day + timedelta(days=10)
    if person.rng.random() < 0.7:
        person.barrier = ""


def _part(person: Person, day: date) -> None:
    person.gone = person.silent = True
    person.leaves_on = day + timedelta(days=person.rng.randint(3, 7))
