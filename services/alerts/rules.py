"""What raises which level, and what closes a concern: pure functions of a story and a day."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from alerts.corrections import as_corrected, corrected
from alerts.facts import Fact
from alerts.policy import Policy
from alerts.reasons import CHORES, HIGH, Reason, chores, is_counted, now, risk, silence
from alerts.risk.signs import Standing
from alerts.risk.table import Assessment, Table, assess, assess_on
from alerts.story import ATTENDED, Concern, Story, learn
from handrail.events.alerts import Band

LOW, MIDDLE = 0, 1
HIGH_LEVEL = 1
# What no missed session said before.
NEW_GROUND = ("first_visit_missed", "no_first_session", "no_session_after_step")
BANDS: tuple[Band, ...] = ("low", "middle", "high")
# What was overdue has been done; nobody had to come back.
DONE = "done"
# The person was recorded twice: it goes on under the admission that is kept.
MOVED_OVER = "moved_over"
# Endings after which the same absence opens no new concern.
LET_GO = ("transferred_and_seen", "declined_documented", "exhausted")


class Outcome(msgspec.Struct, array_like=True, frozen=True):
    """What follows: a concern `opened`, an alert `raised`, a concern `closed` or `withdrawn`.

    `eased`: a correction left the concern open, at this level. `codes` are for machines and events, `words` for people.
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
    # Listed and not pushed: the same person was pushed for no less a little while ago.
    quiet: bool = False
    # The levels whose alerts hold after this.
    holds: tuple[int, ...] = ()

    def name(self) -> tuple[str, int, int]:
        """Two outcomes of the same name are one: it is told once."""
        what = "listed" if self.quiet else self.what
        return (what, self.spell, self.level if self.what in ("raised", "eased") else 0)


@dataclass(frozen=True, slots=True)
class Ladder:
    """The policy and the table in force: all that a decision needs besides the story."""

    policy: Policy
    table: Table

    def band_of(self, assessment: Assessment) -> int:
        """0 low, 1 middle, 2 high: by the policy's thresholds of the 28-day risk."""
        if assessment.risk28 >= self.policy.risk_high:
            return HIGH
        return MIDDLE if assessment.risk28 >= self.policy.risk_middle else LOW


def take(story: Story, fact: Fact, ladder: Ladder, history: Sequence[Fact] = ()) -> list[Outcome]:
    """Learn one fact, then decide what may be decided on arrival.

    A correction tells the story again from `history`, all facts up to and with this one.
    """
    if fact.what == "corrected":
        return refold(story, history, fact.recorded, ladder)
    truth = as_corrected(fact, history)
    if truth is None:
        return []
    learn(story, truth)
    if truth.what == "flag_left":
        return _weigh_anew(story, truth.recorded, ladder)
    ended = _ending(story, truth, ladder.policy)
    outcomes = _close(story, fact.recorded, ended) if ended else []
    return outcomes + _decide(story, fact.recorded, now(story, ladder.policy), ladder.policy)


def end_day(
    story: Story, day: int, ladder: Ladder, known: Standing
) -> tuple[list[Outcome], Assessment]:
    """Assess at the end of `day` and decide what hangs on nothing having happened.

    `known` is the story's behaviour as it has stood since the last fact.
    """
    assessment = assess_on(day, known, ladder.table)
    story.band = ladder.band_of(assessment)
    story.quiet_band = min(story.quiet_band, story.band)
    reasons = now(story, ladder.policy)
    if not story.is_suppressed():
        reasons += _by_day(story, day, assessment, ladder.policy)
    return _decide(story, day, reasons, ladder.policy), assessment


def refold(story: Story, facts: Sequence[Fact], day: int, ladder: Ladder) -> list[Outcome]:
    """The story told again after a correction, from all its facts, as of `day`.

    Concerns already closed stay closed. An open one that nothing holds up any more is withdrawn.
    """
    true = Story()
    for fact in corrected(list(facts)):
        learn(true, fact)
    for field in ("spells", "concern", "quiet_band", "band", "let_go", "returned"):
        setattr(true, field, getattr(story, field))
    for field in story.__struct_fields__:
        setattr(story, field, getattr(true, field))
    return _weigh_anew(story, day, ladder)


