"""Who has to do what by when, for one concern: pure, so that a lost escalation can be looked for.

A duty begins when a concern rises. It escalates once when nobody took it on in time, and once for
each step that was taken on and not done. Being taken on ends the first kind, an attempt the other.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from alerts.policy import Policy
from alerts.staffed import due_after

NOT_TAKEN_ON, NOT_DONE = "not_acknowledged", "not_attempted"


@dataclass(frozen=True, slots=True)
class Duty:
    """The next step of a concern: `due_at` is for people, `escalate_at` for the clock."""

    level: int
    step: str = "call"
    due_at: datetime | None = None
    escalate_at: datetime | None = None
    acknowledged_at: datetime | None = None
    snoozed_until: datetime | None = None
    paused: bool = False
    escalations: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done next, and in how many hours; no hours when nothing is due."""

    code: str
    hours: float | None


Where = tuple[Policy, ZoneInfo]


def begin(level: int, now: datetime, where: Where) -> Duty:
    """A concern was raised to `level`: a first attempt is due, and somebody is told if none is."""
    return _set(Duty(level), Step("call", where[0].first_attempt_hours[level]), now, where)


def acknowledge(duty: Duty, now: datetime, where: Where) -> Duty:
    """Somebody has it. From now on only an attempt that is not made escalates."""
    if duty.acknowledged_at is not None:
        return duty
    taken = replace(duty, acknowledged_at=now)
    if duty.due_at is None:
        return taken
    return replace(taken, escalate_at=_late(max(duty.due_at, now), duty.level, where))


def attempt(duty: Duty, step: Step, now: datetime, where: Where) -> Duty:
    """An attempt was made; its outcome set the next step. It also takes the concern on."""
    taken = replace(duty, acknowledged_at=duty.acknowledged_at or now, snoozed_until=None)
    return _set(taken, step, now, where)


def snooze(duty: Duty, until: datetime, now: datetime, where: Where) -> Duty:
    """Put off, with an end: what is due is due then."""
    taken = replace(duty, acknowledged_at=duty.acknowledged_at or now, snoozed_until=until)
    return replace(taken, due_at=until, escalate_at=_late(until, duty.level, where))


def pause(duty: Duty) -> Duty:
    """The absence is expected: nothing is due, but for safety."""
    if duty.level == 0:
        return duty
    return replace(duty, paused=True, due_at=None, escalate_at=None)


def resume(duty: Duty, now: datetime, where: Where) -> Duty:
    """The pause is over: a first attempt is due afresh, by whoever has it."""
    if not duty.paused:
        return duty
    fresh = replace(begin(duty.level, now, where), acknowledged_at=duty.acknowledged_at)
    return replace(fresh, escalations=duty.escalations)


def why_late(duty: Duty, now: datetime) -> str | None:
    """Why the next role has to be told now; None while nobody is late."""
    if duty.paused or duty.escalate_at is None or duty.escalate_at > now:
        return None
    return NOT_TAKEN_ON if duty.acknowledged_at is None else NOT_DONE


def escalate(duty: Duty) -> Duty:
    """The next role was told."""
    return replace(duty, escalations=duty.escalations + 1, escalate_at=None)


def _set(duty: Duty, step: Step, now: datetime, where: Where) -> Duty:
    if step.hours is None:
        return replace(duty, step=step.code, due_at=None, escalate_at=None)
    due = due_after(now, step.hours, duty.level, where)
    return replace(duty, step=step.code, due_at=due, escalate_at=_late(due, duty.level, where))


def _late(due: datetime, level: int, where: Where) -> datetime | None:
    policy = where[0]
    if not policy.escalate_to[level]:
        return None
    return due_after(due, policy.escalate_after_hours[level], level, where)


def longest_snooze(level: int, now: datetime, policy: Policy) -> datetime:
    """Until when a concern of this level may be put off."""
    return now + timedelta(hours=policy.snooze_hours[level])
