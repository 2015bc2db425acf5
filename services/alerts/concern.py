"""The use case of alerts: take facts, end days, and tell what follows; set-wise throughout."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby
from typing import TypeAlias
from uuid import UUID

from alerts import policies, record, store, teams
from alerts.batch import Batch, log_suppressions, tell, write
from alerts.facts import Fact, fact_of
from alerts.record import Settled
from alerts.risk.table import Assessment
from alerts.rules import BANDS, Ladder, Outcome
from alerts.store import Row
from handrail import sites
from handrail.envelope import Received
from handrail.events import AdmissionEvent, DayClosed
from handrail.events.alerts import AlertsDayClosed, RiskChanged
from handrail.events.intake import (
    AdmissionsMerged,
    AdmissionsUnmerged,
    IntakeCompleted,
    ReferralReceived,
    Transferred,
)
from handrail.outbox import Connection
from handrail.sites import Site, closed_event

# Whose days must be closed before a day is over here.
READS = ("intake", "attendance", "aftercare")


# How far a site's days are over on a partition: the last one before, the new one, and its cause.
Ended: TypeAlias = dict[tuple[str, int], tuple[date | None, date, str | None]]


async def take(conn: Connection, received: Sequence[Received], ladder: Ladder) -> None:
    """Take what was heard: keep its facts, raise what is early, end days that are over."""
    batch = Batch(ladder)
    told = await _keep_facts(conn, batch, received)
    ended = await _days_to_end(conn, received)
    for i, row in (await store.load_due(conn, ended)).items():
        due = batch.rows.setdefault(i, row)
        due.cause = due.cause or ended[due.site_id, due.partition][2]
    await _load_sites(conn, batch, {site_id for site_id, _ in ended})
    history = await _histories(conn, batch.rows.values())
    for (site_id, partition), (after, through, cause) in ended.items():
        rows = [row for row in batch.rows.values() if row.place == (site_id, partition)]
        _end_days(batch, site_id, rows, _days(rows, after, through), history)
        _close_days(batch, batch.sites[site_id], partition, through, cause)
    await store.end_days(conn, {place: through for place, (_, through, _) in ended.items()})
    touched = {i for i, _ in told}
    for i, row in batch.rows.items():
        if i in touched and row.record.waiting and row.place not in ended:
            tell(batch, row, [], batch.glimpse(row, _before(row, history)))
    await write(conn, batch)


async def apply_own(
    conn: Connection, row: Row, fact: Fact, events: Sequence[AdmissionEvent], ladder: Ladder
) -> None:
    """Take a fact of this service's own, stage its events, and tell what follows at once.

    The row's `heard_at` is when the fact was recorded.
    """
    batch = Batch(ladder, rows={row.admission_id: row})
    row.record.waiting.append(fact)
    await store.add_facts(conn, [(row.admission_id, fact)])
    await sites.load(conn, [row.site_id])
    await _load_sites(conn, batch, ())
    batch.events += events
    batch.causes += [None] * len(events)
    history = await _histories(conn, [row])
    tell(batch, row, [], batch.glimpse(row, _before(row, history)))
    await write(conn, batch)


async def _keep_facts(
    conn: Connection, batch: Batch, received: Sequence[Received]
) -> list[tuple[UUID, Fact]]:
    """Add each event's fact to its admission's row and to the admission's history."""
    about = [r for r in received if isinstance(r.event, AdmissionEvent)]
    batch.rows = await store.load(conn, {r.key for r in about})
    referrals = [r.event for r in about if isinstance(r.event, ReferralReceived)]
    await sites.learn(conn, ((e.site_id, e.time_zone, e.clock, e.recorded_day) for e in referrals))
    told = []
    for one in about:
        row = batch.rows.get(one.key)
        if row is None:
            row = batch.rows[one.key] = Row.new(one.key, one.event.site_id, one.partition)
        fact = fact_of(one)
        if fact is not None:
            row.record.waiting.append(fact)
            row.cause, row.heard_at = one.traceparent, one.event.recorded_at
            told.append((one.key, fact))
    await store.add_facts(conn, told)
    placed = [r.event for r in about if isinstance(r.event, IntakeCompleted | Transferred)]
    people = {e.admission_id: (e.admission_id, e.program_id, e.track) for e in placed}
    await store.learn_people(conn, list(people.values()))
    await teams.learn(conn, (r.event for r in about))
    await store.learn_merges(conn, _merges(received))
    return told


