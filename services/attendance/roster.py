"""Attendance's use case: take commands about sessions, seats and persons, many at a time."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from attendance import (
    ahead,
    bookings,
    commands,
    history,
    instruments,
    measures,
    moves,
    notes,
    planning,
    rules,
    seats,
    series_rows,
    store,
)
from attendance.commands import AnyCommand, SeatingCommand
from attendance.facts import Admission, Chair, Seat, Session, When
from attendance.known import Known, load
from attendance.measures import Measure
from attendance.rules import Decided
from attendance.seats import SessionCommand
from attendance.series import CalendarCommand
from handrail import outbox, receipts, sites
from handrail.events import Event
from handrail.events.attendance import AttendanceDayClosed
from handrail.receipts import Command, Rejected, Result, moment_of


async def take(conn: outbox.Connection, taken: Sequence[AnyCommand], now: datetime) -> list[Result]:
    """Carry out the commands in this order; one result each. A refused one changes nothing.

    What changes the calendar, and the end of a day with planned sessions, goes alone.
    """
    has_plans = await _sites_with_plans(conn, taken)
    results: list[Result] = []
    between: list[SeatingCommand] = []
    for command in taken:
        if isinstance(command, CalendarCommand):
            results += await _take(conn, between, now)
            results.append(await planning.take(conn, command, now))
            between = []
        elif command.do == "close_day" and command.site_id in has_plans:
            results += await _take(conn, between, now)
            results.append(await _end_day(conn, command))
            between = []
        else:
            between.append(command)
    return results + await _take(conn, between, now)


async def _sites_with_plans(conn: outbox.Connection, taken: Sequence[AnyCommand]) -> set[str]:
    closing = {command.site_id for command in taken if command.do == "close_day"}
    if not closing:
        return set()
    now_planned = {
        command.site_id for command in taken if command.do in ("schedule_session", "set_series")
    }
    return now_planned & closing | await series_rows.with_plans(conn, closing - now_planned)


async def _end_day(conn: outbox.Connection, command: commands.CloseDay) -> Result:
    """A day ends once whatever the command's key, so this needs no receipt."""
    site = (await sites.hold(conn, [command.site_id])).get(command.site_id)
    if site is None or site.clock != "replay":
        refusal = _not_on_replay(site)
        return refusal.result(command.key)
    done = await sites.close_day(
        conn, site.site_id, command.day, AttendanceDayClosed, ahead.on_day_end
    )
    return Result(key=command.key, status="applied" if done else "duplicate")


async def _take(
    conn: outbox.Connection, taken: Sequence[SeatingCommand], now: datetime
) -> list[Result]:
    """Twenty-one statements at most, however many commands."""
    if not taken:
        return []
    receipted = await receipts.find(conn, (c.receipt() for c in taken))
    known = await load(conn, taken)
    batch = _Batch(receipted, known, now)
    results = [batch.carry_out(command) for command in taken]
    await store.open_sessions(conn, [known.sessions[i] for i in batch.opened])
    await store.cancel_sessions(conn, batch.cancelled)
    await store.save_seats(conn, [known.seats[place] for place in batch.seated])
    await history.keep(conn, batch.replaced)
    await measures.save(conn, batch.answered)
    await notes.save_barriers(conn, batch.barriers)
    await bookings.save_policies(conn, batch.policies)
    await sites.move(conn, batch.closed)
    await receipts.enter(conn, batch.taken)
    await outbox.stage(conn, batch.events)
    return results


