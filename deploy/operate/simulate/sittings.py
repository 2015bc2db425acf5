"""A day's sessions: who is expected, who comes, and what the roster says of it."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from operate.simulate.desk import Command, Desk
from operate.simulate.person import Person, came, chance_of_coming, stayed_away
from operate.simulate.tracks import Slot, own_session, slot_on

PROGRAM = "iop-sud"
EXCUSED, LATE_CANCELLATION, WRONGLY_MISSED = 0.03, 0.25, 0.011
LATE, LEFT_EARLY, ONLINE = 0.15, 0.04, 0.1


@dataclass(frozen=True, slots=True)
class Mistake:
    """An attended seat that was written down as missed; `facts` are how it was."""

    person: Person
    session_key: str
    facts: Command


@dataclass(frozen=True, slots=True)
class Sitting:
    """One session of one day and the people expected."""

    key: str
    slot: Slot
    track: str
    people: tuple[Person, ...]

    @property
    def ends(self) -> time:
        """The local time of its end."""
        start = datetime.combine(date.min, self.slot.starts)
        return (start + timedelta(minutes=self.slot.minutes)).time()


def sittings_on(day: date, people: list[Person], rooms: int) -> list[Sitting]:
    """The sessions of this day for everyone in care, in the order of their keys."""
    seats: dict[tuple[str, Slot, str], list[Person]] = {}
    for person in people:
        slot = slot_on(person.track, person.sessions_per_week, day) if person.is_in_care else None
        if slot is None:
            continue
        own = own_session(slot, person.rng) if person.seen_on else slot
        room = f"p{person.number}" if own is not slot else f"room{person.number % rooms + 1}"
        key = f"{day}/{person.track}/{own.session_type}/{room}"
        seats.setdefault((key, own, person.track), []).append(person)
    return [
        Sitting(key, slot, track, tuple(seated))
        for (key, slot, track), seated in sorted(seats.items(), key=lambda item: item[0][0])
    ]


def announce(desk: Desk, sitting: Sitting) -> None:
    """Put the session on the schedule."""
    slot = sitting.slot
    desk.say(
        "attendance",
        "schedule_session",
        f"{sitting.key}/schedule",
        time(7, 0),
        site_id=desk.site_id,
        session_key=_session_key(desk, sitting),
        session_type=slot.session_type,
        modality=slot.modality,
        mode="in_person",
        planned_on=desk.day.isoformat(),
        starts_at=desk.moment(slot.starts),
        planned_minutes=slot.minutes,
        program_id=PROGRAM,
        track=sitting.track,
        roster=desk.roster(person.number for person in sitting.people),
    )


def cancel(desk: Desk, sitting: Sitting) -> None:
    """The programme does not hold the session: snow, or a burst pipe."""
    desk.say(
        "attendance",
        "cancel_session",
        f"{sitting.key}/cancel",
        time(7, 30),
        site_id=desk.site_id,
        session_key=_session_key(desk, sitting),
    )


def hold(desk: Desk, sitting: Sitting) -> list[Mistake]:
    """Hold the session and take its roster; the mistakes in it come to light tomorrow."""
    mistakes: list[Mistake] = []
    entries = [_entry(desk, sitting, person, mistakes) for person in sitting.people]
    desk.say(
        "attendance",
        "take_roster",
        f"{sitting.key}/roster",
        sitting.ends,
        site_id=desk.site_id,
        session_key=_session_key(desk, sitting),
        entries=entries,
    )
    return mistakes


def correct(desk: Desk, mistake: Mistake) -> None:
    """Put right what the roster had wrong."""
    number = mistake.person.number
    desk.say(
        "attendance",
        "correct_attendance",
        f"p{number}/correction/{desk.day}",
        time(9, 0),
        site_id=desk.site_id,
        session_key=mistake.session_key,
        admission_id=desk.person(number),
        now="attended",
        **mistake.facts,
    )
    mistake.person.note(desk.day, "corrected")


def _session_key(desk: Desk, sitting: Sitting) -> str:
    return f"{desk.site_id}/{sitting.key}"


def _entry(desk: Desk, sitting: Sitting, person: Person, mistakes: list[Mistake]) -> Command:
    rng, day, admission = person.rng, desk.day, desk.person(person.number)
    if not person.gone and rng.random() < EXCUSED:
        return {"admission_id": admission, "status": "excused"}
    if rng.random() >= chance_of_coming(person, day):
        return {"admission_id": admission, **_missed(person, day)}
    visit = _visit(sitting.slot, rng)
    wrongly = rng.random() < WRONGLY_MISSED
    came(person, day)
    if not wrongly:
        return {"admission_id": admission, "status": "attended", **visit}
    known = {name: visit[name] for name in ("minutes", "minutes_late")}
    facts: Command = {**known, "attended_on": day.isoformat()}
    mistakes.append(Mistake(person, _session_key(desk, sitting), facts))
    return {"admission_id": admission, "status": "no_show", "reason": "unknown"}


def _missed(person: Person, day: date) -> Command:
    calls = not person.gone and person.rng.random() < LATE_CANCELLATION
    reason = (person.barrier if not person.gone else "") or "unknown"
    stayed_away(person, day)
    return {"status": "late_cancellation" if calls else "no_show", "reason": reason}


def _visit(slot: Slot, rng: Random) -> Command:
    late = rng.randint(5, 30) if rng.random() < LATE else 0
    early = rng.randint(20, 60) if rng.random() < LEFT_EARLY else 0
    return {
        "minutes": slot.minutes - late - early,
        "minutes_late": late,
        "left_early": early > 0,
        "mode": "online" if rng.random() < ONLINE else "in_person",
    }
