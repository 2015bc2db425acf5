"""The story at the end: who was flagged, why, what was done and what happened next."""

from collections import Counter
from datetime import date

from operate.simulate.answers import Alert, Concern
from operate.simulate.clinic import FIRST_DAY
from operate.simulate.play import Played
from operate.simulate.team import LIST_ONLY, Attempt

LEVELS = ("safety", "high", "elevated", "on the watch list")
PEOPLE_TOLD = 5
SOON = 7
CHANNELS = {"phone": "phone", "text": "text", "in_person": "a visit", "letter": "letter"}
OUTCOMES = {
    "reached_returning": "reached, wants to come back",
    "reached_undecided": "reached, undecided",
    "reached_declined": "reached, does not want to go on",
    "left_neutral_message": "a neutral message left",
    "no_answer": "no answer",
    "bad_number": "the number did not work",
    "support_person_reached": "support person reached",
    "found_in_hospital": "found in hospital",
}
HAPPENED = {
    "corrected": "the roster was corrected: they had been there",
    "first_visit_kept": "the first aftercare visit was kept",
    "first_visit_missed": "the first aftercare visit was missed",
    "held_hospital": "put on hold while in hospital",
    "held_leave": "went on leave",
    "resumed": "care was resumed",
    "dropped_out": "discharged, having left",
    "completed": "completed the program and stepped down",
    "transferred": "transferred",
    "incarcerated": "discharged to jail",
}
ENDINGS = {
    "returned": "they were seen in a session again, so the concern closed",
    "transferred_and_seen": "they were seen at the next place, so the concern closed",
    "declined_documented": "the wish was documented and the concern closed",
    "exhausted": "all agreed attempts were made",
    "withdrawn": "the alert was withdrawn",
    "discharged": "the concern ended with the discharge",
}


def census(played: Played) -> str:
    """Who is where on the last day."""
    people = played.clinic.people
    now = Counter(person.ended_for or person.status for person in people)
    admitted = [person for person in people if person.admitted_on != date.max]
    evening = sum(person.track == "evening" for person in admitted)
    words = {
        "admitted": "in care",
        "on_hold": "on hold",
        "completed": "completed",
        "dropped_out": "left",
        "transferred": "transferred",
        "incarcerated": "in jail",
        "lost": "never began",
        "awaited": "awaited",
    }
    where = ", ".join(f"{now[name]} {word}" for name, word in words.items() if now[name])
    return (
        f"{played.days} days, {len(people)} people referred, {len(admitted)} admitted "
        f"({len(admitted) - evening} day track, {evening} evening track), "
        f"{played.clinic.sessions} sessions held. At the end: {where}."
    )


def flagged(played: Played) -> str:
    """How many people were flagged, by their most serious level."""
    worst: dict[int, int] = {}
    for concern in played.concerns.values():
        number = played.number_of(concern)
        levels = [concern.level, *(alert.level for alert in concern.alerts)]
        worst[number] = min(*levels, worst.get(number, LIST_ONLY))
    by_level = Counter(worst.values())
    parts = [f"{by_level[n]} {word}" for n, word in enumerate(LEVELS) if by_level[n]]
    return f"Flagged: {len(worst)} people, by most serious level: {', '.join(parts) or 'none'}."


def totals(played: Played) -> str:
    """Alerts, what was acknowledged, who returned soon and what is still open."""
    concerns = played.concerns.values()
    back = sum(
        (c.closed_on - c.opened_on).days <= SOON
        for c in concerns
        if c.ending == "returned" and c.closed_on
    )
    still_open = sum(c.ending is None for c in concerns)
    return (
        f"Alerts: {len(played.alerts())} on {len(played.concerns)} concerns; "
        f"{played.team.taken_on} acknowledged; {len(played.team.attempts)} attempts to reach; "
        f"{back} returned within {SOON} days; {still_open} still open."
    )


