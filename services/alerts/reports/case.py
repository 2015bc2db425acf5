"""One admission as the reports see it, made from its facts. Days are ordinals. Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from alerts.corrections import corrected
from alerts.facts import Fact

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Case(msgspec.Struct):
    """What happened to one admission, as known on some day.

    `plans` are days and the minutes a week prescribed from then on, `visits` days and minutes,
    `misses` days and kinds of miss, `calls` the follow-ups made, `tried` the days of outreach.
    """

    admission_id: UUID
    referred: int | None = None
    source: str = ""
    admitted: int | None = None
    ended: int | None = None
    reason: str = ""
    is_merged: bool = False
    plans: list[tuple[int, int]] = []
    visits: list[tuple[int, int]] = []
    misses: list[tuple[int, str]] = []
    seen_next: int | None = None
    calls: set[int] = set()
    tried: list[int] = []

    def is_open_on(self, day: int) -> bool:
        """Admitted, and not ended, at the end of `day`."""
        if self.admitted is None or self.admitted > day or self.is_merged:
            return False
        return self.ended is None or self.ended > day

    def weekly_minutes_on(self, day: int) -> int:
        """The dose prescribed on `day`."""
        known = [minutes for since, minutes in self.plans if since <= day]
        return known[-1] if known else 0

    def first_seen(self) -> int | None:
        """The day of the first session."""
        return min((day for day, _ in self.visits), default=None)


def case_of(admission_id: UUID, facts: Iterable[Fact], zone: ZoneInfo, as_of: int) -> Case:
    """The admission as it was known at the end of the day `as_of`, corrections taken in."""
    case = Case(admission_id)
    for fact in corrected([fact for fact in facts if fact.recorded <= as_of]):
        _learn(case, fact, zone)
    case.plans.sort(key=_since)
    return case


def _since(plan: tuple[int, int]) -> int:
    return plan[0]


def _learn(case: Case, fact: Fact, zone: ZoneInfo) -> None:  # noqa: C901, PLR0912  # one line a fact
    day = fact.day if fact.day is not None else fact.recorded
    match fact.what:
        case "referred":
            case.referred = _local_day(fact.occurred, zone)
            case.source = fact.codes[0] if fact.codes else ""
        case "admitted":
            case.admitted = day
            case.plans.append((day, int(fact.numbers[0])))
        case "planned":
            case.plans.append((day, int(fact.numbers[0])))
        case "discharged":
            case.ended, case.reason = day, fact.codes[0]
        case "lost":
            case.is_merged = case.is_merged or fact.codes == ("merged",)
        case "unmerged":
            case.is_merged = False
        case "reopened":
            case.ended, case.reason = None, ""
        case "unadmitted":
            case.admitted = None
            case.plans.clear()
        case "attended":
            case.visits.append((day, int(fact.numbers[1])))
        case "missed":
            case.misses.append((day, fact.codes[0]))
        case "first_visit_kept":
            case.seen_next = min(day, case.seen_next or day)
        case "followed_up":
            case.calls.add(int(fact.numbers[0]))
        case "outreach":
            case.tried.append(day)


def _local_day(micros: int, zone: ZoneInfo) -> int:
    return (_EPOCH + timedelta(microseconds=micros)).astimezone(zone).date().toordinal()
