"""What a batch of commands names, as it is known before the first of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from attendance import bookings, notes, store
from attendance.commands import SeatingCommand
from attendance.facts import Admission, Seat, Session
from attendance.moves import Booked
from handrail import sites
from handrail.outbox import Connection
from handrail.sites import Site


@dataclass(slots=True)
class Known:
    """All that the commands of one batch name; `names` are the senders' keys of sessions."""

    admissions: dict[UUID, Admission] = field(default_factory=dict)
    sessions: dict[UUID, Session] = field(default_factory=dict)
    names: dict[tuple[str, str], UUID] = field(default_factory=dict)
    seats: dict[tuple[UUID, UUID], Seat] = field(default_factory=dict)
    sites: dict[str, Site] = field(default_factory=dict)
    promised: dict[UUID, list[Booked]] = field(default_factory=dict)
    used_visits: set[tuple[UUID, UUID]] = field(default_factory=set)
    barriers: set[tuple[UUID, str]] = field(default_factory=set)
    notice_hours: dict[str, int] = field(default_factory=dict)


async def load(conn: Connection, taken: Sequence[SeatingCommand]) -> Known:
    """All that these commands name, with eleven statements at most; its sessions and days are locked."""
    named = _Named()
    for command in taken:
        named.add(command)
    known = Known()
    known.sessions = await store.sessions(conn, named.session_ids, named.session_names)
    known.names = {(s.source, s.session_key): s.session_id for s in known.sessions.values()}
    known.seats = await store.seats(conn, list(known.sessions))
    known.admissions = await store.admissions(conn, named.persons)
    await sites.hold(conn, named.closing)
    of_sessions = {session.site_id for session in known.sessions.values()}
    of_persons = {admission.site_id for admission in known.admissions.values()}
    known.sites = await sites.load(conn, named.sites | named.closing | of_sessions | of_persons)
    going_to = [known.sessions[i] for i in named.going_to if i in known.sessions]
    known.promised = await bookings.promised(conn, named.booking, [*named.opening, *going_to])
    known.used_visits = await bookings.made_up(conn, named.visits)
    known.barriers = await notes.open_barriers(conn, named.barriers)
    if named.is_calling_off:
        known.notice_hours = await bookings.policies(conn, known.sites)
    return known


class _Named:
    def __init__(self) -> None:
        self.persons: set[UUID] = set()
        self.session_ids: set[UUID] = set()
        self.session_names: set[tuple[str, str]] = set()
        self.sites: set[str] = set()
        self.closing: set[str] = set()
        self.booking: set[UUID] = set()
        self.opening: list[Session] = []
        self.going_to: list[UUID] = []
        self.visits: list[tuple[UUID, UUID]] = []
        self.barriers: set[tuple[UUID, str]] = set()
        self.is_calling_off = False

    def add(self, command: SeatingCommand) -> None:  # noqa: C901  # one case a command
        match command.do:
            case "schedule_session":
                self.sites.add(command.site_id)
                self.session_names.add((command.source, command.session_key))
                self.persons.update(command.roster)
                self.booking.update(command.roster)
                self.opening.append(command.opened())
                return
            case "set_policy":
                self.sites.add(command.site_id)
                return
            case "close_day":
                self.closing.add(command.site_id)
                return
            case "note_barrier" | "lift_barrier":
                self.persons.add(command.admission_id)
                self.barriers.add((command.admission_id, command.barrier))
                return
            case "record_contact" | "record_screen" | "record_measure" | "record_answers":
                self.persons.add(command.admission_id)
                return
            case "take_roster":
                self.persons.update(entry.admission_id for entry in command.entries)
            case "cancel_session":
                pass
            case "move_seat":
                self.persons.add(command.admission_id)
                self.booking.add(command.admission_id)
                self.session_ids.add(command.to_session_id)
                self.going_to.append(command.to_session_id)
            case "make_up":
                self.persons.add(command.admission_id)
                self.session_ids.add(command.made_up_in)
                self.visits.append((command.admission_id, command.made_up_in))
            case _:
                self.is_calling_off = self.is_calling_off or command.do == "cancel_seat"
                self.persons.add(command.admission_id)
        name = command.name()
        if command.session_id:
            self.session_ids.add(command.session_id)
        elif name:
            self.session_names.add(name)
