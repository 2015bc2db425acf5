"""Staffed time of a site: when something is due, and when quiet hours end. Pure, given the moment."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from alerts.policy import Policy

_A_DAY = timedelta(days=1)
# A site that is closed for longer than this is treated as open: nobody is let go for ever.
_LONGEST_CLOSURE_DAYS = 30


def is_staffed_day(day: date, policy: Policy) -> bool:
    """Whether somebody works at the site on this local day."""
    return day.weekday() in policy.staffed_weekdays and day not in policy.closures


def next_staffed(at: datetime, policy: Policy, zone: ZoneInfo) -> datetime:
    """`at` itself within staffed time; else the next opening (UTC)."""
    local = at.astimezone(zone)
    if is_staffed_day(local.date(), policy) and policy.opens <= local.time() < policy.closes:
        return at
    day = local.date() if local.time() < policy.opens else local.date() + _A_DAY
    for _ in range(_LONGEST_CLOSURE_DAYS):
        if is_staffed_day(day, policy):
            break
        day += _A_DAY
    return datetime.combine(day, policy.opens, zone).astimezone(UTC)


def next_opening(at: datetime, policy: Policy, zone: ZoneInfo) -> datetime:
    """The first opening after `at` (UTC)."""
    local = at.astimezone(zone)
    opens = datetime.combine(local.date(), policy.opens, zone)
    day = opens if local < opens else opens + _A_DAY
    return next_staffed(day.astimezone(UTC), policy, zone)


def due_after(at: datetime, hours: float, level: int, where: tuple[Policy, ZoneInfo]) -> datetime:
    """When something is due so many hours after `at`.

    Safety runs day and night. For the rest the hours begin in staffed time, and what would fall
    outside it is due at the next opening.
    """
    if level == 0:
        return at + timedelta(hours=hours)
    policy, zone = where
    begins = next_staffed(at, policy, zone)
    return next_staffed(begins + timedelta(hours=hours), policy, zone)


def staffed_days(first: date, last: date, policy: Policy) -> int:
    """How many staffed days lie from `first` to `last`, both included."""
    span = range((last - first).days + 1)
    return sum(is_staffed_day(first + timedelta(days=n), policy) for n in span)
