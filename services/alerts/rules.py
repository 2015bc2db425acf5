"""What raises which level, and what closes a concern: pure functions of a story and a day."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from alerts.facts import Fact
from alerts.policy import Policy
from alerts.risk.table import Assessment, Table, assess, reasons_in_words
from alerts.story import ATTENDED, Concern, Story, corrected, learn
from handrail.events.alerts import Band

LOW, MIDDLE, HIGH = 0, 1, 2
BANDS: tuple[Band, ...] = ("low", "middle", "high")
# A death or a prison sentence ends the wait for a first visit; other discharges do not.
NO_AFTERCARE = ("died", "incarcerated")

# Endings after which the same absence opens no new concern.
LET_GO = ("transferred_and_seen", "declined_documented", "exhausted")


class Outcome(msgspec.Struct, array_like=True, frozen=True):
    """What follows: a concern `opened`, an alert `raised`, a concern `closed` or `withdrawn`.

    `codes` are for machines and events, `words` for people.
    """

    what: str
    spell: int
    level: int
    kind: str
    day: int
    opened: int
    codes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    ending: str = ""

    def name(self) -> tuple[str, int, int]:
        """Two outcomes of the same name are one: it is told once."""
        return (self.what, self.spell, self.level if self.what == "raised" else 0)


@dataclass(frozen=True, slots=True)
class Reason:
    """One condition that holds: its level, code and words."""

    level: int
    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Ladder:
    """The policy and the table in force: all that a decision needs besides the story."""

    policy: Policy
    table: Table

    def band_of(self, assessment: Assessment) -> int:
        """0 low, 1 middle, 2 high: by the table's thresholds of the 28-day risk."""
        if assessment.risk28 >= self.table.high:
            return HIGH
        return MIDDLE if assessment.risk28 >= self.table.middle else LOW


def take(story: Story, fact: Fact, ladder: Ladder, history: Sequence[Fact] = ()) -> list[Outcome]:
    """Learn one fact, then decide what may be decided on arrival.

    A correction tells the story again from `history`, all facts up to and with this one.
    """
    if fact.what == "corrected":
        return refold(story, history, fact.recorded, ladder)
    learn(story, fact)
    ended = _ending(story, fact)
    outcomes = _close(story, fact.recorded, ended) if ended else []
    return outcomes + _decide(story, fact.recorded, _now(story, ladder.policy))


def end_day(story: Story, day: int, ladder: Ladder) -> tuple[list[Outcome], Assessment]:
    """Assess at the end of `day` and decide what hangs on nothing having happened."""
    assessment = assess(story.behaviour, day, ladder.table)
    story.band = ladder.band_of(assessment)
    story.quiet_band = min(story.quiet_band, story.band)
    reasons = _now(story, ladder.policy)
    if not story.is_suppressed():
        reasons += _silence(story, day, ladder.policy) + _risk(story, assessment)
    return _decide(story, day, reasons), assessment


def refold(story: Story, facts: Sequence[Fact], day: int, ladder: Ladder) -> list[Outcome]:
    """The story told again after a correction, from all its facts, as of `day`.

    Concerns already closed stay closed. An open one that nothing holds up any more is withdrawn.
    """
    true = Story()
    for fact in corrected(list(facts)):
        learn(true, fact)
    for field in ("spells", "concern", "quiet_band", "band", "let_go"):
        setattr(true, field, getattr(story, field))
    for field in story.__struct_fields__:
        setattr(story, field, getattr(true, field))
    reasons = _now(story, ladder.policy)
    if not story.is_suppressed():
        assessment = assess(story.behaviour, day, ladder.table)
        story.band = ladder.band_of(assessment)
        reasons += _silence(story, day, ladder.policy) + _risk(story, assessment)
    if story.concern and not reasons:
        return _close(story, day, "withdrawn")
    return _decide(story, day, reasons)


def _now(story: Story, policy: Policy) -> list[Reason]:
    """What holds at any moment: safety, the misses of the present absence, the first visit."""
    reasons = []
    if story.safety:
        reasons.append(Reason(0, "safety_flag", "a safety flag is open"))
        if story.run:
            words = "missed a session while a safety flag is open"
            reasons.append(Reason(0, "miss_with_safety_flag", words))
    waits = story.visit_missed is not None and not story.let_go and not story.hold
    if waits and story.ended not in NO_AFTERCARE:
        words = "the first aftercare visit was not kept"
        reasons.append(Reason(2, "first_visit_missed", words))
    if story.is_suppressed() or not story.run:
        return reasons
    return reasons + _absence(story, policy)


