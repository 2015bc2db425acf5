"""The conditions that may raise a level: each with its level, its code and its words. Pure."""

from dataclasses import dataclass

from alerts.policy import Policy
from alerts.risk.table import Assessment, reasons_in_words
from alerts.story import Story

HIGH = 2
# A death or a prison sentence ends the wait for a first visit; other discharges do not.
NO_AFTERCARE = ("died", "incarcerated")
PLAN_REVIEW, FORM, BOTH = "plan_review_overdue", "form_overdue", "review_and_form_overdue"
# Steps of intake, and what a step that is overdue is called.
STEPS = {
    "attendance_policy": ("policy_not_acknowledged", "the attendance policy's acknowledgement"),
    "eligibility": ("eligibility_not_assessed", "the assessment of eligibility"),
}
CHORES = (PLAN_REVIEW, FORM, BOTH, *(code for code, _ in STEPS.values()))


@dataclass(frozen=True, slots=True)
class Reason:
    """One condition that holds: its level, code and words."""

    level: int
    code: str
    words: str


def now(story: Story, policy: Policy) -> list[Reason]:
    """What holds at any moment: safety, the misses of the present absence, the first visit."""
    reasons = []
    if story.has_flag() and not story.flag_moved:
        words = "a safety flag is open"
        if not story.safety:
            words += ", from the person's other record"
        reasons.append(Reason(0, "safety_flag", words))
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
        reasons.append(Reason(_by_count(story, policy), "misses_in_a_row", words))
    if near >= policy.misses_within_days:
        words = f"missed {near} sessions within {policy.within_days} days"
        reasons.append(Reason(2, "misses_within_a_week", words))
    elif count >= policy.watched_misses:
        reasons.append(Reason(2, "second_miss", f"missed {count} sessions since last seen"))
    if story.admitted is not None and story.run[0] - story.admitted < policy.early_days:
        words = f"missed a session in the first {policy.early_days} days"
        reasons.append(Reason(2, "early_miss", words))
    return reasons or [Reason(3, "single_miss", "missed a session")]


def _by_count(story: Story, policy: Policy) -> int:
    """The level of a count of misses or days: a weekly programme's high level is the risk's to say.

    Three weekly misses are three weeks: the risk has spoken by then, and a rise would only repeat it.
    """
    return 1 if is_counted(story, policy) else 2


def is_counted(story: Story, policy: Policy) -> bool:
    """Whether a week has several sessions to count."""
    return not story.sessions_per_week or story.sessions_per_week >= policy.counted_sessions


def silence(story: Story, day: int, policy: Policy) -> list[Reason]:
    """What holds because nothing happened by the day's end."""
    if story.admitted is None:
        return []
    reasons = []
    if not story.attended and day - _waits_from(story) >= policy.first_session_days:
        words = f"no first session {day - story.admitted} days after admission"
        reasons.append(Reason(2, "no_first_session", words))
    if story.stepped_on is not None and story.attended:
        reasons += _step(story, day - story.stepped_on, policy)
    heard = story.last_contact if story.last_contact is not None else story.admitted
    # Nobody could come to what was not held, and what nobody reported may have been attended.
    silent = day - max(
        [heard, *(d for d in (*story.unheld, *story.unreported.values()) if d <= day)]
    )
    if silent >= max(policy.silent_days, policy.silent_sessions * story.planned_interval()):
        words = f"no contact for {silent} days"
        reasons.append(Reason(_by_count(story, policy), "no_contact", words))
    return reasons + _dose(story, day, policy)


def _waits_from(story: Story) -> int:
    """From when the first session is waited for: what nobody reported may have been it."""
    return max([story.admitted or 0, *story.unreported.values()])


def _step(story: Story, days: int, policy: Policy) -> list[Reason]:
    if days < max(policy.first_session_days, story.planned_interval()):
        return []
    words = f"no session {days} days after a change of the level of care"
    return [Reason(2, "no_session_after_step", words)]


def _dose(story: Story, day: int, policy: Policy) -> list[Reason]:
    absent = bool(story.run)
    settled = story.admitted is not None and day - story.admitted >= policy.within_days
    if not (absent and settled and story.sessions_per_week >= policy.dose_sessions):
        return []
    received = sum(n for at, n in story.minutes if day - policy.within_days < at <= day)
    away = (*story.unheld, *story.unreported.values())
    unheld = sum(day - policy.within_days < at <= day for at in away)
    planned = story.weekly_minutes * max(0, story.sessions_per_week - unheld)
    planned //= story.sessions_per_week
    words = f"received {received} of {planned} planned minutes in {policy.within_days} days"
    if received < policy.dose_low * planned:
        return [Reason(1, "dose_below_quarter", words)]
    if received < policy.dose_short * planned:
        return [Reason(2, "dose_below_half", words)]
    return []


def chores(story: Story, day: int, policy: Policy) -> list[Reason]:
    """What the programme owes the person and has not done: a review, a form, a step of intake.

    A review and a form together are no oversight any more.
    """
    if story.phase != "admitted":
        return []
    found = []
    if story.review_on is not None and day > story.review_on:
        words = f"the plan's review is {day - story.review_on} days overdue"
        found.append(Reason(3, PLAN_REVIEW, words))
    every = dict(policy.forms_every_days)
    late = [day - at - every[form] for form, at in story.forms.items() if form in every]
    if late and max(late) > 0:
        found.append(Reason(3, FORM, f"a form is {max(late)} days overdue"))
    if len(found) > 1:
        found.append(Reason(2, BOTH, "the plan's review and a form are overdue"))
    for step, due in story.steps_overdue.items():
        code, words = STEPS.get(step, (step, step))
        found.append(Reason(3, code, f"{words} is {day - due} days overdue"))
    return found


def risk(story: Story, assessment: Assessment, day: int, policy: Policy) -> list[Reason]:
    """The risk speaks once per rise: after a concern it is quiet until it has fallen below.

    It waits while a roster of the last days is not taken: it may be wrong about them.
    """
    if story.band <= story.quiet_band:
        return []
    if any(day - policy.within_days < at <= day for at in story.unreported.values()):
        return []
    level, code = (1, "risk_high") if story.band == HIGH else (2, "risk_elevated")
    because = "; ".join(reasons_in_words(assessment)[:3])
    words = f"{assessment.risk28:.0%} risk of no session in the next 28 days ({because})"
    return [Reason(level, code, words)]
