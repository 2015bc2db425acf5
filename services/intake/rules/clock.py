"""The clock from the referral to the first session."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from handrail.events import AdmissionEvent
from handrail.events import intake as events
from handrail.sites import Site

# A first session within 48 hours of the referral is kept far more often than a later one.
HOURS = 48
CLOCK = timedelta(hours=HOURS)
# With half of the clock gone and nobody seen, a referral is going cold.
WARNING = timedelta(hours=24)
WAITS = frozenset({"referred", "waitlisted", "admitted"})


@dataclass(frozen=True, slots=True)
class Visit:
    """One attended session."""

    session_id: UUID
    attended_on: date
    attended_at: datetime

    def order(self) -> tuple[datetime, UUID]:
        """Which of two visits was first."""
        return self.attended_at, self.session_id


@dataclass(slots=True)
class Clock:
    """One referral's clock, and the visits that are known while it is looked at."""

    admission_id: UUID
    site_id: str
    status: str
    referral_source: str
    referred_at: datetime
    first: Visit | None = None
    went_cold_at: datetime | None = None
    visits: dict[UUID, Visit] = field(default_factory=dict)

    @property
    def due_at(self) -> datetime:
        """When it runs out."""
        return self.referred_at + CLOCK


def state(referred_at: datetime, seen_at: datetime | None, at: datetime) -> str:
    """How a clock stands: in_time or late once seen; before that running, going_cold or cold."""
    due_at = referred_at + CLOCK
    if seen_at is not None:
        return "in_time" if seen_at <= due_at else "late"
    if at >= due_at:
        return "cold"
    return "going_cold" if at >= due_at - WARNING else "running"


def cold_from(at: datetime) -> datetime:
    """Referrals up to this moment are going cold or are cold, `at` that one."""
    return at - CLOCK + WARNING


def visited(site: Site, session_id: UUID, attended_on: date, told_at: datetime) -> Visit:
    """A visit: when it happened, but never after the day it was on, however late it was told."""
    return Visit(session_id, attended_on, min(told_at, site.end_of(attended_on)))


def see(clock: Clock, session_id: UUID, visit: Visit | None) -> bool:
    """Enter a visit, or that there was none after all. True when the first one has changed."""
    before = clock.first
    if before and before.session_id not in clock.visits:
        clock.visits[before.session_id] = before
    clock.visits.pop(session_id, None)
    if visit:
        clock.visits[session_id] = visit
    clock.first = min(clock.visits.values(), key=Visit.order, default=None)
    return clock.first != before


def told(clock: Clock, site: Site, session_id: UUID, event: AdmissionEvent) -> AdmissionEvent:
    """What follows when `event` has changed the first session of `clock`."""
    about: dict[str, Any] = {
        "site_id": clock.site_id,
        "admission_id": clock.admission_id,
        "occurred_at": event.occurred_at,
        "recorded_at": event.recorded_at,
        "recorded_day": site.recorded_day(event.recorded_at),
    }
    first = clock.first
    if first is None:
        return events.FirstSessionUndone(**about, session_id=session_id)
    waited = max(first.attended_at - clock.referred_at, timedelta())
    return events.FirstSessionKept(
        **about,
        session_id=first.session_id,
        first_session_on=first.attended_on,
        hours=round(waited / timedelta(hours=1), 2),
        in_time=state(clock.referred_at, first.attended_at, first.attended_at) == "in_time",
    )


def end_day(clock: Clock, site: Site, day: date) -> events.ReferralWentCold | None:
    """What the end of a day brings: said once, of who is waited for and was not seen."""
    end = site.end_of(day)
    if clock.first or clock.went_cold_at or clock.status not in WAITS or clock.due_at > end:
        return None
    clock.went_cold_at = clock.due_at
    return events.ReferralWentCold(
        site_id=clock.site_id,
        admission_id=clock.admission_id,
        occurred_at=clock.due_at,
        recorded_at=end,
        recorded_day=site.recorded_day(end),
        due_at=clock.due_at,
        hours=HOURS,
    )


def row(clock: Clock, at: datetime) -> dict[str, Any]:
    """A clock as it is read at a moment."""
    first = clock.first
    return {
        "admission_id": clock.admission_id,
        "status": clock.status,
        "referral_source": clock.referral_source,
        "referred_at": clock.referred_at,
        "due_at": clock.due_at,
        "state": state(clock.referred_at, first.attended_at if first else None, at),
        "hours_left": round((clock.due_at - at) / timedelta(hours=1), 1) if not first else None,
        "first_session_on": first.attended_on if first else None,
        "went_cold_at": clock.went_cold_at,
    }
