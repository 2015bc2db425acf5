"""Intake's use case: take commands about referrals and admissions, many at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeAlias
from uuid import UUID, uuid4

from handrail import outbox, receipts, sites
from handrail.events import Event
from handrail.events.intake import IntakeDayClosed, ReferralReceived
from handrail.outbox import Connection
from handrail.receipts import Moment, Rejected, Result, moment_of
from handrail.sites import Site
from handrail.writes import write
from intake import rules, store
from intake.commands import (
    AdmissionChange,
    AdmissionCommand,
    AnyCommand,
    CatalogueChange,
    CloseDay,
    ListProgram,
    MergeAdmissions,
    PairCommand,
    ProgramCommand,
    ReceiveReferral,
)
from intake.facts import Admission, Matter, Program
from intake.rules import Decided, catalogue, merge
from intake.store import people

Change: TypeAlias = AdmissionChange | CatalogueChange


async def take(conn: Connection, taken: Sequence[AnyCommand], now: datetime) -> list[Result]:
    """Carry out the commands in this order; one result each. A refused one changes nothing.

    Ten statements at most for all commands between two closed days, four for a closed day.
    """
    results: list[Result] = []
    between: list[Change] = []
    for command in taken:
        if not isinstance(command, CloseDay):
            between.append(command)
            continue
        results += await _take(conn, between, now)
        results.append(await _close_day(conn, command))
        between = []
    return results + await _take(conn, between, now)


async def _close_day(conn: Connection, command: CloseDay) -> Result:
    """A day is closed once whatever the command's key, so this needs no receipt."""
    site = (await sites.load(conn, [command.site_id])).get(command.site_id)
    if site is None:
        refusal = Rejected("site_unknown", "No site has that identifier.", "site_id")
        return refusal.result(command.key)
    if site.clock != "replay":
        refusal = Rejected("site_on_wall_clock", "Its days close by themselves.", "site_id")
        return refusal.result(command.key)
    done = await sites.close_day(conn, site.site_id, command.day, IntakeDayClosed)
    return Result(key=command.key, status="applied" if done else "duplicate")


async def _take(conn: Connection, taken: Sequence[Change], now: datetime) -> list[Result]:
    if not taken:
        return []
    referrals = await _referrals(conn, taken)
    await _learn_sites(conn, taken, now)
    duplicates = {c.duplicate_id for c in taken if isinstance(c, PairCommand)}
    named = filter(None, (_named(c, referrals) for c in taken))
    admissions = await store.load(conn, {*named, *duplicates})
    last_seen = await people.last_seen(conn, duplicates)
    site_ids = {a.site_id for a in admissions.values()}
    site_ids |= {c.site_id for c in taken if isinstance(c, ReceiveReferral | ProgramCommand)}
    known_sites = await sites.load(conn, site_ids)
    known = await receipts.find(conn, (c.receipt() for c in taken))
    batch = _Batch(known, referrals, admissions, known_sites, last_seen, now)
    results = [batch.carry_out(command) for command in taken]
    await store.save(conn, [admissions[i] for i in batch.changed])
    await store.list_programs(conn, batch.programs)
    await write(conn, receipts.entered(batch.taken), outbox.staged(batch.events))
    return results


