"""What happens in the year: five sites, their people, late and corrected rosters, from a seed."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

# Four that change their clocks in spring and autumn, on different days, and one that does not.
SITES = (
    ("east", "America/New_York"),
    ("central", "America/Chicago"),
    ("west", "America/Los_Angeles"),
    ("desert", "America/Phoenix"),
    ("rhine", "Europe/Berlin"),
)
FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)
GROUP_WEEKDAYS = (0, 2, 4)
REASONS = (
    ("completed", 46),
    ("dropped_out", 32),
    ("transferred", 9),
    ("terminated_by_facility", 4),
    ("incarcerated", 3),
    ("other", 4),
    ("died", 2),
)
SOURCES = (("inpatient", 35), ("emergency_department", 25), ("self", 30), ("court", 10))
SEATS = (("attended", 76), ("no_show", 14), ("late_cancellation", 4), ("excused", 6))

Command = dict[str, Any]


@dataclass(slots=True)
class Person:
    """One admission; `key` names it in commands until its identifier is known."""

    key: str
    admitted: date
    ends: date
    reason: str
    faith: float


@dataclass(slots=True)
class Story:
    """A site's commands by service and the local day in which they are recorded."""

    site_id: str
    zone: ZoneInfo
    rng: Random
    commands: dict[str, dict[date, list[tuple[datetime, Command]]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    open: list[Person] = field(default_factory=list)
    count: int = 0

    def say(
        self,
        service: str,
        do: str,
        key: str,
        happened: datetime,
        recorded: datetime | None = None,
        **facts: object,
    ) -> None:
        """A command in the day in which it is recorded; what comes after the year is left out."""
        known = max(recorded or happened, happened)
        if known.date() > LAST:
            return
        command = {
            "do": do,
            "source": self.site_id,
            "key": key,
            "occurred_at": happened.isoformat(),
            "recorded_at": known.isoformat(),
        }
        self.commands[service][known.date()].append((known, command | facts))

    def at(self, day: date, hour: int, minute: int = 0) -> datetime:
        """A local moment, with the offset of that day."""
        local = datetime.combine(day, time(hour, minute), self.zone)
        # A time that the clock jumps over is told as the one it jumps to.
        return datetime.fromtimestamp(local.timestamp(), self.zone)


def story_of(site_id: str, zone: str, places: int, seed: int) -> Story:
    """A year of one site with about so many admissions at a time."""
    story = Story(site_id, ZoneInfo(zone), Random(f"{seed}/{site_id}"))
    day = FIRST
    while day <= LAST:
        for _ in range(min(places - len(story.open), max(2, places // 20))):
            _refer(story, day)
        if day.weekday() in GROUP_WEEKDAYS:
            _meet(story, day)
        for person in [p for p in story.open if p.ends == day]:
            _end(story, person, day)
            story.open.remove(person)
        day += timedelta(days=1)
    return story


def _pick(rng: Random, weighted: tuple[tuple[str, int], ...]) -> str:
    return rng.choices([name for name, _ in weighted], [weight for _, weight in weighted])[0]


def _refer(story: Story, day: date) -> None:
    rng = story.rng
    story.count += 1
    key = f"p{story.count}"
    story.say(
        "intake",
        "receive_referral",
        key,
        story.at(day, rng.choice((0, 2, 9, 15, 23)), rng.randrange(60)),
        site_id=story.site_id,
        time_zone=story.zone.key,
        clock="replay",
        referral_source=_pick(rng, SOURCES),
    )
    if rng.random() < 0.12:
        gone = story.at(day + timedelta(days=6), 12)
        story.say(
            "intake", "lose_referral", f"{key}/lost", gone, referral_key=key, reason="not_reached"
        )
        return
    admitted = day + timedelta(days=rng.choice((1, 1, 2, 3, 5, 9, 16)))
    stay = rng.choice((10, 25, 40, 60, 84, 84, 100))
    person = Person(
        key,
        admitted,
        admitted + timedelta(days=stay + rng.randrange(7)),
        _pick(rng, REASONS),
        rng.choice((0.6, 0.85, 1.0)),
    )
    minutes = rng.choice((540, 540, 720))
    story.say(
        "intake",
        "complete_intake",
        f"{key}/in",
        story.at(admitted, 8),
        referral_key=key,
        admitted_on=admitted.isoformat(),
        program_id="iop",
        weekly_minutes=minutes,
        sessions_per_week=3,
    )
    if rng.random() < 0.25 and stay > 20:
        changed = story.at(admitted + timedelta(days=14), 16)
        story.say(
            "intake",
            "change_plan",
            f"{key}/plan",
            changed,
            referral_key=key,
            weekly_minutes=360,
            sessions_per_week=2,
        )
    story.open.append(person)


def _meet(story: Story, day: date) -> None:
    """A group: put on the schedule, and its roster taken that evening or days later."""
    rng = story.rng
    here = [p for p in story.open if p.admitted <= day]
    if not here:
        return
    key = f"group/{day}"
    story.say(
        "attendance",
        "schedule_session",
        f"{key}/plan",
        story.at(day, 9),
        site_id=story.site_id,
        session_key=key,
        session_type="group",
        planned_on=day.isoformat(),
        planned_minutes=180,
        roster=[p.key for p in here],
    )
    if rng.random() < 0.03:
        story.say("attendance", "cancel_session", f"{key}/off", story.at(day, 10), session_key=key)
        return
    late = rng.choice((0, 0, 0, 0, 0, 0, 1, 2, 4, 9))
    evening = story.at(day, 21)
    entries = [_entry(rng, person) for person in here]
    story.say(
        "attendance",
        "take_roster",
        f"{key}/roster",
        evening,
        story.at(day + timedelta(days=late), 21, 30),
        session_key=key,
        entries=entries,
    )
    for entry in entries:
        if rng.random() < 0.04:
            _correct(story, day, key, entry, late)


def _entry(rng: Random, person: Person) -> Command:
    status = _pick(rng, SEATS)
    if status == "attended" and rng.random() > person.faith:
        status = "no_show"
    entry: Command = {"admission_id": person.key, "status": status}
    if status == "attended":
        late = rng.choice((0, 0, 0, 15, 40))
        entry |= {"minutes": 180 - late, "minutes_late": late}
    return entry


def _correct(story: Story, day: date, key: str, entry: Command, late: int) -> None:
    """Once or twice, some days after the roster was taken."""
    rng = story.rng
    known = day + timedelta(days=late)
    now = entry["status"]
    for turn in range(rng.choice((1, 1, 2))):
        known += timedelta(days=rng.choice((1, 3, 12)))
        now = rng.choice([s for s in ("attended", "no_show", "excused") if s != now])
        received: Command = {"minutes": rng.choice((90, 180))} if now == "attended" else {}
        story.say(
            "attendance",
            "correct_attendance",
            f"{key}/{entry['admission_id']}/{turn}",
            story.at(known, 11),
            session_key=key,
            admission_id=entry["admission_id"],
            now=now,
            **received,
        )


def _end(story: Story, person: Person, day: date) -> None:
    rng, key = story.rng, person.key
    # Some ends are written down days later.
    known = story.at(day + timedelta(days=rng.choice((0, 0, 0, 2))), 22)
    story.say(
        "intake",
        "discharge",
        f"{key}/out",
        story.at(day, 22),
        known,
        referral_key=key,
        reason=person.reason,
        discharged_on=day.isoformat(),
    )
    if person.reason not in ("completed", "transferred"):
        return
    visit = day + timedelta(days=rng.choice((1, 3, 6, 9)))
    story.say(
        "aftercare",
        "start_step_down",
        f"{key}/on",
        story.at(day, 22),
        admission_id=key,
        destination="outpatient",
        receiver="riverside",
        first_visit_on=visit.isoformat(),
    )
    if rng.random() < 0.75:
        story.say(
            "aftercare",
            "keep_first_visit",
            f"{key}/seen",
            story.at(visit, 15),
            step_down_id=key,
            visited_on=visit.isoformat(),
        )
    for days, share in ((7, 0.8), (30, 0.6)):
        if rng.random() < share:
            story.say(
                "aftercare",
                "complete_follow_up",
                f"{key}/call{days}",
                story.at(day + timedelta(days=days), 16),
                step_down_id=key,
                follow_up_day=days,
            )
