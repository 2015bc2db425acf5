"""The figures of a report, by definitions that docs/reports.md states with their sources. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import get_args

from alerts.reports.case import Case
from handrail.events.intake import DischargeReason

RETENTION_DAYS = (30, 60, 90)
ATTENDING_WITHIN = 14
SOON = 2
INITIATION, ENGAGEMENT, MORE = 14, 34, 2
FOLLOW_UP = (7, 30)
RETURN_WITHIN = 14
HOSPITAL = ("inpatient", "emergency_department")
REASONS = get_args(DischargeReason)
SEATS = ("kept", "no_show", "late_cancellation")


@dataclass(frozen=True, slots=True)
class Figure:
    """`n` of `of`, or a `value` reckoned from `people`. `group`: cells that add up to a total."""

    measure: str
    part: str
    people: int
    n: int | None = None
    of: int | None = None
    value: float | None = None
    group: str = ""
    suppressed: bool = False


@dataclass(frozen=True, slots=True)
class Period:
    """The days a report is about, both included, and the last day of which all is known."""

    first: int
    last: int
    as_of: int

    def has(self, day: int | None) -> bool:
        """Whether a day lies in the period and is known."""
        return day is not None and self.first <= day <= min(self.last, self.as_of)


def figures(everyone: Iterable[Case], period: Period) -> list[Figure]:
    """All figures of a period."""
    cases = [case for case in everyone if not case.is_merged]
    return [
        census(cases, min(period.last, period.as_of)),
        *(retention(cases, period, days) for days in RETENTION_DAYS),
        *completion(cases, period),
        *dose(cases, period),
        *misses(cases, period),
        *first_session(cases, period),
        *initiation(cases, period),
        *follow_up(cases, period),
        outreach(cases, period),
    ]


def census(cases: Sequence[Case], day: int) -> Figure:
    """Open admissions at the end of a day."""
    count = sum(case.is_open_on(day) for case in cases)
    return Figure("census", "open", count, n=count)


def retention(cases: Sequence[Case], period: Period, days: int) -> Figure:
    """Still admitted and attending on that day, of the admitted who had not completed before."""
    asked = [
        (case, case.admitted + days)
        for case in cases
        if case.admitted is not None
        and period.has(case.admitted)
        and case.admitted + days <= period.as_of
    ]
    asked = [
        (case, day)
        for case, day in asked
        if not (case.reason == "completed" and case.ended is not None and case.ended <= day)
    ]
    kept = sum(
        case.is_open_on(day) and any(day - ATTENDING_WITHIN < d <= day for d, _ in case.visits)
        for case, day in asked
    )
    return _share("retention", str(days), kept, len(asked))


def completion(cases: Sequence[Case], period: Period) -> list[Figure]:
    """Ends in the period by TEDS reason, and their total."""
    ended = [case.reason for case in cases if period.has(case.ended)]
    counts = [(reason, ended.count(reason)) for reason in REASONS]
    return _table("ended", counts, len(ended))


def dose(cases: Sequence[Case], period: Period) -> list[Figure]:
    """Minutes received in the period by those admitted, per week and against the plan."""
    received = planned = days = people = 0
    last = min(period.last, period.as_of)
    for case in cases:
        stay = _stay(case, period.first, last)
        if not stay:
            continue
        people += 1
        days += len(stay)
        planned += _prescribed(case, stay)
        received += sum(minutes for day, minutes in case.visits if day in stay)
    week = round(received * 7 / days, 1) if days else None
    share = round(received * 7 / planned, 4) if planned else None
    return [
        Figure("dose", "minutes_a_week", people, value=week),
        Figure("dose", "share_of_plan", people, value=share),
    ]


def misses(cases: Sequence[Case], period: Period) -> list[Figure]:
    """The seats that were kept, and those missed by no-show or late cancellation."""
    kept = [(c.admission_id, "kept") for c in cases for d, _ in c.visits if period.has(d)]
    missed = [(c.admission_id, kind) for c in cases for d, kind in c.misses if period.has(d)]
    people = len({who for who, _ in kept + missed})
    kinds = [kind for _, kind in kept + missed]
    return _table("seats", [(kind, kinds.count(kind)) for kind in SEATS], people)


def first_session(cases: Sequence[Case], period: Period) -> list[Figure]:
    """Days from referral to the first session, of those referred in the period."""
    referred = [(c.referred, c.first_seen()) for c in cases if period.has(c.referred)]
    took = [seen - day for day, seen in referred if day is not None and seen is not None]
    soon = [(day, seen) for day, seen in referred if day is not None and day + SOON <= period.as_of]
    return [
        Figure(
            "first_session",
            "median_days",
            len(took),
            value=float(median(took)) if took else None,
        ),
        _share(
            "first_session",
            "within_2_days",
            sum(seen is not None and seen - day <= SOON for day, seen in soon),
            len(soon),
        ),
    ]


def initiation(cases: Sequence[Case], period: Period) -> list[Figure]:
    """HEDIS-like: a session within 14 days of the referral; two more days within 34 of it."""
    begun = [
        (c.referred, sorted({day for day, _ in c.visits}))
        for c in cases
        if c.referred is not None and period.has(c.referred)
    ]
    known = [(day, days) for day, days in begun if day + INITIATION <= period.as_of]
    ripe = [(day, days) for day, days in begun if day + INITIATION + ENGAGEMENT <= period.as_of]
    initiated = sum(_initiated(day, days) for day, days in known)
    engaged = sum(
        _initiated(day, days) and sum(days[0] < d <= days[0] + ENGAGEMENT for d in days) >= MORE
        for day, days in ripe
    )
    return [
        _share("initiation", "14", initiated, len(known)),
        _share("engagement", "34", engaged, len(ripe)),
    ]


def follow_up(cases: Sequence[Case], period: Period) -> list[Figure]:
    """Seen here after a hospital; seen by the next place and called after the programme."""
    after: list[Figure] = []
    for days in FOLLOW_UP:
        sent = [
            (c, c.referred)
            for c in cases
            if c.source in HOSPITAL
            and c.referred is not None
            and period.has(c.referred)
            and c.referred + days <= period.as_of
        ]
        ended = [
            (c, c.ended)
            for c in cases
            if c.ended is not None
            and period.has(c.ended)
            and c.ended + days <= period.as_of
            and c.reason in ("completed", "transferred")
        ]
        here = sum(_is_followed(c, day, days) for c, day in sent)
        there = sum(c.seen_next is not None and c.seen_next <= day + days for c, day in ended)
        called = sum(days in c.calls for c, _ in ended)
        after += [
            _share("follow_up_after_hospital", str(days), here, len(sent)),
            _share("seen_after_programme", str(days), there, len(ended)),
            _share("called_after_programme", str(days), called, len(ended)),
        ]
    return sorted(after, key=_measure)


def _measure(figure: Figure) -> str:
    return figure.measure


def outreach(cases: Sequence[Case], period: Period) -> Figure:
    """Of those tried to reach in the period: who came to a session within 14 days of the first."""
    tried = [
        (min(days), case)
        for case in cases
        if (days := [day for day in case.tried if period.has(day)])
    ]
    known = [(day, case) for day, case in tried if day + RETURN_WITHIN <= period.as_of]
    back = sum(any(day <= d <= day + RETURN_WITHIN for d, _ in case.visits) for day, case in known)
    return _share("return_after_outreach", "14", back, len(known))


def _stay(case: Case, first: int, last: int) -> range:
    """The days of the period in which the person was admitted, the last day included."""
    if case.admitted is None:
        return range(0)
    end = last if case.ended is None else min(last, case.ended)
    return range(max(first, case.admitted), end + 1)


def _prescribed(case: Case, stay: range) -> int:
    """Sevenths of minutes: the weekly dose of each day, added up."""
    total, steps = 0, [(day, minutes) for day, minutes in case.plans if day < stay.stop]
    for n, (since, minutes) in enumerate(steps):
        until = steps[n + 1][0] if n + 1 < len(steps) else stay.stop
        total += minutes * max(0, min(until, stay.stop) - max(since, stay.start))
    return total


def _initiated(day: int, days: list[int]) -> bool:
    return bool(days) and days[0] <= day + INITIATION


def _is_followed(case: Case, day: int, within: int) -> bool:
    """Seen here in time. After a stay the same day does not count, after an emergency it does."""
    first = day if case.source == "emergency_department" else day + 1
    return any(first <= d <= day + within for d, _ in case.visits)


def _share(measure: str, part: str, n: int, of: int) -> Figure:
    return Figure(measure, part, of, n=n, of=of, value=_ratio(n, of))


def _table(measure: str, counts: Sequence[tuple[str, int]], people: int) -> list[Figure]:
    """Cells and then their total."""
    total = sum(n for _, n in counts)
    return [
        *(
            Figure(measure, part, people, n, total, _ratio(n, total), group=measure)
            for part, n in counts
        ),
        Figure(measure, "all", people, n=total, of=total, group=measure),
    ]


def _ratio(n: int, of: int) -> float | None:
    return round(n / of, 4) if of else None
