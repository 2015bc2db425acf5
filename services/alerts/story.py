"""One admission's story so far: what the facts add up to, and the concern that is open."""

import msgspec

from alerts.facts import Fact
from alerts.risk import behaviour
from alerts.risk.behaviour import Behaviour

RECENT_DAYS = 28
RUN_KEPT = 12
HOLDING_OUTCOMES = {"found_in_hospital": "hospital", "found_in_jail": "jail", "died": "death"}
REACHED = ("reached_returning", "reached_undecided", "reached_declined")
ATTENDED = "attended"
MISSED = ("no_show", "late_cancellation")
NO_ROSTER = "roster_not_taken"
# Forms that are asked again every so many days; the site's policy says how often.
ASKED_AGAIN = ("phq_9", "gad_7", "bam_use")
PLAN_NUMBERS = 2
# (reason, first day, last day or None while it lasts)
Pause = tuple[str, int, int | None]


class Concern(msgspec.Struct, array_like=True):
    """The open concern: `opened` is an ordinal day, `spell` counts this admission's concerns.

    `words` are the reasons of its present level. `pushed` are the levels it was pushed for and
    no correction has taken away: alerts of these levels hold.
    """

    spell: int
    level: int
    kind: str
    opened: int
    words: tuple[str, ...] = ()
    pushed: tuple[int, ...] = ()


class Story(msgspec.Struct, array_like=True):
    """All that the rules remember of one admission. Days are ordinals; minutes are minutes."""

    phase: str = "referred"
    admitted: int | None = None
    weekly_minutes: int = 0
    sessions_per_week: int = 0
    hold: str = ""
    ended: str = ""
    attended: int = 0
    last_attended: int | None = None
    last_contact: int | None = None
    run: list[int] = []
    misses: list[int] = []
    minutes: list[tuple[int, int]] = []
    safety: bool = False
    visit_missed: int | None = None
    band: int = 0
    quiet_band: int = 0
    # Closed without a return: nothing but safety speaks until the person is seen again.
    let_go: bool = False
    spells: int = 0
    concern: Concern | None = None
    behaviour: Behaviour = msgspec.field(default_factory=Behaviour)
    # The present level of care began here, and nobody has been seen in it yet.
    stepped_on: int | None = None
    # Days on which the programme did not hold a session or took no roster.
    unheld: list[int] = []
    # The hold is what an outreach found; being seen ends it, since nobody else will say so.
    found: bool = False
    # When absence was expected, and why.
    pauses: list[Pause] = []
    supports: int = 0
    # The last return from a concern that was pushed: its day, and the highest level pushed.
    returned: tuple[int, int] | None = None
    # When the plan is to be reviewed, and when each form that is asked again was last answered.
    review_on: int | None = None
    forms: dict[str, int] = {}
    # Planned seats of which nobody has said what became of them, with their days; and the past ones.
    unreported: dict[str, int] = {}
    asked_for: list[Pause] = []
    # The person was recorded twice: the flag of this admission stands under the one that is kept.
    flag_moved: bool = False
    # The duplicates whose flags stand here.
    flags_taken: list[str] = []
    # Steps of intake that have not been taken in time, with the day they were due.
    steps_overdue: dict[str, int] = {}

    def has_flag(self) -> bool:
        """A safety flag is open, of this admission or of a duplicate."""
        return self.safety or bool(self.flags_taken)

    def expected_absences(self) -> list[Pause]:
        """When a missing session says nothing of the person, and why."""
        waits: list[Pause] = [(NO_ROSTER, day, None) for day in self.unreported.values()]
        return [*self.pauses, *self.asked_for, *waits]

    def is_suppressed(self) -> bool:
        """Absence is expected or nobody's business any more: leave, hospital, jail, discharge."""
        return self.let_go or bool(self.hold) or self.phase in ("discharged", "lost")

    def is_watched(self, day: int) -> bool:
        """Assessed at the end of `day`: admitted, and seen within the last 28 days."""
        seen = self.last_attended if self.last_attended is not None else self.admitted
        return self.admitted is not None and seen is not None and day - seen < RECENT_DAYS

    def planned_interval(self) -> float:
        """Days between two planned sessions, on average."""
        return 7 / self.sessions_per_week if self.sessions_per_week else 7.0


