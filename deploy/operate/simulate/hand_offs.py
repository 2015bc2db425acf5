"""What comes after the programme: the step-down, its first visit and the follow-ups."""

from dataclasses import dataclass
from datetime import date, time, timedelta
from random import Random

from operate.simulate.desk import Desk
from operate.simulate.person import Person

PLACES = (
    ("outpatient", "riverside-outpatient", 60),
    ("therapy", "oak-street-therapy", 25),
    ("community", "recovery-cafe", 15),
)
KEPT, KEPT_LATER = 0.68, 0.85
FOLLOW_UP_DAYS = (7, 14, 30)
FOLLOWED_UP = 0.75


@dataclass(slots=True)
class HandOff:
    """One person on the way to the next place."""

    person: Person
    rng: Random
    started_on: date
    visit_on: date
    missed: bool = False
    kept: bool = False


def start(desk: Desk, person: Person) -> HandOff:
    """Hand a person who completed on to the next place."""
    rng = person.rng
    destination, receiver, _ = rng.choices(PLACES, [weight for *_, weight in PLACES])[0]
    visit_on = desk.day + timedelta(days=rng.randint(2, 6))
    desk.say(
        "aftercare",
        "start_step_down",
        f"p{person.number}/step-down",
        time(21, 10),
        admission_id=desk.person(person.number),
        destination=destination,
        receiver=receiver,
        first_visit_on=visit_on.isoformat(),
    )
    return HandOff(person, rng, desk.day, visit_on)


def go_on(desk: Desk, hand_off: HandOff) -> None:
    """A day of a hand-off."""
    days = (desk.day - hand_off.started_on).days
    if days == 1:
        _say(desk, hand_off, "accept_step_down", time(10, 0))
    if desk.day == hand_off.visit_on and not hand_off.kept:
        _first_visit(desk, hand_off)
    if days in FOLLOW_UP_DAYS and hand_off.rng.random() < FOLLOWED_UP:
        _say(desk, hand_off, "complete_follow_up", time(15, 0), follow_up_day=days)


def _first_visit(desk: Desk, hand_off: HandOff) -> None:
    person, day = hand_off.person, desk.day
    if hand_off.rng.random() < (KEPT_LATER if hand_off.missed else KEPT):
        hand_off.kept = True
        person.note(day, "first_visit_kept")
        _say(desk, hand_off, "keep_first_visit", time(14, 0), visited_on=day.isoformat())
    elif not hand_off.missed:
        hand_off.missed = True
        person.note(day, "first_visit_missed")
        _say(desk, hand_off, "miss_first_visit", time(17, 0))


def answer(hand_off: HandOff, day: date) -> str:
    """What an attempt to reach someone after a missed first visit comes to."""
    rng = hand_off.rng
    if rng.random() > hand_off.person.answering:
        return rng.choice(("no_answer", "left_neutral_message"))
    if rng.random() < 0.75:
        hand_off.visit_on = day + timedelta(days=rng.randint(1, 3))
        return "reached_returning"
    return "reached_undecided"


def _say(desk: Desk, hand_off: HandOff, do: str, at: time, **facts: object) -> None:
    number = hand_off.person.number
    key = f"p{number}/{do.replace('_', '-')}/{desk.day}"
    desk.say("aftercare", do, key, at, step_down_id=desk.hand_off(number), **facts)
