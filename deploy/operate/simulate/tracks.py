"""The week of the simulated programme: a day and an evening track, and who sits where."""

from dataclasses import dataclass, replace
from datetime import date, time
from random import Random
from types import MappingProxyType

MON, TUE, WED, THU, FRI, SAT, SUN = range(7)
ROOM_SEATS = 12
# Now and then a place in the group is given to something of one's own.
OWN_SESSIONS = (
    ("individual", "mi", 0.11),
    ("family", "other", 0.05),
    ("medication", "medication", 0.04),
)
OWN_MINUTES = 120


@dataclass(frozen=True, slots=True)
class Slot:
    """One place in the week."""

    weekday: int
    starts: time
    minutes: int
    session_type: str
    modality: str


# In the order in which a plan of 3, 4 or 5 sessions a week takes them.
TRACKS = MappingProxyType(
    {
        "day": (
            Slot(MON, time(9, 30), 180, "group", "cbt"),
            Slot(WED, time(9, 30), 180, "group", "mi"),
            Slot(FRI, time(9, 30), 180, "group", "relapse_prevention"),
            Slot(TUE, time(9, 30), 180, "group", "mindfulness"),
            Slot(THU, time(10, 0), 150, "workshop", "job_skills"),
        ),
        "evening": (
            Slot(MON, time(17, 30), 180, "group", "cbt"),
            Slot(WED, time(17, 30), 180, "group", "relapse_prevention"),
            Slot(THU, time(17, 30), 180, "group", "mi"),
            Slot(TUE, time(17, 30), 120, "group", "yoga"),
            Slot(SAT, time(9, 0), 240, "workshop", "life_skills"),
        ),
    }
)


def slots_of(track: str, sessions_per_week: int) -> tuple[Slot, ...]:
    """The places in the week that a plan of so many sessions takes."""
    return TRACKS[track][:sessions_per_week]


def slot_on(track: str, sessions_per_week: int, day: date) -> Slot | None:
    """The place on this day, if the plan has one."""
    slots = slots_of(track, sessions_per_week)
    return next((slot for slot in slots if slot.weekday == day.weekday()), None)


def weekly_minutes(track: str, sessions_per_week: int) -> int:
    """The dose that the plan prescribes."""
    return sum(slot.minutes for slot in slots_of(track, sessions_per_week))


def own_session(slot: Slot, rng: Random) -> Slot:
    """The slot itself, or something of one's own at its hour."""
    throw = rng.random()
    for session_type, modality, share in OWN_SESSIONS:
        throw -= share
        if throw < 0:
            return replace(slot, session_type=session_type, modality=modality, minutes=OWN_MINUTES)
    return slot
