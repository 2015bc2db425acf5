"""One person's seat in a session: recorded, corrected, called off, moved, made up."""

from uuid import UUID

from attendance import moves, rules, seats
from attendance.batch import Batch, present
from handrail.receipts import Rejected


def record(batch: Batch, command: seats.SeatCommand) -> UUID:
    """What became of a person's seat; a session that nobody planned is opened by it."""
    admission = batch.admission(command.admission_id)
    when = batch.when(admission.site_id, command)
    session = batch.find(command) or command.opened(admission.site_id, when["recorded_day"])
    chair = batch.chair(present(session, command), admission, when)
    return batch.enter(chair.session, [rules.record(chair, command.said())])


def correct(batch: Batch, command: seats.CorrectAttendance) -> UUID:
    """What truly became of it."""
    session = batch.session(command)
    admission = batch.admission(command.admission_id)
    chair = batch.chair(session, admission, batch.when(session.site_id, command))
    return batch.enter(session, [rules.correct(chair, command.said())])


def call_off(batch: Batch, command: seats.CancelSeat) -> UUID:
    """The person says that they will not come."""
    session = batch.session(command)
    chair = batch.chair(
        session, batch.admission(command.admission_id), batch.when(session.site_id, command)
    )
    hours = batch.known.notice_hours.get(session.site_id, moves.NOTICE_HOURS)
    decided = moves.called_off(chair, command.reason, hours)
    batch.release(command.admission_id, session.session_id)
    return batch.enter(session, [decided])


def move(batch: Batch, command: seats.MoveSeat) -> UUID:
    """The seat goes to another session."""
    session = batch.session(command)
    there = batch.known.sessions.get(command.to_session_id)
    if there is None:
        raise Rejected("session_unknown", "No session has that name.", "to_session_id")
    admission = batch.admission(command.admission_id)
    when = batch.when(session.site_id, command)
    here, to = (batch.chair(s, admission, when) for s in (session, there))
    left, arrived = moves.moved(here, to, batch.known.promised.get(command.admission_id, ()))
    batch.release(command.admission_id, session.session_id)
    batch.promise(command.admission_id, there)
    batch.enter(session, [left])
    return batch.enter(there, [arrived])


def make_up(batch: Batch, command: seats.MakeUp) -> UUID:
    """Another visit makes up for a miss."""
    session = batch.session(command)
    chair = batch.chair(
        session, batch.admission(command.admission_id), batch.when(session.site_id, command)
    )
    visit = (command.admission_id, command.made_up_in)
    seat = batch.known.seats.get((command.made_up_in, command.admission_id))
    decided = moves.made_up(chair, seat, visit in batch.known.used_visits)
    batch.known.used_visits.add(visit)
    return batch.enter(session, [decided])