def learn(story: Story, fact: Fact) -> None:
    """Take one fact into the story. Facts come in their fixed order."""
    if story.unreported:
        _reported(story, fact)
    told = _SEATS.get(fact.what) or _OTHERS.get(fact.what)
    if told:
        told(story, fact)


def _attended(story: Story, fact: Fact) -> None:
    day = fact.day or fact.recorded
    planned, minutes, _late = fact.numbers
    story.attended += 1
    story.let_go = False
    story.last_attended = max(day, story.last_attended or day)
    _contact(story, day)
    if story.stepped_on is not None and day >= story.stepped_on:
        story.stepped_on = None
    if story.visit_missed is not None and day >= story.visit_missed:
        story.visit_missed = None
    if story.found and day > story.pauses[-1][1]:
        _end_pause(story, day)
    story.run = [missed for missed in story.run if missed > day]
    story.minutes = [m for m in story.minutes if m[0] > day - RECENT_DAYS]
    story.minutes.append((day, int(minutes)))
    behaviour.attended(story.behaviour, day, None if planned < 0 else int(planned))


def _missed(story: Story, fact: Fact) -> None:
    day = fact.day or fact.recorded
    # A miss planned before the person was last seen opens no absence: they came since.
    if story.last_attended is None or day >= story.last_attended:
        story.run = sorted([*story.run, day])[-RUN_KEPT:]
    story.misses = [missed for missed in story.misses if missed > day - RECENT_DAYS]
    story.misses.append(day)
    late = fact.codes[0] == "late_cancellation"
    behaviour.missed(story.behaviour, day, late_cancellation=late)


def _excused(story: Story, fact: Fact) -> None:
    behaviour.excused(story.behaviour, fact.day or fact.recorded)


def _admitted(story: Story, fact: Fact) -> None:
    if story.phase == "lost":
        _end_pause(story, fact.recorded)
    story.phase, story.admitted = "admitted", fact.day
    story.weekly_minutes, story.sessions_per_week = (int(n) for n in fact.numbers)
    day = fact.day or fact.recorded
    _contact(story, day)
    behaviour.admitted(story.behaviour, day)


def _planned(story: Story, fact: Fact) -> None:
    story.weekly_minutes, story.sessions_per_week = (int(n) for n in fact.numbers[:2])
    if len(fact.numbers) > PLAN_NUMBERS:
        story.review_on = int(fact.numbers[PLAN_NUMBERS])


def _reviewed(story: Story, fact: Fact) -> None:
    story.review_on = fact.day


def _step_overdue(story: Story, fact: Fact) -> None:
    story.steps_overdue[fact.codes[0]] = fact.day or fact.recorded


def _step_done(story: Story, fact: Fact) -> None:
    story.steps_overdue.pop(fact.codes[0], None)


def _unreported(story: Story, fact: Fact) -> None:
    story.unreported[fact.codes[0]] = fact.day or fact.recorded


def _reported(story: Story, fact: Fact) -> None:
    """Somebody has said what became of the seat; nobody has to, once it is withdrawn."""
    seat = fact.codes[0] if fact.what == "seat_withdrawn" else fact.seat
    day = story.unreported.pop(seat, None)
    if day is not None:
        story.asked_for = [*story.asked_for, (NO_ROSTER, day, fact.recorded)][-RUN_KEPT:]


def _stepped(story: Story, fact: Fact) -> None:
    behaviour.level_changed(story.behaviour, fact.recorded)
    story.stepped_on = fact.recorded


def _held(story: Story, fact: Fact) -> None:
    _begin_pause(story, fact.codes[0], fact.recorded)
    story.hold, story.found = fact.codes[0], False


def _resumed(story: Story, fact: Fact) -> None:
    _end_pause(story, fact.recorded)
    story.run = []
    _contact(story, fact.recorded)


def _discharged(story: Story, fact: Fact) -> None:
    _begin_pause(story, "discharge", fact.recorded)
    story.phase, story.ended = "discharged", fact.codes[0]


def _lost(story: Story, fact: Fact) -> None:
    _begin_pause(story, "referral_lost", fact.recorded)
    story.phase, story.ended = "lost", fact.codes[0]


def _merged(story: Story, fact: Fact) -> None:
    _contact(story, fact.day or fact.recorded)


def _unmerged(story: Story, fact: Fact) -> None:
    status, reason = fact.codes
    _end_pause(story, fact.recorded)
    story.phase, story.ended = _PHASES.get(status, status), ""
    if status == "on_hold":
        _begin_pause(story, reason, fact.recorded)
        story.hold = reason
    elif story.phase in ("discharged", "lost"):
        _begin_pause(story, "discharge", fact.recorded)
        story.ended = reason


