"""The attempt plan: what each outcome asks for next, and in how many hours."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from alerts.duty import Step
from alerts.policy import Policy

REACHED = ("reached_returning", "reached_undecided", "reached_declined")
# What an outcome asks for, whatever was tried before. No hours: nothing is due.
_ASKS = {
    "reached_returning": Step("verify_return", 72),
    "reached_undecided": Step("call_again", 24),
    "reached_declined": Step("none", None),
    "support_person_reached": Step("call_again", 24),
    "found_in_hospital": Step("ask_about_release", 168),
    "found_in_jail": Step("ask_about_release", 168),
    "died": Step("review", 24),
    "moved": Step("offer_transfer", 48),
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt: `party` is the person, or a support they consented to."""

    channel: str
    outcome: str
    day: date
    party: str = "person"


def next_step(attempts: Sequence[Attempt], policy: Policy, *, has_support: bool) -> Step:
    """What comes after these attempts, in the order in which they were made.

    Attempts by several channels on several days, then a consented support person, then a letter,
    then a review.
    """
    if not attempts:
        return Step("call", None)
    last = attempts[-1]
    if last.outcome in _ASKS:
        return _ASKS[last.outcome]
    if last.outcome == "bad_number":
        return _support_or(Step("find_another_way", 24), attempts, has_support=has_support)
    if not has_tried_enough(attempts, policy):
        other = last.outcome == "left_neutral_message" or _channels(attempts) == 1
        return Step("try_another_channel" if other else "try_again", 24)
    if last.channel == "letter" or any(a.channel == "letter" for a in attempts):
        return Step("review", 168 if last.channel == "letter" else 24)
    return _support_or(Step("send_letter", 24), attempts, has_support=has_support)


def has_tried_enough(attempts: Sequence[Attempt], policy: Policy) -> bool:
    """Whether everything that was agreed has been tried."""
    own = [a for a in attempts if a.party == "person"]
    return (
        len(own) >= policy.attempts
        and len({a.day for a in own}) >= policy.attempt_days
        and len({a.channel for a in own}) >= policy.attempt_channels
    )


def _support_or(step: Step, attempts: Sequence[Attempt], *, has_support: bool) -> Step:
    if has_support and not any(a.party == "support" for a in attempts):
        return Step("ask_support_person", 24)
    return step


def _channels(attempts: Sequence[Attempt]) -> int:
    return len({a.channel for a in attempts})