def _merges(received: Iterable[Received]) -> dict[tuple[UUID, UUID], bool]:
    """Who is merged into whom, or no more: told by the duplicate's stream alone, in its order."""
    return {
        (event.duplicate_id, event.survivor_id): isinstance(event, AdmissionsMerged)
        for event in (one.event for one in received)
        if isinstance(event, AdmissionsMerged | AdmissionsUnmerged)
        and event.admission_id == event.duplicate_id
    }


async def _days_to_end(conn: Connection, received: Sequence[Received]) -> Ended:
    closings = [(r, r.event) for r in received if isinstance(r.event, DayClosed)]
    if not closings:
        return {}
    await store.hear(conn, [(e.site_id, e.partition, r.owner, e.day) for r, e in closings])
    causes = {(e.site_id, e.partition): r.traceparent for r, e in closings}
    found = await store.days_to_end(conn, causes, len(READS))
    return {place: (after, through, causes[place]) for place, (after, through) in found.items()}


async def _load_sites(conn: Connection, batch: Batch, ended: Iterable[str]) -> None:
    wanted = {row.site_id for row in batch.rows.values()} | set(ended)
    batch.sites, batch.policies, batch.now = await policies.around(conn, wanted)


async def _histories(conn: Connection, rows: Iterable[Row]) -> dict[UUID, list[Fact]]:
    """The facts of those admissions in which a correction waits."""
    wanted = [row.admission_id for row in rows if row.record.needs_history()]
    return await store.facts_of(conn, wanted) if wanted else {}


def _before(row: Row, history: dict[UUID, list[Fact]]) -> list[Fact]:
    """The facts already told: all but those that wait."""
    waiting = {(fact.owner, fact.sequence) for fact in row.record.waiting}
    facts = history.get(row.admission_id, [])
    return [fact for fact in facts if (fact.owner, fact.sequence) not in waiting]


def _days(rows: Sequence[Row], after: date | None, through: date) -> list[int]:
    """The days to end, in order: from the first fact on where none was ended before."""
    last = through.toordinal()
    if after is not None:
        return list(range(after.toordinal() + 1, last + 1))
    first = min((f.recorded for row in rows for f in row.record.waiting), default=last)
    return list(range(min(first, last), last + 1))


def _end_days(
    batch: Batch,
    site_id: str,
    rows: Sequence[Row],
    days: list[int],
    history: dict[UUID, list[Fact]],
) -> None:
    for row in rows:
        outcomes: list[Outcome] = []
        for policy, spell in groupby(days, lambda day: batch.policies.on(site_id, day)):
            ladder, before = replace(batch.ladder, policy=policy), _before(row, history)
            settled = _settle(batch, row, ladder, list(spell), before)
            outcomes += settled.outcomes
        early = batch.glimpse(row, _before(row, history))
        tell(batch, row, outcomes, early, settled.story)


def _settle(batch: Batch, row: Row, ladder: Ladder, days: list[int], before: list[Fact]) -> Settled:
    settled = record.settle(row.record, days, ladder, before)
    log_suppressions(batch, row, settled.pauses, settled.story.expected_absences())
    band = settled.band
    row.watched = settled.watched
    for day, assessment, level in settled.assessments:
        batch.assessments.append(
            (
                row.admission_id,
                date.fromordinal(day),
                row.site_id,
                assessment.risk28,
                assessment.risk14,
                assessment.score,
                level,
                ladder.table.version,
            )
        )
        band = _say_band(batch, row, day, assessment, band)
    return settled


def _say_band(batch: Batch, row: Row, day: int, assessment: Assessment, band: int) -> int:
    now = batch.ladder.band_of(assessment)
    if now != band:
        end = batch.sites[row.site_id].end_of(date.fromordinal(day))
        event = RiskChanged(
            site_id=row.site_id,
            admission_id=row.admission_id,
            occurred_at=end,
            recorded_at=end,
            recorded_day=date.fromordinal(day),
            table_version=batch.ladder.table.version,
            risk28=assessment.risk28,
            risk14=assessment.risk14,
            band=BANDS[now],
        )
        batch.events.append(event)
        batch.causes.append(row.cause)
    return now


def _close_days(batch: Batch, site: Site, partition: int, through: date, cause: str | None) -> None:
    """Say that everything that hung on this day is decided."""
    event = closed_event(AlertsDayClosed, site, through, partition)
    batch.telling.closings.append((event, cause))
