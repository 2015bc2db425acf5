"""Aftercare's use case: take commands about hand-offs, many at a time, and end their days."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID

from aftercare import commands, rules, store
from aftercare.commands import AnyCommand
from aftercare.facts import HandOff, When
from handrail import outbox, receipts, sites
from handrail.events import AdmissionEvent, Event
from handrail.events.aftercare import AftercareDayClosed
from handrail.outbox import Connection
from handrail.receipts import Command, Rejected, Result, moment_of
from handrail.sites import Site
from handrail.writes import write


async def take(conn: Connection, taken: Sequence[AnyCommand], now: datetime) -> list[Result]:
    """Carry out the commands in this order; one result each. A refused one changes nothing.

    Thirteen statements at most, however many commands and open hand-offs.
    """
    known = await _load(conn, taken)
    receipted = await receipts.find(conn, (c.receipt() for c in taken))
    batch = _Batch(receipted, known, now)
    results = [batch.carry_out(command) for command in taken]
    await store.save(conn, [batch.known.hand_offs[i] for i in batch.changed])
    await sites.move(conn, batch.closed)
    await write(conn, receipts.entered(batch.taken), outbox.staged(batch.events))
    return results


async def end_day(conn: Connection, site: Site, day: date, end: datetime) -> None:
    """What hangs on the end of a site's day, before the day is closed."""
    found = await store.load(conn, await store.waiting(conn, {site.site_id: day}))
    ended = [rules.end_day(hand_off, day, end) for hand_off in found.values()]
    await store.save(conn, [hand_off for hand_off, told in ended if told])
    await outbox.stage(conn, [event for _, told in ended for event in told])


@dataclass(slots=True)
class _Known:
    admissions: dict[UUID, tuple[str, bool]] = field(default_factory=dict)
    sites: dict[str, Site] = field(default_factory=dict)
    hand_offs: dict[UUID, HandOff] = field(default_factory=dict)


class _Batch:
    def __init__(
        self, receipted: dict[tuple[str, str], UUID | None], known: _Known, now: datetime
    ) -> None:
        self.receipted, self.known, self.now = receipted, known, now
        self.events: list[Event] = []
        self.taken: list[tuple[str, str, UUID | None]] = []
        self.changed: dict[UUID, None] = {}
        self.closed: dict[str, date] = {}

    def carry_out(self, command: AnyCommand) -> Result:
        receipt = (command.source, command.key)
        if receipt in self.receipted or self._is_closed(command):
            subject = self.receipted.get(receipt)
            return Result(key=command.key, status="duplicate", subject=subject)
        try:
            subject = self._decide(command)
        except Rejected as rejected:
            return rejected.result(command.key)
        self.receipted[receipt] = subject
        self.taken.append((*receipt, subject))
        return Result(key=command.key, status="applied", subject=subject)

    def _decide(self, command: AnyCommand) -> UUID | None:
        if command.do == "close_day":
            self._close_day(command)
            return None
        if command.do == "start_step_down":
            return self._start(command)
        found = self.known.hand_offs.get(command.step_down_id)
        if found is None:
            raise Rejected("step_down_unknown", "No step-down has that identifier.", "step_down_id")
        when = _when(self._site(found.site_id), command, self.now)
        return self._enter(*rules.decide(found, command, when))

    def _start(self, command: commands.StartStepDown) -> UUID:
        found = self.known.admissions.get(command.admission_id)
        if found is None:
            raise Rejected(
                "admission_unknown", "No admission of that identifier is known.", "admission_id"
            )
        site_id, is_merged = found
        if is_merged:
            raise Rejected(
                "merged", "It is merged into another admission; name that one.", "admission_id"
            )
        site = self._site(site_id)
        when = _when(site, command, self.now)
        started_on = site.day_of(command.occurred_at)
        return self._enter(*rules.start(site_id, command, started_on, when))

    def _close_day(self, command: commands.CloseDay) -> None:
        site = self._site(command.site_id)
        if site.clock != "replay":
            raise Rejected("site_on_wall_clock", "Its days close by themselves.", "site_id")
        day, end = command.day, site.end_of(command.day)
        here = [h for h in self.known.hand_offs.values() if h.site_id == site.site_id]
        for hand_off in here:
            after, told = rules.end_day(hand_off, day, end)
            if told:
                self._enter(after, told)
        self.events += sites.closed_events(AftercareDayClosed, site, day)
        self.known.sites[site.site_id] = replace(site, closed_through=day)
        self.closed[site.site_id] = day

    def _is_closed(self, command: AnyCommand) -> bool:
        if command.do != "close_day":
            return False
        site = self.known.sites.get(command.site_id)
        return site is not None and site.clock == "replay" and command.day <= site.closed_through

    def _site(self, site_id: str) -> Site:
        found = self.known.sites.get(site_id)
        if found is None:
            raise Rejected("site_unknown", "No site has that identifier.", "site_id")
        return found

    def _enter(self, hand_off: HandOff, told: Sequence[AdmissionEvent]) -> UUID:
        self.known.hand_offs[hand_off.step_down_id] = hand_off
        self.changed[hand_off.step_down_id] = None
        self.events += told
        return hand_off.step_down_id


def _when(site: Site, command: Command, now: datetime) -> When:
    moment = moment_of(site, command, now)
    return {
        "occurred_at": command.occurred_at,
        "recorded_at": moment.recorded_at,
        "recorded_day": moment.recorded_day,
    }


async def _load(conn: Connection, taken: Sequence[AnyCommand]) -> _Known:
    """What the commands name. Sites are locked before hand-offs, as at the end of a day."""
    persons: set[UUID] = set()
    named: set[UUID] = set()
    closing: dict[str, date] = {}
    for command in taken:
        if command.do == "close_day":
            closing[command.site_id] = max(command.day, closing.get(command.site_id, command.day))
        elif command.do == "start_step_down":
            persons.add(command.admission_id)
        else:
            named.add(command.step_down_id)
    admissions = await store.homes(conn, persons)
    homes = {site_id for site_id, _ in admissions.values()}
    site_ids = {*homes, *await store.sites_of_hand_offs(conn, named), *closing}
    await sites.hold(conn, closing)
    known_sites = await sites.load(conn, site_ids)
    replayed = {s: day for s, day in closing.items() if _is_on_replay(known_sites.get(s))}
    hand_offs = await store.load(conn, named | await store.waiting(conn, replayed))
    return _Known(admissions, known_sites, hand_offs)


def _is_on_replay(site: Site | None) -> bool:
    return site is not None and site.clock == "replay"
