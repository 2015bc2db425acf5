"""Who is referred to the simulated programme, when, and with what in their bag."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from operate.simulate.person import Person
from operate.simulate.tracks import SAT, slot_on

FIRST_WEEK_SHARE = 0.45
LATEST_SHARE = 0.75
LOST_SHARE = 0.1
LOST_FOR = ("not_reached", "declined", "referred_elsewhere", "not_eligible")
REFERRED_BY = ("inpatient", "emergency_department", "self", "primary_care", "court", "other")
WEEKS = (3, 4, 5, 6, 8, 10)
WEEKS_WEIGHTS = (10, 20, 20, 20, 15, 15)
ONE_DAY = timedelta(days=1)


def people(seed: int, patients: int, days: int, first_day: date) -> list[Person]:
    """The people of this seed, in the order of their referral, numbered from 1."""
    drawn = [_draw(Random(f"{seed}/person/{n}"), days, first_day) for n in range(patients)]
    drawn.sort(key=lambda person: (person.referred_on, person.due_on))
    for number, person in enumerate(drawn, 1):
        person.number = number
    if drawn:
        # A site is known from its first referral on.
        drawn[0].referred_on = first_day
    return drawn


def _draw(rng: Random, days: int, first_day: date) -> Person:
    track = rng.choices(("day", "evening"), (45, 55))[0]
    sessions = rng.choices((3, 4, 5), (55, 30, 15))[0]
    early = rng.random() < FIRST_WEEK_SHARE
    offset = rng.randint(0, 4 if early else max(4, int(days * LATEST_SHARE)))
    due_on = next(
        day for day in _days_from(first_day + offset * ONE_DAY) if _may_begin(track, sessions, day)
    )
    return Person(
        number=0,
        rng=rng,
        track=track,
        sessions_per_week=sessions,
        weeks=rng.choices(WEEKS, WEEKS_WEIGHTS)[0],
        referred_on=max(first_day, due_on - rng.randint(1, 6) * ONE_DAY),
        due_on=due_on,
        lost_for=rng.choice(LOST_FOR) if rng.random() < LOST_SHARE else "",
        engagement=rng.gauss(2.9, 1.0),
        answering=min(0.9, max(0.15, rng.gauss(0.6, 0.15))),
        severity=max(2.0, rng.gauss(12, 4)),
    )


def _days_from(day: date) -> Iterator[date]:
    while True:
        yield day
        day += ONE_DAY


def _may_begin(track: str, sessions: int, day: date) -> bool:
    """A weekday from which the first session is at most a day away."""
    near = slot_on(track, sessions, day) or slot_on(track, sessions, day + ONE_DAY)
    return day.weekday() < SAT and near is not None