def _weigh_anew(story: Story, day: int, ladder: Ladder) -> list[Outcome]:
    """The open concern by what still holds, after something was taken away."""
    reasons = now(story, ladder.policy)
    # Silence and risk speak at a day's end: one that opened today was not held up by them.
    if story.concern and story.concern.opened < day and not story.is_suppressed():
        assessment = assess(story.behaviour, day, ladder.table)
        story.band = ladder.band_of(assessment)
        reasons += _by_day(story, day, assessment, ladder.policy)
    if story.concern and not reasons:
        return _close(story, day, "withdrawn")
    return _ease(story, day, reasons) + _decide(story, day, reasons, ladder.policy)


def _by_day(story: Story, day: int, assessment: Assessment, policy: Policy) -> list[Reason]:
    """What holds because of what has not happened by the day's end."""
    found = silence(story, day, policy) + risk(story, assessment, day, policy)
    return found + chores(story, day, policy)


def _ease(story: Story, day: int, reasons: list[Reason]) -> list[Outcome]:
    """What a correction took away is said no more: the level and words of what still holds."""
    concern = story.concern
    if concern is None:
        return []
    first, codes, words = _ranked(reasons)
    if first.level < concern.level or words == concern.words:
        return []
    concern.level, concern.kind, concern.words = first.level, first.code, words
    concern.pushed = tuple(level for level in concern.pushed if level >= first.level)
    return [
        Outcome(
            "eased",
            concern.spell,
            first.level,
            first.code,
            day,
            concern.opened,
            codes,
            words,
            holds=concern.pushed,
        )
    ]


def _ranked(reasons: list[Reason]) -> tuple[Reason, tuple[str, ...], tuple[str, ...]]:
    """The weightiest reason, and the codes and words of all."""
    first = min(reasons, key=lambda reason: reason.level)
    return first, tuple(r.code for r in reasons), tuple(r.words for r in reasons)


def _decide(story: Story, day: int, reasons: list[Reason], policy: Policy) -> list[Outcome]:
    if not reasons:
        return []
    first, codes, words = _ranked(reasons)
    concern, outcomes = story.concern, []
    if concern is None:
        story.spells += 1
        concern = story.concern = Concern(story.spells, 4, first.code, day)
        outcomes.append(
            Outcome("opened", story.spells, first.level, first.code, day, day, codes, words)
        )
    if first.level < concern.level:
        concern.level, concern.kind, concern.words = first.level, first.code, words
        quiet = _is_quiet(story, day, first, policy)
        if first.level <= policy.push_to_level and not quiet:
            concern.pushed = (*concern.pushed, first.level)
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
                quiet=quiet,
                holds=concern.pushed,
            )
        )
    return outcomes


def _is_quiet(story: Story, day: int, first: Reason, policy: Policy) -> bool:
    """Whether the person came back a few days ago from what was pushed, and this only repeats it.

    Levels 0 and 1 never are. Only where counted misses rise on to level 1: whoever stays away then
    is pushed within days.
    """
    if story.returned is None or first.level <= HIGH_LEVEL or not is_counted(story, policy):
        return False
    on, from_level = story.returned
    repeats = first.level >= from_level and first.code not in NEW_GROUND
    return repeats and day - on < policy.quiet_days_after_return


def _ending(  # noqa: PLR0911  # one line an ending
    story: Story, fact: Fact, policy: Policy
) -> str:
    """How this fact ends the open concern; empty if it does not."""
    concern = story.concern
    if concern is None:
        return ""
    if fact.what == "resolved":
        return fact.codes[0]
    if concern.level == 0:
        return MOVED_OVER if fact.what == "flag_moved" else ""
    if concern.kind in CHORES and fact.what not in ("discharged", "lost"):
        # Coming to a session reviews no plan: it ends when what was overdue has been done.
        open_still = now(story, policy) or chores(story, fact.recorded, policy)
        return "" if open_still else DONE
    if fact.what == ATTENDED and not story.run and (fact.day or 0) >= concern.opened:
        return "returned"
    if fact.what == "first_visit_kept":
        return "transferred_and_seen"
    if fact.what == "outreach" and fact.codes[1] == "reached_declined":
        return "declined_documented"
    if fact.what in ("discharged", "lost", "unadmitted"):
        return "discharged"
    return ""


def _close(story: Story, day: int, ending: str) -> list[Outcome]:
    concern = story.concern
    if concern is None:
        return []
    story.concern, story.quiet_band = None, story.band
    story.let_go = ending in LET_GO
    if ending == "returned" and concern.pushed:
        story.returned = (day, min(concern.pushed))
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
            holds=concern.pushed,
        )
    ]