def people_told(played: Played) -> list[str]:
    """Up to five people of different stories, one short paragraph each."""
    chosen: dict[int, Concern] = {}
    for is_such in (_came_back, _was_mistaken, _missed_first_visit, _is_silent, _is_safety):
        for concern in sorted(played.concerns.values(), key=lambda c: _liveliest(played, c)):
            number = played.number_of(concern)
            if number and number not in chosen and is_such(played, concern):
                chosen[number] = concern
                break
    return [tell(played, concern) for concern in list(chosen.values())[:PEOPLE_TOLD]]


def tell(played: Played, concern: Concern) -> str:
    """One person's paragraph."""
    person = played.clinic.person(played.number_of(concern))
    alerts = sorted(concern.alerts, key=lambda alert: alert.level)
    reasons = alerts[0].reasons if alerts else concern.reasons
    why = (
        f"[bold]Person {person.number}, {person.track} track.[/bold] Flagged on day "
        f"{_day(concern.opened_on)} ({_rise(alerts) or LEVELS[concern.level]}): "
        f"{'; '.join(reason.split(' (')[0] for reason in reasons[:3])}."
    )
    told = (why, _tried(_attempts(played, concern)), _after(played, concern))
    return " ".join(filter(None, told))


def _rise(alerts: list[Alert]) -> str:
    """The level first told, and when it rose to the most serious; empty without an alert."""
    if not alerts:
        return ""
    worst, first = alerts[0], alerts[-1]
    if worst.day == first.day:
        return LEVELS[worst.level]
    return f"{LEVELS[first.level]}, {LEVELS[worst.level]} on day {_day(worst.day)}"


def _tried(attempts: list[Attempt]) -> str:
    if not attempts:
        return ""
    shown = attempts if len(attempts) <= 3 else [attempts[0], attempts[-1]]
    words = "; ".join(
        f"day {_day(a.day)} by {CHANNELS[a.channel]}: {OUTCOMES[a.outcome]}" for a in shown
    )
    more = f" (and {len(attempts) - len(shown)} between)" if len(shown) < len(attempts) else ""
    return f"Reached out {words}{more}."


def _after(played: Played, concern: Concern) -> str:
    person = played.clinic.person(played.number_of(concern))
    until = concern.closed_on or date.max
    since = [
        (day, HAPPENED[what])
        for day, what in person.diary
        if what in HAPPENED and concern.opened_on < day <= until
    ]
    ends = [(until, ENDINGS.get(concern.ending, concern.ending))] if concern.ending else []
    happened: dict[date, list[str]] = {}
    for day, words in [*since[-2:], *ends]:
        happened.setdefault(day, []).append(words)
    told = [f"on day {_day(day)} {', and '.join(words)}" for day, words in happened.items()]
    if not concern.ending:
        told.append("still open, and held until the person is back or safely elsewhere")
    words = "; ".join(told)
    return f"{words[0].upper()}{words[1:]}."


def _attempts(played: Played, concern: Concern) -> list[Attempt]:
    return [a for a in played.team.attempts if a.concern_id == concern.concern_id]


def _liveliest(played: Played, concern: Concern) -> tuple[bool, int, date, int]:
    """Stories with two or three attempts first, the more serious before the others."""
    tries = len(_attempts(played, concern))
    return (tries not in (2, 3), concern.level, concern.opened_on, played.number_of(concern))


def _came_back(played: Played, concern: Concern) -> bool:
    reached = any(a.outcome == "reached_returning" for a in _attempts(played, concern))
    return concern.ending == "returned" and reached


def _was_mistaken(_played: Played, concern: Concern) -> bool:
    return concern.ending == "withdrawn" and bool(concern.alerts)


def _missed_first_visit(_played: Played, concern: Concern) -> bool:
    return concern.kind == "first_visit_missed"


def _is_silent(played: Played, concern: Concern) -> bool:
    gone = played.clinic.person(played.number_of(concern)).gone
    return concern.ending is None and gone and len(_attempts(played, concern)) > 2


def _is_safety(_played: Played, concern: Concern) -> bool:
    return concern.level == 0


def _day(day: date) -> int:
    return (day - FIRST_DAY).days + 1