def _unadmitted(story: Story, fact: Fact) -> None:
    _begin_pause(story, "admission_undone", fact.recorded)
    story.phase, story.admitted, story.run = "lost", None, []


def _begin_pause(story: Story, reason: str, day: int) -> None:
    _end_pause(story, day)
    story.pauses.append((reason, day, None))


def _end_pause(story: Story, day: int) -> None:
    story.hold, story.found = "", False
    if story.pauses and story.pauses[-1][2] is None:
        story.pauses[-1] = (*story.pauses[-1][:2], day)


def _unheld(story: Story, fact: Fact) -> None:
    day = fact.day or fact.recorded
    story.unheld = [d for d in story.unheld if d > day - RECENT_DAYS]
    story.unheld.append(day)


def _supported(story: Story, fact: Fact) -> None:
    story.supports = int(fact.numbers[0])


def _screened(story: Story, fact: Fact) -> None:
    behaviour.screened(story.behaviour, fact.recorded, fact.codes)


def _measured(story: Story, fact: Fact) -> None:
    score, safety = fact.numbers
    if safety:
        # Also where an older flag stands elsewhere: a new one speaks again.
        story.safety, story.flag_moved = True, False
    if fact.codes[0] in ASKED_AGAIN:
        story.forms[fact.codes[0]] = fact.recorded
    behaviour.measured(story.behaviour, fact.recorded, fact.codes[0], score)


def _contacted(story: Story, fact: Fact) -> None:
    reached = bool(fact.numbers[0])
    if reached:
        _contact(story, fact.recorded)
    behaviour.contacted(story.behaviour, fact.recorded, reached=reached)


def _outreach(story: Story, fact: Fact) -> None:
    outcome = fact.codes[1]
    if outcome in REACHED:
        _contact(story, fact.recorded)
    if outcome in HOLDING_OUTCOMES:
        _begin_pause(story, HOLDING_OUTCOMES[outcome], fact.recorded)
        story.hold, story.found = HOLDING_OUTCOMES[outcome], True
    behaviour.contacted(story.behaviour, fact.recorded, reached=outcome in REACHED)


def _visit_missed(story: Story, fact: Fact) -> None:
    story.visit_missed = fact.day


def _visit_kept(story: Story, fact: Fact) -> None:
    story.visit_missed = None
    _contact(story, fact.day or fact.recorded)


def _safety_cleared(story: Story, _fact: Fact) -> None:
    story.safety, story.flags_taken = False, []


def _flag_moved(story: Story, _fact: Fact) -> None:
    story.flag_moved = True


def _flag_back(story: Story, _fact: Fact) -> None:
    story.flag_moved = False


def _flag_taken(story: Story, fact: Fact) -> None:
    _flag_left(story, fact)
    story.flags_taken = [*story.flags_taken, *fact.codes]
    story.flag_moved = False


def _flag_left(story: Story, fact: Fact) -> None:
    story.flags_taken = [one for one in story.flags_taken if one not in fact.codes]


def _contact(story: Story, day: int) -> None:
    story.last_contact = max(day, story.last_contact or day)


_PHASES = {"on_hold": "admitted", "waitlisted": "referred", "declined": "lost"}
_SEATS = {"attended": _attended, "missed": _missed, "excused": _excused}
_OTHERS = {
    "admitted": _admitted,
    "planned": _planned,
    "reviewed": _reviewed,
    "step_overdue": _step_overdue,
    "step_done": _step_done,
    "unreported": _unreported,
    "stepped": _stepped,
    "held": _held,
    "resumed": _resumed,
    "discharged": _discharged,
    "lost": _lost,
    "merged": _merged,
    "unmerged": _unmerged,
    "reopened": _unmerged,
    "unadmitted": _unadmitted,
    "unheld": _unheld,
    "supported": _supported,
    "screened": _screened,
    "measured": _measured,
    "contacted": _contacted,
    "outreach": _outreach,
    "first_visit_missed": _visit_missed,
    "first_visit_kept": _visit_kept,
    "returned_to_care": _visit_kept,
    "resolved": _safety_cleared,
    "flag_moved": _flag_moved,
    "flag_back": _flag_back,
    "flag_taken": _flag_taken,
    "flag_left": _flag_left,
}