class _Batch:
    def __init__(
        self, receipted: dict[tuple[str, str], UUID | None], known: Known, now: datetime
    ) -> None:
        self.receipted, self.known, self.now = receipted, known, now
        self.events: list[Event] = []
        self.taken: list[tuple[str, str, UUID | None]] = []
        self.opened: list[UUID] = []
        self.cancelled: list[UUID] = []
        self.seated: dict[tuple[UUID, UUID], None] = {}
        self.closed: dict[str, date] = {}
        self.answered: list[Measure] = []
        self.barriers: list[notes.Change] = []
        self.policies: dict[str, int] = {}
        self.replaced: list[tuple[Seat, datetime]] = []

    def carry_out(self, command: SeatingCommand) -> Result:
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

    def _decide(  # noqa: C901, PLR0911, PLR0912  # one line a command
        self, command: SeatingCommand
    ) -> UUID | None:
        match command.do:  # a tag costs less than the class of a pydantic model
            case "record_attended" | "record_missed" | "record_excused":
                return self._record(command)
            case "record_contact" | "record_screen" | "record_measure":
                admission = self._admission(command.admission_id)
                when = self._when(admission.site_id, command)
                self.events.append(rules.note(admission, command, when))
                return admission.admission_id
            case "note_barrier" | "lift_barrier":
                return self._change_barrier(command)
            case "record_answers":
                return self._answer(command)
            case "cancel_seat":
                return self._call_off(command)
            case "move_seat":
                return self._move(command)
            case "make_up":
                return self._make_up(command)
            case "set_policy":
                self._set_policy(command)
                return None
            case "schedule_session":
                return self._schedule(command)
            case "take_roster":
                return self._take_roster(command)
            case "correct_attendance":
                return self._correct(command)
            case "cancel_session":
                return self._cancel(command)
            case "close_day":
                self._close_day(command)
                return None

    def _record(self, command: seats.SeatCommand) -> UUID:
        admission = self._admission(command.admission_id)
        when = self._when(admission.site_id, command)
        session = self._find(command) or command.opened(admission.site_id, when["recorded_day"])
        chair = self._chair(_present(session, command), admission, when)
        return self._enter(chair.session, [rules.record(chair, command.said())])

    def _change_barrier(self, command: commands.NoteBarrier | commands.LiftBarrier) -> UUID:
        admission = self._admission(command.admission_id)
        when = self._when(admission.site_id, command)
        place, is_open = (admission.admission_id, command.barrier), command.do == "note_barrier"
        if (place in self.known.barriers) == is_open:
            code = "barrier_already_noted" if is_open else "barrier_not_noted"
            raise Rejected(code, "That is how it stands already.", "barrier")
        self.known.barriers ^= {place}
        self.barriers.append((*place, command.occurred_at, is_open))
        self.events.append(rules.note(admission, command, when))
        return admission.admission_id

    def _answer(self, command: commands.RecordAnswers) -> UUID:
        admission = self._admission(command.admission_id)
        when = self._when(admission.site_id, command)
        scores = instruments.score(command.instrument, command.answers)
        self.events += rules.score(admission, scores, when)
        day = self.known.sites[admission.site_id].day_of(command.occurred_at)
        at = (command.occurred_at, day)
        self.answered.append(
            measures.measure(
                admission.admission_id, command.instrument, at, command.answers, scores
            )
        )
        return admission.admission_id

    def _schedule(self, command: commands.ScheduleSession) -> UUID:
        when = self._when(command.site_id, command)
        if (command.source, command.session_key) in self.known.names:
            raise Rejected(
                "session_already_scheduled", "A session has that key already.", "session_key"
            )
        session = command.opened()
        moves.require_local(session, self.known.sites[command.site_id])
        planned = []
        for place, admission_id in enumerate(dict.fromkeys(command.roster)):
            with _named(f"roster.{place}"):
                chair = self._chair(session, self._admission(admission_id), when)
                planned.append(rules.schedule(chair))
                moves.require_free(session, self.known.promised.get(admission_id, ()))
        for seat, _ in planned:
            self._promise(seat.admission_id, session)
        return self._enter(session, planned)

    def _promise(self, admission_id: UUID, session: Session) -> None:
        if time := moves.booked(session):
            self.known.promised.setdefault(admission_id, []).append(time)

    def _call_off(self, command: seats.CancelSeat) -> UUID:
        session = _present(self._find(command), command)
        chair = self._chair(
            session, self._admission(command.admission_id), self._when(session.site_id, command)
        )
        hours = self.known.notice_hours.get(session.site_id, moves.NOTICE_HOURS)
        decided = moves.called_off(chair, command.reason, hours)
        self._release(command.admission_id, session.session_id)
        return self._enter(session, [decided])

    def _release(self, admission_id: UUID, session_id: UUID) -> None:
        promised = self.known.promised.get(admission_id, [])
        promised[:] = [time for time in promised if time.session_id != session_id]

    def _move(self, command: seats.MoveSeat) -> UUID:
        session = _present(self._find(command), command)
        there = self.known.sessions.get(command.to_session_id)
        if there is None:
            raise Rejected("session_unknown", "No session has that name.", "to_session_id")
        admission = self._admission(command.admission_id)
        when = self._when(session.site_id, command)
        here, to = (self._chair(s, admission, when) for s in (session, there))
        left, arrived = moves.moved(here, to, self.known.promised.get(command.admission_id, ()))
        self._release(command.admission_id, session.session_id)
        self._promise(command.admission_id, there)
        self._enter(session, [left])
        return self._enter(there, [arrived])

    def _make_up(self, command: seats.MakeUp) -> UUID:
        session = _present(self._find(command), command)
        chair = self._chair(
            session, self._admission(command.admission_id), self._when(session.site_id, command)
        )
        visit = (command.admission_id, command.made_up_in)
        seat = self.known.seats.get((command.made_up_in, command.admission_id))
        decided = moves.made_up(chair, seat, visit in self.known.used_visits)
        self.known.used_visits.add(visit)
        return self._enter(session, [decided])

    def _set_policy(self, command: commands.SetPolicy) -> None:
        self._when(command.site_id, command)
        self.policies[command.site_id] = command.late_cancellation_hours
        self.known.notice_hours[command.site_id] = command.late_cancellation_hours

    def _take_roster(self, command: seats.TakeRoster) -> UUID:
        session = _present(self._find(command), command)
        when = self._when(session.site_id, command)
        recorded: dict[UUID, Decided] = {}
        for place, entry in enumerate(command.entries):
            with _named(f"entries.{place}"):
                chair = self._chair(session, self._admission(entry.admission_id), when)
                if entry.admission_id in recorded:
                    raise Rejected("named_twice", "Name each person once.", "admission_id")
                recorded[entry.admission_id] = rules.record(chair, entry.said())
        return self._enter(session, recorded.values())

    def _correct(self, command: seats.CorrectAttendance) -> UUID:
        session = _present(self._find(command), command)
        admission = self._admission(command.admission_id)
        chair = self._chair(session, admission, self._when(session.site_id, command))
        return self._enter(session, [rules.correct(chair, command.said())])

    def _cancel(self, command: commands.CancelSession) -> UUID:
        session = _present(self._find(command), command)
        when = self._when(session.site_id, command)
        if session.is_cancelled:
            raise Rejected("session_already_cancelled", "It was cancelled before.", "session_key")
        waiting = [
            rules.cancel(session, seat, when)
            for (session_id, _), seat in self.known.seats.items()
            if session_id == session.session_id
            and seat.status == "scheduled"
            and seat.moved_to is None
        ]
        self.cancelled.append(session.session_id)
        return self._enter(replace(session, is_cancelled=True), waiting)

    def _close_day(self, command: commands.CloseDay) -> None:
        site = self.known.sites.get(command.site_id)
        if site is None or site.clock != "replay":
            raise _not_on_replay(site)
        self.events += sites.closed_events(AttendanceDayClosed, site, command.day)
        self.known.sites[site.site_id] = replace(site, closed_through=command.day)
        self.closed[site.site_id] = command.day

    def _is_closed(self, command: SeatingCommand) -> bool:
        if command.do != "close_day":
            return False
        site = self.known.sites.get(command.site_id)
        return site is not None and site.clock == "replay" and command.day <= site.closed_through

    def _admission(self, admission_id: UUID) -> Admission:
        found = self.known.admissions.get(admission_id)
        if found is None:
            raise Rejected(
                "admission_unknown", "No admission of that identifier is known.", "admission_id"
            )
        return found

    def _when(self, site_id: str, command: Command) -> When:
        site = self.known.sites.get(site_id)
        if site is None:
            raise Rejected("site_unknown", "No site has that identifier.", "site_id")
        moment = moment_of(site, command, self.now)
        return {
            "occurred_at": command.occurred_at,
            "recorded_at": moment.recorded_at,
            "recorded_day": moment.recorded_day,
        }

    def _find(self, command: SessionCommand) -> Session | None:
        name = command.name()
        session_id = command.session_id or (self.known.names.get(name) if name else None)
        return self.known.sessions.get(session_id) if session_id else None

    def _chair(self, session: Session, admission: Admission, when: When) -> Chair:
        seat = self.known.seats.get((session.session_id, admission.admission_id))
        return Chair(session, admission, seat, when)

    def _enter(self, session: Session, decided: Iterable[Decided]) -> UUID:
        """Note a session and what became of its seats. Nothing before this changes the batch."""
        known, session_id = self.known, session.session_id
        if session_id not in known.sessions:
            self.opened.append(session_id)
            known.names[session.source, session.session_key] = session_id
        known.sessions[session_id] = session
        for seat, event in decided:
            place = (session_id, seat.admission_id)
            before = known.seats.get(place)
            if before and before.recorded_at and seat.version > before.version:
                self.replaced.append((before, event.recorded_at))
            known.seats[place] = seat
            self.seated[place] = None
            self.events.append(event)
        return session_id


def _not_on_replay(site: sites.Site | None) -> Rejected:
    if site is None:
        return Rejected("site_unknown", "No site has that identifier.", "site_id")
    return Rejected("site_on_wall_clock", "Its days close by themselves.", "site_id")


def _present(session: Session | None, command: SessionCommand) -> Session:
    if session is None and not command.session_id and command.name() is None:
        raise Rejected("session_not_named", "Give session_id or session_key.", "session_key")
    field = "session_id" if command.session_id else "session_key"
    if session is None:
        raise Rejected("session_unknown", "No session has that name.", field)
    if command.site_id not in (None, session.site_id):
        raise Rejected("other_site", "The session is held at another site.", "site_id")
    return session


@contextmanager
def _named(place: str) -> Iterator[None]:
    """Say of which person in a list a rejection speaks."""
    try:
        yield
    except Rejected as rejected:
        within = rejected.field if rejected.field in seats.RosterEntry.model_fields else None
        name = f"{place}.{within}" if within and place.startswith("entries") else place
        raise Rejected(rejected.code, rejected.detail, name) from rejected
