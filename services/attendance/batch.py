"""One batch of commands: what it knew before, and what it changed so far."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from attendance import moves, notes
from attendance.facts import Admission, Chair, Seat, Session, When
from attendance.known import Known
from attendance.measures import Measure
from attendance.rules import Decided
from attendance.seats import SessionCommand
from handrail.events import Event
from handrail.receipts import Command, Rejected, moment_of


@dataclass(slots=True)
class Batch:
    """Nothing of it is written before all its commands are decided."""

    known: Known
    receipted: dict[tuple[str, str], UUID | None]
    now: datetime
    # Whether answers to forms can be sealed here.
    is_sealing: bool = False
    events: list[Event] = field(default_factory=list)
    taken: list[tuple[str, str, UUID | None]] = field(default_factory=list)
    opened: list[UUID] = field(default_factory=list)
    cancelled: list[UUID] = field(default_factory=list)
    seated: dict[tuple[UUID, UUID], None] = field(default_factory=dict)
    closed: dict[str, date] = field(default_factory=dict)
    answered: list[Measure] = field(default_factory=list)
    barriers: list[notes.Change] = field(default_factory=list)
    policies: dict[str, int] = field(default_factory=dict)
    replaced: list[tuple[Seat, datetime]] = field(default_factory=list)

    def admission(self, admission_id: UUID) -> Admission:
        """A known admission. Raises Rejected."""
        found = self.known.admissions.get(admission_id)
        if found is None:
            raise Rejected(
                "admission_unknown", "No admission of that identifier is known.", "admission_id"
            )
        return found

    def when(self, site_id: str, command: Command) -> When:
        """The three times of what a command tells. Raises Rejected."""
        site = self.known.sites.get(site_id)
        if site is None:
            raise Rejected("site_unknown", "No site has that identifier.", "site_id")
        moment = moment_of(site, command, self.now)
        return {
            "occurred_at": command.occurred_at,
            "recorded_at": moment.recorded_at,
            "recorded_day": moment.recorded_day,
        }

    def find(self, command: SessionCommand) -> Session | None:
        """The session a command names, if it is known."""
        name = command.name()
        session_id = command.session_id or (self.known.names.get(name) if name else None)
        return self.known.sessions.get(session_id) if session_id else None

    def session(self, command: SessionCommand) -> Session:
        """The known session a command names. Raises Rejected."""
        return present(self.find(command), command)

    def chair(self, session: Session, admission: Admission, when: When) -> Chair:
        """The person at the session, with the seat there is."""
        seat = self.known.seats.get((session.session_id, admission.admission_id))
        return Chair(session, admission, seat, when)

    def promise(self, admission_id: UUID, session: Session) -> None:
        """The person sits there at that time."""
        if time := moves.booked(session):
            self.known.promised.setdefault(admission_id, []).append(time)

    def release(self, admission_id: UUID, session_id: UUID) -> None:
        """The person's time is free again."""
        promised = self.known.promised.get(admission_id, [])
        promised[:] = [time for time in promised if time.session_id != session_id]

    def enter(self, session: Session, decided: Iterable[Decided]) -> UUID:
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


def present(session: Session | None, command: SessionCommand) -> Session:
    """The session a command names. Raises Rejected with what is wrong about the name."""
    if session is None and not command.session_id and command.name() is None:
        raise Rejected("session_not_named", "Give session_id or session_key.", "session_key")
    field = "session_id" if command.session_id else "session_key"
    if session is None:
        raise Rejected("session_unknown", "No session has that name.", field)
    if command.site_id not in (None, session.site_id):
        raise Rejected("other_site", "The session is held at another site.", "site_id")
    return session
