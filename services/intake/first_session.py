"""Intake's use case for what attendance tells: clocks that stop, start again or run out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from handrail import outbox, sites
from handrail.envelope import Received
from handrail.events import AdmissionEvent
from handrail.events.attendance import (
    AttendanceCorrected,
    AttendanceDayClosed,
    SeatEvent,
    SessionAttended,
)
from handrail.outbox import Connection
from handrail.sites import Site
from handrail.topics import partition_of
from intake.rules import clock as rules
from intake.rules.clock import Clock, Visit
from intake.store import clock as store


async def take(conn: Connection, received: Sequence[Received]) -> None:
    """Apply a batch with eight statements at most; the result does not depend on its bounds."""
    heard = [r for r in received if _is_of_use(r)]
    if not heard:
        return
    known = await sites.known(conn)
    touched = {r.event.admission_id for r in heard if isinstance(r.event, SeatEvent)}
    corrected = {r.event.admission_id for r in heard if isinstance(r.event, AttendanceCorrected)}
    clocks = await store.load(conn, touched, _until(heard, known))
    batch = _Batch(known, {clock.admission_id: clock for clock in clocks})
    for admission_id, visit in await store.visits(conn, corrected):
        batch.clocks[admission_id].visits[visit.session_id] = visit
    for one in heard:
        batch.hear(one)
    await store.enter(conn, batch.visits)
    await store.save(conn, [batch.clocks[i] for i in batch.changed])
    if batch.events:
        # Held now, so that what is staged lies before the day's own end.
        open_days = await sites.load(conn, {event.site_id for event in batch.events})
        events = [_in_open_day(event, open_days[event.site_id]) for event in batch.events]
        await outbox.stage(conn, events, batch.causes)


@dataclass(slots=True)
class _Batch:
    sites: dict[str, Site]
    clocks: dict[UUID, Clock]
    visits: dict[tuple[UUID, UUID], Visit | None] = field(default_factory=dict)
    changed: dict[UUID, None] = field(default_factory=dict)
    events: list[AdmissionEvent] = field(default_factory=list)
    causes: list[str | None] = field(default_factory=list)

    def hear(self, received: Received) -> None:
        event = received.event
        if isinstance(event, AttendanceDayClosed):
            self._end_day(received, event)
        elif isinstance(event, SessionAttended | AttendanceCorrected):
            self._see(received, event)

    def _see(self, received: Received, event: SessionAttended | AttendanceCorrected) -> None:
        clock = self.clocks.get(event.admission_id)
        if clock is None:
            return
        site, visit = self.sites[clock.site_id], None
        if isinstance(event, SessionAttended) or event.now == "attended":
            day = event.attended_on or event.planned_on or event.recorded_day
            visit = rules.visited(site, event.session_id, day, event.occurred_at)
        self.visits[(event.admission_id, event.session_id)] = visit
        if rules.see(clock, event.session_id, visit):
            self._tell(received, rules.told(clock, site, event.session_id, event))

    def _end_day(self, received: Received, closed: AttendanceDayClosed) -> None:
        for clock in self.clocks.values():
            if clock.site_id != closed.site_id:
                continue
            if partition_of(clock.admission_id) != closed.partition:
                continue
            event = rules.end_day(clock, self.sites[clock.site_id], closed.day)
            if event:
                self._tell(received, event)

    def _tell(self, received: Received, event: AdmissionEvent) -> None:
        self.changed[event.admission_id] = None
        self.events.append(event)
        self.causes.append(received.traceparent)


def _is_of_use(received: Received) -> bool:
    event = received.event
    if isinstance(event, AttendanceCorrected):
        return "attended" in (event.was, event.now)
    return isinstance(event, SessionAttended | AttendanceDayClosed)


def _until(heard: Sequence[Received], known: dict[str, Site]) -> dict[str, datetime]:
    """By site: who was referred until then has a clock that is out at the last day's end."""
    found: dict[str, datetime] = {}
    for received in heard:
        event = received.event
        if isinstance(event, AttendanceDayClosed) and event.site_id in known:
            until = known[event.site_id].end_of(event.day) - rules.CLOCK
            found[event.site_id] = max(until, found.get(event.site_id, until))
    return found


def _in_open_day(event: AdmissionEvent, site: Site) -> AdmissionEvent:
    return event.model_copy(update={"recorded_day": site.recorded_day(event.recorded_at)})
