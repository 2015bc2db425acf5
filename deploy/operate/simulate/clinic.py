"""The simulated programme: lives one day after the other and says what a clinic would record."""

from datetime import date, time, timedelta
from random import Random

from operate.simulate import arrivals, hand_offs, sittings
from operate.simulate.desk import TIME_ZONE, Command, Desk
from operate.simulate.hand_offs import HandOff
from operate.simulate.person import Person, answer, live
from operate.simulate.sittings import Mistake, Sitting
from operate.simulate.tracks import ROOM_SEATS, weekly_minutes

FIRST_DAY = date(2026, 1, 5)
SNOW_DAY = 0.02
TRANSFER_A_DAY, JAIL_A_DAY = 0.0008, 0.0003
LIGHTER_PLAN_AFTER, LIGHTER_PLAN = 28, 0.6
FEWEST_SESSIONS = 3
# Seen within this many days at the planned end is a completion.
LATELY = 7
MEASURED_EVERY = timedelta(days=14)
# About one a week of each.
SCREEN_SHARE, CHECK_IN_SHARE = 0.3, 0.25
SAFETY_SHARE = 0.004
SUBSTANCES = ("alcohol", "opioids", "cocaine", "cannabis", "amphetamines")


class Clinic:
    """Seeded and without I/O: the same seed and the same answers give the same commands."""

    def __init__(self, site_id: str, patients: int, days: int, seed: int) -> None:
        """`patients` people are referred over `days` days."""
        self.site_id, self.seed = site_id, seed
        self.people = arrivals.people(seed, patients, days, FIRST_DAY)
        self.rooms = 1 + patients // (2 * ROOM_SEATS)
        self.hand_offs: dict[int, HandOff] = {}
        self.mistakes: list[Mistake] = []
        self.sessions = 0

    def person(self, number: int) -> Person:
        """The person with this number."""
        return self.people[number - 1]

    def reach(self, number: int, channel: str, day: date) -> str:
        """What the care team's attempt to reach a person comes to."""
        if number in self.hand_offs:
            return hand_offs.answer(self.hand_offs[number], day)
        return answer(self.person(number), channel, day)

    def is_put_right(self, number: int) -> bool:
        """Whether the person's last miss is already known to be a mistake."""
        return any(mistake.person.number == number for mistake in self.mistakes)

    def live(self, day: date) -> dict[str, list[Command]]:
        """The commands of this day, by service. Call it once a day, in order."""
        desk = Desk(self.site_id, day)
        for mistake in self.mistakes:
            sittings.correct(desk, mistake)
        for person in self.people:
            _before_sessions(desk, person)
        self.mistakes = self._hold_sessions(desk)
        for person in self.people:
            if person.status == "on_hold" and day >= person.away_until:
                _resume(desk, person)
            if _is_complete(person, day):
                _end(desk, person, "completed", time(21, 0))
                self.hand_offs[person.number] = hand_offs.start(desk, person)
        for hand_off in self.hand_offs.values():
            if hand_off.started_on < day:
                hand_offs.go_on(desk, hand_off)
        return desk.commands

    def _hold_sessions(self, desk: Desk) -> list[Mistake]:
        planned = sittings.sittings_on(desk.day, self.people, self.rooms)
        for sitting in planned:
            sittings.announce(desk, sitting)
        if Random(f"{self.seed}/weather/{desk.day}").random() < SNOW_DAY:
            for sitting in planned:
                sittings.cancel(desk, sitting)
            return []
        self.sessions += len(planned)
        mistakes: list[Mistake] = []
        for sitting in planned:
            mistakes += sittings.hold(desk, sitting)
            _screen_and_measure(desk, sitting)
        return mistakes


def _before_sessions(desk: Desk, person: Person) -> None:
    day = desk.day
    if person.referred_on == day:
        desk.say(
            "intake",
            "receive_referral",
            f"p{person.number}",
            time(8, 30),
            site_id=desk.site_id,
            time_zone=TIME_ZONE,
            clock="replay",
            referral_source=person.rng.choice(arrivals.REFERRED_BY),
        )
    if person.due_on == day:
        _decide_intake(desk, person)
    if person.status not in ("admitted", "on_hold"):
        return
    live(person, day)
    _pause(desk, person)
    if person.is_in_care and person.admitted_on < day:
        _adjust(desk, person)


def _decide_intake(desk: Desk, person: Person) -> None:
    if person.lost_for:
        person.status = "lost"
        _say(desk, person, "lose_referral", time(9, 0), reason=person.lost_for)
        return
    person.status, person.admitted_on = "admitted", desk.day
    _assess(desk, person)
    _say(
        desk,
        person,
        "complete_intake",
        time(9, 0),
        admitted_on=desk.day.isoformat(),
        program_id=sittings.PROGRAM,
        track=person.track,
        level_of_care="2.1",
        weekly_minutes=weekly_minutes(person.track, person.sessions_per_week),
        sessions_per_week=person.sessions_per_week,
    )


