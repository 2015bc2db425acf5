"""One person: what happened, how likely they are to be lost and why, and what was tried."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from alerts import record
from alerts.corrections import corrected
from alerts.facts import Fact
from alerts.page import history
from alerts.page.access import Member
from alerts.page.chart import Line, risk_line
from alerts.page.history import Known
from alerts.page.store import concerns, is_in_scope
from alerts.page.strip import Week, weeks
from alerts.risk.table import Assessment, assess, reason_in_words, what_would_lower
from alerts.rules import Ladder
from alerts.story import Story, learn
from handrail.outbox import Connection
from handrail.sites import zone_of

DAYS_DRAWN = 56


@dataclass(frozen=True, slots=True)
class Risk:
    """The sum on one day: each reason's words and points add up to the score."""

    day: date
    assessment: Assessment
    reasons: list[tuple[str, float]]
    if_seen: float | None
    version: str


@dataclass(frozen=True, slots=True)
class Person:
    """What the page shows of one admission."""

    known: Known
    concerns: list[dict[str, Any]]
    today: date
    weeks: list[Week]
    risk: Risk | None
    days: list[dict[str, Any]]
    line: Line | None
    story: Story
    steps: list[tuple[str, date, str]]

    def open_concern(self) -> dict[str, Any] | None:
        """The concern there is work on."""
        return next((c for c in self.concerns if c["closed_at"] is None), None)


async def find(
    conn: Connection, member: Member, admission_id: UUID, ladder: Ladder, day: date | None = None
) -> Person | None:
    """The person as known now; None when there is none, or none that the member may see."""
    known = await history.known(conn, admission_id)
    if known is None or not is_in_scope({"program_id": known.program_id}, member):
        return None
    found = await concerns(conn, await history.concerns_of(conn, admission_id))
    facts = await history.facts(conn, admission_id)
    days = await history.assessments(conn, admission_id, DAYS_DRAWN)
    today = _today(known, days)
    story = record.present(record.decode(known.body), ladder, _told_before(known, facts))
    risks = [row["risk28"] for row in reversed(days)]
    table = ladder.table
    return Person(
        known,
        found,
        today,
        weeks(facts, today),
        _risk(story, facts, day or today, today, ladder),
        days,
        risk_line(risks, table.middle, table.high),
        story,
        _steps(facts),
    )


_STEPS = ("stepping_down", "first_visit_kept", "first_visit_missed", "returned_to_care", "stepped")


def _steps(facts: list[Fact]) -> list[tuple[str, date, str]]:
    """The way out of this care, and back: what, when, where to; the latest first."""
    told = sorted((f for f in facts if f.what in _STEPS), key=Fact.order, reverse=True)
    return [
        (f.what, date.fromordinal(f.day or f.recorded), f.codes[0] if f.codes else "") for f in told
    ]


def _today(known: Known, days: list[dict[str, Any]]) -> date:
    if known.clock == "wall":
        return datetime.now(UTC).astimezone(zone_of(known.time_zone)).date()
    return known.closed_through or (days[0]["day"] if days else datetime.now(UTC).date())


def _told_before(known: Known, facts: list[Fact]) -> list[Fact]:
    waiting = {(f.owner, f.sequence) for f in record.decode(known.body).waiting}
    return [fact for fact in facts if (fact.owner, fact.sequence) not in waiting]


def _risk(story: Story, facts: list[Fact], day: date, today: date, ladder: Ladder) -> Risk | None:
    if day < today:
        story = Story()
        for fact in corrected([f for f in facts if f.recorded <= day.toordinal()]):
            learn(story, fact)
    if story.admitted is None:
        return None
    found = assess(story.behaviour, day.toordinal(), ladder.table)
    ranked = sorted(found.reasons, key=lambda reason: -reason.points)
    reasons = [(reason_in_words(reason), reason.points) for reason in ranked]
    is_now = day == today and story.phase == "admitted"
    lower = what_would_lower(story.behaviour, day.toordinal(), ladder.table)[1] if is_now else None
    return Risk(day, found, reasons, lower, ladder.table.version)
