"""One claimed batch on its way through the rules, and how its outcomes are told and written."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from uuid import UUID

from alerts import board, notices, record, store
from alerts.facts import Fact
from alerts.policies import Policies
from alerts.record import Glimpse
from alerts.rules import Ladder, Outcome
from alerts.store import Row
from alerts.story import Pause, Story
from alerts.telling import About, Telling, names
from handrail import metrics, outbox
from handrail.events import Event
from handrail.events.alerts import AlertRaised
from handrail.outbox import Connection
from handrail.sites import Site, zone_of


@dataclass(slots=True)
class Batch:
    """One claimed batch on its way through the rules."""

    ladder: Ladder
    rows: dict[UUID, Row] = field(default_factory=dict)
    sites: dict[str, Site] = field(default_factory=dict)
    assessments: list[tuple[object, ...]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    causes: list[str | None] = field(default_factory=list)
    telling: Telling = field(default_factory=Telling)
    policies: Policies = field(default_factory=Policies)
    now: datetime | None = None

    def ladder_on(self, site_id: str, day: int) -> Ladder:
        """The ladder of a site on a day (an ordinal): its policy then, and the table."""
        policy = self.policies.on(site_id, day)
        return self.ladder if policy is self.ladder.policy else replace(self.ladder, policy=policy)

    def glimpse(self, row: Row, before: list[Fact]) -> Glimpse:
        """What the row's waiting facts bring, by the policy of the day they count in."""
        day = max((fact.recorded for fact in row.record.waiting), default=0)
        return record.glimpse(row.record, self.ladder_on(row.site_id, day), before)


def tell(
    batch: Batch,
    row: Row,
    settled: list[Outcome],
    glimpse: Glimpse,
    story: Story | None = None,
) -> None:
    """Publish what is new, confirm what is settled, take back what does not hold.

    `story` is the settled one, once a day has ended.
    """
    said, site, early = row.record.said, batch.sites.get(row.site_id), glimpse.outcomes
    if site is None:
        return
    present = glimpse.story or story
    back = record.taken_back(said, settled + early)
    never = {outcome.spell for outcome in back if outcome.what == "opened"}
    for outcome in back:
        if outcome.what != "opened" and outcome.spell in never:
            continue
        batch.telling.take_back(_about(batch, row, site, outcome.day), outcome)
    already = names(said)
    for outcome in settled:
        new = outcome.name() not in already
        batch.telling.tell(_about(batch, row, site, outcome.day), outcome, new=new, held=True)
    # What was said before is told to the tables again when anything has moved under it.
    for outcome in early if settled or early != said else ():
        new = outcome.name() not in already
        batch.telling.tell(_about(batch, row, site, outcome.day), outcome, new=new, held=False)
    if present and present.concern:
        concern = present.concern
        batch.telling.stand(_about(batch, row, site, concern.opened), concern)
    row.record.said = early
    if present:
        _pause(batch, row, site, present)


def _pause(batch: Batch, row: Row, site: Site, story: Story) -> None:
    """Nothing is due while absence is expected; afterwards it is due afresh."""
    concern = story.concern
    reason = story.hold if concern and concern.level else ""
    if concern and reason != row.record.paused:
        day = (batch.now.date() if batch.now else site.closed_through).toordinal()
        batch.telling.pause(_about(batch, row, site, day), reason, concern.level)
    row.record.paused = reason


def log_suppressions(batch: Batch, row: Row, before: list[Pause], after: list[Pause]) -> None:
    """Log both ends of each stretch in which absence was expected."""
    batch.telling.suppressions += [
        (
            row.admission_id,
            date.fromordinal(first),
            reason,
            row.site_id,
            date.fromordinal(last) if last is not None else None,
        )
        for reason, first, last in after
        if (reason, first, last) not in before
    ]


def _about(batch: Batch, row: Row, site: Site, on: int) -> About:
    day = date.fromordinal(on)
    # An alert comes to be when its cause is known, not when the seat stood empty.
    at: datetime = row.heard_at or site.end_of(day)
    return About(
        row.admission_id,
        row.site_id,
        at,
        at,
        day,
        row.cause,
        batch.policies.on(row.site_id, on),
        batch.ladder.table.version,
        batch.now if site.clock == "wall" else None,
        zone_of(site.time_zone),
    )


def _count_alerts(batch: Batch) -> None:
    for event in batch.telling.events:
        if not isinstance(event, AlertRaised):
            continue
        metrics.ALERTS.labels(event.level).inc()
        heard_at = batch.rows[event.admission_id].heard_at
        if heard_at and batch.sites[event.site_id].clock == "wall":
            metrics.TO_ALERT.observe((datetime.now(UTC) - heard_at).total_seconds())


async def write(conn: Connection, batch: Batch) -> None:
    """Write rows, concerns and alerts, and stage the events, each with one statement."""
    telling = batch.telling
    _count_alerts(batch)
    await store.save(conn, batch.rows.values())
    await store.add_assessments(conn, batch.assessments)
    await board.save_concerns(conn, telling.concerns.values())
    await board.save_alerts(conn, telling.alerts.values(), telling.withdrawn)
    for alert in await board.weigh_alerts(conn, telling.standing()):
        telling.say_withdrawn(*alert)
    if batch.now:
        await notices.tell(conn, telling.news)
        await notices.take_back(conn, telling.unsaid())
    await board.save_pauses(conn, telling.pauses)
    await board.save_firings(conn, telling.firings)
    await board.save_suppressions(conn, telling.suppressions)
    closings = [event for event, _ in telling.closings]
    await outbox.stage(
        conn,
        [*batch.events, *telling.events, *closings],
        [*batch.causes, *telling.causes, *(cause for _, cause in telling.closings)],
    )
