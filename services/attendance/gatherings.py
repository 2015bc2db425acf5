"""A session as a whole: put on the schedule, its roster taken, not held."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

from attendance import commands, moves, rules, seats
from attendance.batch import Batch
from attendance.rules import Decided
from handrail.receipts import Rejected


def schedule(batch: Batch, command: commands.ScheduleSession) -> UUID:
    """A session on the schedule, with its seats."""
    when = batch.when(command.site_id, command)
    if (command.source, command.session_key) in batch.known.names:
        raise Rejected(
            "session_already_scheduled", "A session has that key already.", "session_key"
        )
    session = command.opened()
    moves.require_local(session, batch.known.sites[command.site_id])
    planned = []
    for place, admission_id in enumerate(dict.fromkeys(command.roster)):
        with _named(f"roster.{place}"):
            chair = batch.chair(session, batch.admission(admission_id), when)
            planned.append(rules.schedule(chair))
            moves.require_free(session, batch.known.promised.get(admission_id, ()))
    for seat, _ in planned:
        batch.promise(seat.admission_id, session)
    return batch.enter(session, planned)


def take_roster(batch: Batch, command: seats.TakeRoster) -> UUID:
    """All seats of a session at once."""
    session = batch.session(command)
    when = batch.when(session.site_id, command)
    recorded: dict[UUID, Decided] = {}
    for place, entry in enumerate(command.entries):
        with _named(f"entries.{place}"):
            chair = batch.chair(session, batch.admission(entry.admission_id), when)
            if entry.admission_id in recorded:
                raise Rejected("named_twice", "Name each person once.", "admission_id")
            recorded[entry.admission_id] = rules.record(chair, entry.said())
    return batch.enter(session, recorded.values())


def cancel(batch: Batch, command: commands.CancelSession) -> UUID:
    """The programme does not hold it."""
    session = batch.session(command)
    when = batch.when(session.site_id, command)
    if session.is_cancelled:
        raise Rejected("session_already_cancelled", "It was cancelled before.", "session_key")
    waiting = [
        rules.cancel(session, seat, when)
        for (session_id, _), seat in batch.known.seats.items()
        if session_id == session.session_id and seat.status == "scheduled" and seat.moved_to is None
    ]
    batch.cancelled.append(session.session_id)
    return batch.enter(replace(session, is_cancelled=True), waiting)


@contextmanager
def _named(place: str) -> Iterator[None]:
    """Say of which person in a list a rejection speaks."""
    try:
        yield
    except Rejected as rejected:
        within = rejected.field if rejected.field in seats.RosterEntry.model_fields else None
        name = f"{place}.{within}" if within and place.startswith("entries") else place
        raise Rejected(rejected.code, rejected.detail, name) from rejected