def _absence(story: Story, policy: Policy) -> list[Reason]:
    count, last = len(story.run), story.run[-1]
    near = sum(last - policy.within_days < day <= last for day in story.misses)
    reasons = []
    if count >= policy.misses_in_a_row:
        words = f"missed {count} sessions in a row"
        reasons.append(Reason(1, "misses_in_a_row", words))
    if near >= policy.misses_within_days:
        words = f"missed {near} sessions within {policy.within_days} days"
        reasons.append(Reason(2, "misses_within_a_week", words))
    if story.admitted is not None and story.run[0] - story.admitted < policy.early_days:
        words = f"missed a session in the first {policy.early_days} days"
        reasons.append(Reason(2, "early_miss", words))
    return reasons or [Reason(3, "single_miss", "missed a session")]


def _silence(story: Story, day: int, policy: Policy) -> list[Reason]:
    """What holds because nothing happened by the day's end."""
    if story.admitted is None:
        return []
    reasons = []
    if not story.attended and day - story.admitted >= policy.first_session_days:
        words = f"no first session {day - story.admitted} days after admission"
        reasons.append(Reason(2, "no_first_session", words))
    silent = day - (story.last_contact if story.last_contact is not None else story.admitted)
    if silent >= max(policy.silent_days, policy.silent_sessions * story.planned_interval()):
        reasons.append(Reason(1, "no_contact", f"no contact for {silent} days"))
    return reasons + _dose(story, day, policy)


def _dose(story: Story, day: int, policy: Policy) -> list[Reason]:
    absent = bool(story.run)
    settled = story.admitted is not None and day - story.admitted >= policy.within_days
    if not (absent and settled and story.sessions_per_week >= policy.dose_sessions):
        return []
    received = sum(n for at, n in story.minutes if day - policy.within_days < at <= day)
    planned = story.weekly_minutes
    words = f"received {received} of {planned} planned minutes in {policy.within_days} days"
    if received < policy.dose_low * planned:
        return [Reason(1, "dose_below_quarter", words)]
    if received < policy.dose_short * planned:
        return [Reason(2, "dose_below_half", words)]
    return []


def _risk(story: Story, assessment: Assessment) -> list[Reason]:
    """The risk speaks once per rise: after a concern it is quiet until it has fallen below."""
    if story.band <= story.quiet_band:
        return []
    level, code = (1, "risk_high") if story.band == HIGH else (2, "risk_elevated")
    because = "; ".join(reasons_in_words(assessment)[:3])
    words = f"{assessment.risk28:.0%} risk of no session in the next 28 days ({because})"
    return [Reason(level, code, words)]


def _decide(story: Story, day: int, reasons: list[Reason]) -> list[Outcome]:
    if not reasons:
        return []
    first = min(reasons, key=lambda reason: reason.level)
    codes = tuple(reason.code for reason in reasons)
    words = tuple(reason.words for reason in reasons)
    concern, outcomes = story.concern, []
    if concern is None:
        story.spells += 1
        concern = story.concern = Concern(story.spells, 4, first.code, day)
        outcomes.append(
            Outcome("opened", story.spells, first.level, first.code, day, day, codes, words)
        )
    if first.level < concern.level:
        concern.level, concern.kind = first.level, first.code
        outcomes.append(
            Outcome(
                "raised",
                concern.spell,
                first.level,
                first.code,
                day,
                concern.opened,
                codes,
                words,
            )
        )
    return outcomes


def _ending(story: Story, fact: Fact) -> str:  # noqa: PLR0911  # one line an ending
    """How this fact ends the open concern; empty if it does not."""
    concern = story.concern
    if concern is None:
        return ""
    if fact.what == "resolved":
        return fact.codes[0]
    if concern.level == 0:
        return ""
    if fact.what == ATTENDED and not story.run and (fact.day or 0) >= concern.opened:
        return "returned"
    if fact.what == "first_visit_kept":
        return "transferred_and_seen"
    if fact.what == "outreach" and fact.codes[1] == "reached_declined":
        return "declined_documented"
    if fact.what in ("discharged", "lost"):
        return "discharged"
    return ""


def _close(story: Story, day: int, ending: str) -> list[Outcome]:
    concern = story.concern
    if concern is None:
        return []
    story.concern, story.quiet_band = None, story.band
    story.let_go = ending in LET_GO
    what = "withdrawn" if ending == "withdrawn" else "closed"
    return [
        Outcome(
            what,
            concern.spell,
            concern.level,
            concern.kind,
            day,
            concern.opened,
            ending="" if what == "withdrawn" else ending,
        )
    ]
