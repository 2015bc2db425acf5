"""What may become of a planned or missed seat: cancelled by the person, moved, or made up."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from attendance import rules
from attendance.facts import Chair, Said, Seat, Session
from attendance.rules import Decided
from handrail.events import AdmissionEvent
from handrail.events import attendance as events
from handrail.events.attendance import MissReason
from handrail.receipts import Rejected
from handrail.sites import Site, zone_of

NOTICE_HOURS = 24


@dataclass(frozen=True, slots=True)
class Booked:
    """Time that a person has promised to a session."""

    session_id: UUID
    starts_at: datetime
    ends_at: datetime


def booked(session: Session) -> Booked | None:
    """The session's time; None where its hour is not known."""
    if session.starts_at is None:
        return None
    length = timedelta(minutes=session.planned_minutes)
    return Booked(session.session_id, session.starts_at, session.starts_at + length)


def require_free(session: Session, promised: Iterable[Booked]) -> None:
    """Raise Rejected when the person is promised elsewhere at that time."""
    wanted = booked(session)
    if wanted is None:
        return
    for other in promised:
        apart = other.ends_at <= wanted.starts_at or wanted.ends_at <= other.starts_at
        if other.session_id != wanted.session_id and not apart:
            raise Rejected(
                "double_booked", "The person has another session at that time.", "admission_id"
            )


def require_local(session: Session, site: Site, field: str = "starts_at") -> None:
    """Raise Rejected when the start is not on the planned day, or has another zone's offset."""
    at = session.starts_at
    if at is None:
        return
    if at.utcoffset() not in (
        timedelta(0),
        at.astimezone(zone_of(site.time_zone)).utcoffset(),
    ):
        raise Rejected("wrong_offset", "Give the site's offset at that time, or Z.", field)
    if site.day_of(at) != session.planned_on:
        raise Rejected("wrong_day", "At the site it is another day then.", field)


def called_off(chair: Chair, reason: MissReason, notice_hours: int) -> Decided:
    """A seat that the person cancelled: excused in time, a late cancellation with less notice."""
    starts_at = chair.session.starts_at
    if starts_at is None:
        raise Rejected("start_not_known", "The session has no hour to count from.", "session_key")
    told_at = chair.when["occurred_at"]
    if told_at >= starts_at:
        raise Rejected("session_started", "It had begun; record a no-show.", "occurred_at")
    is_late = starts_at - told_at < timedelta(hours=notice_hours)
    said = Said("late_cancellation", reason=reason) if is_late else Said("excused")
    return rules.record(chair, said)


def moved(chair: Chair, to: Chair, promised: Iterable[Booked]) -> tuple[Decided, Decided]:
    """A planned seat in another session: swapped to the other track, or rescheduled.

    Gives the old seat and the new one. Raises Rejected.
    """
    seat, there = chair.seat, to.session
    if seat is None or seat.status != "scheduled" or seat.moved_to:
        raise Rejected("seat_not_planned", "Only a planned seat is moved.", "admission_id")
    if to.seat is not None:
        raise Rejected("seat_already_there", "The person has a seat there.", "to_session_id")
    if there.is_cancelled:
        raise Rejected("session_cancelled", "The programme did not hold it.", "to_session_id")
    if there.session_type != chair.session.session_type:
        raise Rejected("other_session_type", "Move to the same type.", "to_session_id")
    gone = chair.session.session_id
    require_free(there, (other for other in promised if other.session_id != gone))
    arrived = rules.schedule(to)
    return (replace(seat, moved_to=there.session_id), _told_move(chair, seat, there)), arrived


def made_up(chair: Chair, visit: Seat | None, used: bool) -> Decided:  # noqa: FBT001  # a fact
    """A miss that another visit made up: it is a miss no more. Raises Rejected."""
    seat, session = chair.seat, chair.session
    if seat is None or seat.status not in rules.MISSES:
        raise Rejected("seat_not_missed", "Only a miss is made up.", "admission_id")
    if seat.made_up_in:
        raise Rejected("already_made_up", "It was made up before.", "admission_id")
    if visit is None or visit.status != "attended" or visit.attended_on is None:
        raise Rejected("visit_not_attended", "Name a session the person attended.", "made_up_in")
    if used:
        raise Rejected("visit_already_used", "It made up another miss.", "made_up_in")
    return replace(seat, made_up_in=visit.session_id), events.SessionMadeUp(
        site_id=session.site_id,
        admission_id=seat.admission_id,
        session_id=session.session_id,
        session_type=session.session_type,
        planned_on=session.planned_on,
        **chair.when,
        was="late_cancellation" if seat.status == "late_cancellation" else "no_show",
        made_up_in=visit.session_id,
        made_up_on=visit.attended_on,
        minutes=visit.minutes,
    )


def _told_move(chair: Chair, seat: Seat, there: Session) -> AdmissionEvent:
    here = chair.session
    is_swap = bool(here.track and there.track and here.track != there.track)
    kind = events.SessionSwapped if is_swap else events.SessionRescheduled
    return kind(
        site_id=here.site_id,
        admission_id=seat.admission_id,
        session_id=here.session_id,
        session_type=here.session_type,
        planned_on=here.planned_on,
        **chair.when,
        to_session_id=there.session_id,
        to_planned_on=there.held_on,
    )