@dataclass(slots=True)
class _Batch:
    known: dict[tuple[str, str], UUID | None]
    referrals: dict[tuple[str, str], UUID]
    admissions: dict[UUID, Admission]
    sites: dict[str, Site]
    last_seen: dict[UUID, date]
    now: datetime
    events: list[Event] = field(default_factory=list)
    taken: list[tuple[str, str, UUID | None]] = field(default_factory=list)
    changed: dict[UUID, None] = field(default_factory=dict)
    programs: dict[tuple[str, str], Program | None] = field(default_factory=dict)

    def carry_out(self, command: Change) -> Result:
        receipt = (command.source, command.key)
        if receipt in self.known:
            return Result(key=command.key, status="duplicate", subject=self.known[receipt])
        subject: UUID | None
        try:
            if isinstance(command, ProgramCommand):
                self._list(command)
                subject = None
            else:
                subject = self._enter(self._decide(command))
        except Rejected as rejected:
            return rejected.result(command.key)
        self.taken.append((*receipt, subject))
        self.known[receipt] = subject
        return Result(key=command.key, status="applied", subject=subject)

    def _enter(self, decided: Sequence[Decided]) -> UUID:
        """Keep what was decided; the subject is the last admission of it."""
        for admission, events in decided:
            subject = admission.admission_id
            self.admissions[subject] = admission
            self.changed[subject] = None
            self.events += events
        return subject

    def _list(self, command: CatalogueChange) -> None:
        site = self.sites.get(command.site_id)
        if site is None:
            raise Rejected("site_unknown", "No site has that identifier.", "site_id")
        moment = moment_of(site, command, self.now)
        name = (command.site_id, command.program_id)
        if isinstance(command, ListProgram):
            self.programs[name], event = catalogue.list_program(site, command, moment)
            self.events.append(event)
        else:
            self.programs[name] = None
            self.events.append(catalogue.unlist_program(site, command, moment))

    def _decide(self, command: AdmissionChange) -> Sequence[Decided]:
        if isinstance(command, ReceiveReferral):
            site = self.sites[command.site_id]
            if (site.time_zone, site.clock) != (command.time_zone, command.clock):
                raise Rejected("site_differs", "The site has another zone or clock.", "time_zone")
            decided = _open(command, moment_of(site, command, self.now))
            self.referrals[(command.source, command.key)] = decided[0].admission_id
            return (decided,)
        matter = self._matter(_named(command, self.referrals), command, "admission_id")
        if not isinstance(command, PairCommand):
            return (rules.decide(matter, command),)
        other = self._matter(command.duplicate_id, command, "duplicate_id")
        if isinstance(command, MergeAdmissions):
            return merge.merge(matter, other, self.last_seen.get(command.duplicate_id))
        return merge.unmerge(matter, other)

    def _matter(self, subject: UUID | None, command: AdmissionCommand, name: str) -> Matter:
        found = self.admissions.get(subject) if subject else None
        if found is None:
            raise Rejected("admission_unknown", "No referral or admission has that name.", name)
        site = self.sites[found.site_id]
        moment = moment_of(site, command, self.now)
        return Matter(
            found,
            command.occurred_at,
            moment.recorded_at,
            moment.recorded_day,
            is_played=site.clock == "replay",
        )


def _open(command: ReceiveReferral, moment: Moment) -> Decided:
    admission = Admission(
        admission_id=uuid4(),
        patient_id=command.patient_id or uuid4(),
        site_id=command.site_id,
        status="referred",
        referral_source=command.referral_source,
        referred_at=command.occurred_at,
    )
    event = ReferralReceived(
        site_id=command.site_id,
        admission_id=admission.admission_id,
        occurred_at=command.occurred_at,
        recorded_at=moment.recorded_at,
        recorded_day=moment.recorded_day,
        patient_id=admission.patient_id,
        time_zone=command.time_zone,
        clock=command.clock,
        source=command.referral_source,
    )
    return admission, (event,)


async def _referrals(conn: Connection, taken: Sequence[Change]) -> dict[tuple[str, str], UUID]:
    """The admissions that the senders' referral keys name."""
    wanted = [
        (c.source, c.referral_key)
        for c in taken
        if isinstance(c, AdmissionCommand) and c.referral_key
    ]
    found = await receipts.find(conn, wanted)
    return {name: subject for name, subject in found.items() if subject}


async def _learn_sites(conn: Connection, taken: Sequence[Change], now: datetime) -> None:
    """A site is known from its first referral on."""
    seen = []
    for command in taken:
        if isinstance(command, ReceiveReferral):
            try:
                zone = sites.zone_of(command.time_zone)
            except sites.UnknownTimeZoneError as error:
                raise Rejected("time_zone_not_iana", "Name an IANA zone.", "time_zone") from error
            day = (command.recorded_at or now).astimezone(zone).date()
            seen.append((command.site_id, command.time_zone, command.clock, day))
    await sites.learn(conn, seen)


def _named(command: Change, referrals: dict[tuple[str, str], UUID]) -> UUID | None:
    if not isinstance(command, AdmissionCommand):
        return None
    if command.admission_id:
        return command.admission_id
    return referrals.get((command.source, command.referral_key or ""))