def _assess(desk: Desk, person: Person) -> None:
    _say(
        desk,
        person,
        "assess_eligibility",
        time(8, 30),
        needs_24h_supervision=False,
        symptoms_stable=True,
        home_safe=True,
        home_supportive=True,
    )
    today = desk.day.isoformat()
    _say(
        desk, person, "acknowledge_policy", time(8, 45), policy="attendance", acknowledged_on=today
    )


def _pause(desk: Desk, person: Person) -> None:
    if person.is_in_care and desk.day < person.away_until and person.away_known:
        person.status = "on_hold"
        person.note(desk.day, f"held_{person.away_for}")
        _say(desk, person, "put_on_hold", time(10, 30), reason=person.away_for)


def _resume(desk: Desk, person: Person) -> None:
    """End a pause, in the evening: sessions begin again the next day."""
    person.status, person.away_known, person.misses_in_row = "admitted", False, 0
    person.note(desk.day, "resumed")
    _say(desk, person, "resume", time(21, 30))


def _adjust(desk: Desk, person: Person) -> None:
    rng, days = person.rng, (desk.day - person.admitted_on).days
    if desk.day >= person.leaves_on:
        _end(desk, person, "dropped_out", time(16, 0))
    elif rng.random() < TRANSFER_A_DAY and not person.gone:
        _end(desk, person, "transferred", time(16, 0))
    elif rng.random() < JAIL_A_DAY:
        _end(desk, person, "incarcerated", time(16, 0))
    elif days == LIGHTER_PLAN_AFTER and _may_lighten(person):
        _lighten(desk, person)


def _may_lighten(person: Person) -> bool:
    is_steady = person.misses_in_row == 0 and person.sessions_per_week > FEWEST_SESSIONS
    return is_steady and person.rng.random() < LIGHTER_PLAN


def _lighten(desk: Desk, person: Person) -> None:
    person.sessions_per_week -= 1
    _say(
        desk,
        person,
        "change_plan",
        time(8, 50),
        weekly_minutes=weekly_minutes(person.track, person.sessions_per_week),
        sessions_per_week=person.sessions_per_week,
    )


def _is_complete(person: Person, day: date) -> bool:
    if not person.is_in_care or person.gone or person.seen_on is None:
        return False
    over = day >= person.admitted_on + timedelta(weeks=person.weeks)
    return over and person.seen_on == day


def _end(desk: Desk, person: Person, reason: str, at: time) -> None:
    person.status, person.ended_on, person.ended_for = "ended", desk.day, reason
    person.note(desk.day, reason)
    _say(desk, person, "discharge", at, reason=reason, discharged_on=desk.day.isoformat())


def _screen_and_measure(desk: Desk, sitting: Sitting) -> None:
    for person in sitting.people:
        if person.seen_on != desk.day:
            continue
        rng, admission = person.rng, desk.person(person.number)
        if rng.random() < SCREEN_SHARE:
            used = rng.random() < (0.6 if person.barrier == "return_to_use" else 0.08)
            positives = [rng.choice(SUBSTANCES)] if used else []
            key = f"p{person.number}/screen/{desk.day}"
            facts: Command = {"admission_id": admission, "positives": positives}
            desk.say("attendance", "record_screen", key, sitting.ends, **facts)
        if rng.random() < CHECK_IN_SHARE:
            _check_in(desk, person, sitting.ends)
        if desk.day >= person.measured_on:
            person.measured_on = desk.day + MEASURED_EVERY
            _measure(desk, person, sitting.ends)


def _check_in(desk: Desk, person: Person, at: time) -> None:
    desk.say(
        "attendance",
        "record_measure",
        f"p{person.number}/check-in/{desk.day}",
        at,
        admission_id=desk.person(person.number),
        instrument="withdrawal",
        score=min(5, max(1, round(person.severity / 6 + person.rng.gauss(0, 0.7)))),
        safety=False,
    )


def _measure(desk: Desk, person: Person, at: time) -> None:
    rng = person.rng
    person.severity = max(0.0, person.severity + rng.gauss(-0.8, 2))
    for instrument, most in (("phq-9", 27), ("gad-7", 21)):
        safety = instrument == "phq-9" and rng.random() < SAFETY_SHARE
        desk.say(
            "attendance",
            "record_measure",
            f"p{person.number}/{instrument}/{desk.day}",
            at,
            admission_id=desk.person(person.number),
            instrument=instrument,
            score=min(most, max(int(safety), round(person.severity + rng.gauss(0, 2)))),
            safety=safety,
        )


def _say(desk: Desk, person: Person, do: str, at: time, **facts: object) -> None:
    key = f"p{person.number}/{do.replace('_', '-')}/{desk.day}"
    desk.say("intake", do, key, at, referral_key=desk.person(person.number), **facts)
