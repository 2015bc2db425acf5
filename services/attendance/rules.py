"""What may be recorded of a seat and of a person, as pure functions."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TypeAlias, TypedDict
from uuid import UUID

from attendance import commands
from attendance.facts import Admission, Chair, Said, Seat, Session, When
from attendance.instruments import Score
from handrail.events import AdmissionEvent, intake
from handrail.events import attendance as events
from handrail.events.base import SessionType
from handrail.receipts import EARLY, Rejected

Decided: TypeAlias = tuple[Seat, AdmissionEvent]

MISSES = frozenset({"no_show", "late_cancellation"})


class _About(TypedDict):
    site_id: str
    admission_id: UUID
    session_id: UUID
    session_type: SessionType
    planned_on: date | None


def schedule(chair: Chair) -> Decided:
    """A planned seat. Raises Rejected for a person who is not in care on that day."""
    session = chair.session
    _require_in_care(chair, session.held_on, "planned_on")
    seat = _seat(chair, Said("scheduled", mode=session.mode))
    return seat, _event(session, seat, chair.when)


def record(chair: Chair, said: Said) -> Decided:
    """The seat as it was said to be, and the event. Raises Rejected.

    A miss of a person on hold that day is an excused absence.
    """
    if chair.seat and chair.seat.status != "scheduled":
        raise Rejected(
            "seat_already_recorded", "Use correct_attendance to change it.", "admission_id"
        )
    if chair.seat and chair.seat.moved_to:
        raise Rejected("seat_moved", "The person sits in another session.", "admission_id")
    if chair.session.is_cancelled:
        raise Rejected("session_cancelled", "The programme did not hold it.", "session_key")
    if said.status in MISSES and chair.admission.is_held_on(chair.session.held_on):
        said = replace(said, status="excused")
    seat = _checked(chair, said)
    return seat, _event(chair.session, seat, chair.when)


def correct(chair: Chair, said: Said) -> Decided:
    """The recorded seat as it truly was. Raises Rejected."""
    was = chair.seat
    if was is None or was.status == "scheduled":
        raise Rejected("seat_not_recorded", "There is nothing to correct yet.", "admission_id")
    seat = replace(_checked(chair, said), version=was.version + 1)
    if _told(was) == _told(seat):
        raise Rejected("nothing_to_correct", "It is recorded like that already.", "now")
    return seat, events.AttendanceCorrected(
        **_about(chair.session, seat.admission_id),
        **chair.when,
        was=was.status,
        now=seat.status,
        attended_on=seat.attended_on,
        minutes=seat.minutes,
        minutes_late=seat.minutes_late,
        guests=seat.guests,
        joined_at=seat.joined_at,
        left_at=seat.left_at,
    )


def cancel(session: Session, seat: Seat, when: When) -> Decided:
    """The seat of a session that the programme did not hold."""
    seat = replace(seat, status="cancelled_by_program", recorded_at=when["recorded_at"])
    return seat, _event(session, seat, when)


def score(admission: Admission, scores: list[Score], when: When) -> list[AdmissionEvent]:
    """What a form's scales say, without its answers."""
    return [
        events.MeasureScored(
            site_id=admission.site_id,
            admission_id=admission.admission_id,
            **when,
            instrument=scale.instrument,
            score=scale.score,
            safety=scale.safety,
        )
        for scale in scores
    ]


def note(admission: Admission, command: commands.PersonCommand, when: When) -> AdmissionEvent:
    """The event of something outside a session: allowed from the referral on, and after the end."""
    site_id, admission_id = admission.site_id, admission.admission_id
    match command:
        case commands.RecordScreen(positives=positives):
            return events.ScreenResulted(
                site_id=site_id, admission_id=admission_id, **when, positives=positives
            )
        case commands.RecordMeasure(instrument=instrument, score=score, safety=safety):
            return events.MeasureScored(
                site_id=site_id,
                admission_id=admission_id,
                **when,
                instrument=instrument,
                score=score,
                safety=safety,
            )
        case commands.NoteBarrier(barrier=barrier):
            return events.BarrierNoted(
                site_id=site_id, admission_id=admission_id, **when, barrier=barrier
            )
        case commands.LiftBarrier(barrier=barrier):
            return events.BarrierLifted(
                site_id=site_id, admission_id=admission_id, **when, barrier=barrier
            )
        case commands.RecordContact(channel=channel, reached=reached):
            return events.ContactRecorded(
                site_id=site_id, admission_id=admission_id, **when, channel=channel, reached=reached
            )
    raise TypeError(command.__class__.__name__)


def follow(  # noqa: C901, PLR0911  # one line an event
    admission: Admission, event: AdmissionEvent, day: date
) -> Admission:
    """The admission after one of intake's events; `day` is the local day it happened."""
    match event:
        case intake.IntakeCompleted(admitted_on=admitted_on, weekly_minutes=weekly):
            return replace(
                admission,
                status="admitted",
                admitted_on=admitted_on,
                weekly_minutes=weekly,
                program_id=event.program_id,
            )
        case intake.Transferred(program_id=program_id):
            return replace(admission, program_id=program_id)
        case intake.PersonErased():
            return replace(admission, erased_at=event.recorded_at)
        case intake.PlanChanged(weekly_minutes=weekly):
            return replace(admission, weekly_minutes=weekly)
        case intake.IntakeLost() | intake.IntakeDeclined():
            return replace(admission, status="lost", ended_on=event.recorded_day)
        case intake.PutOnHold():
            return replace(admission, status="on_hold", held_from=day, held_until=None)
        case intake.Resumed():
            return replace(admission, status="admitted", held_until=day)
        case intake.Discharged(discharged_on=ended_on):
            return replace(admission, status="discharged", ended_on=ended_on)
        case intake.DischargeUndone(status=status):
            return replace(admission, status=status, ended_on=None)
        case intake.AdmissionUndone():
            return replace(admission, status="referred", admitted_on=None)
        case intake.AdmissionsMerged(duplicate_id=admission.admission_id):
            ended_on = admission.ended_on or event.recorded_day
            return replace(admission, status="discharged", ended_on=ended_on)
        case intake.AdmissionsUnmerged(duplicate_id=admission.admission_id):
            status = _AS_HERE.get(event.status, event.status)
            return replace(admission, status=status, ended_on=event.ended_on)
    return admission


# What intake tells apart and attendance does not.
_AS_HERE = {"waitlisted": "referred", "declined": "lost"}


def _checked(chair: Chair, said: Said) -> Seat:
    session = chair.session
    if said.status != "attended":
        if session.planned_on is None:
            raise Rejected(
                "planned_on_missing", "Only a planned session is missed.", "session.planned_on"
            )
        _require_in_care(chair, session.held_on, "planned_on")
        if said.status == "no_show" and session.held_on > chair.when["recorded_day"]:
            raise Rejected("in_the_future", "The session is not over yet.", "planned_on")
        return _seat(chair, Said(said.status, mode=session.mode, reason=said.reason))
    day = said.attended_on or session.held_on
    _require_in_care(chair, day, "attended_on")
    if day > chair.when["recorded_day"]:
        raise Rejected("in_the_future", "That day has not come yet.", "attended_on")
    if 0 < session.planned_minutes < said.minutes:
        raise Rejected(
            "minutes_above_session", "More than the session's planned minutes.", "minutes"
        )
    if said.guests and session.session_type != "family":
        raise Rejected("guests_not_expected", "Guests come to family sessions.", "guests")
    _require_possible_stay(said, chair.when["recorded_at"])
    return _seat(chair, said, day)


def _require_possible_stay(said: Said, now: datetime) -> None:
    if said.joined_at is None and said.left_at is None:
        return
    if said.joined_at is None or said.left_at is None or said.left_at <= said.joined_at:
        raise Rejected("ends_before_it_begins", "Give both; one leaves after joining.", "left_at")
    if said.left_at > now + EARLY:
        raise Rejected("in_the_future", "That has not happened yet.", "left_at")
    if timedelta(minutes=said.minutes - 1) >= said.left_at - said.joined_at:
        raise Rejected("minutes_above_stay", "More than from joining to leaving.", "minutes")


def _require_in_care(chair: Chair, day: date, field: str) -> None:
    if chair.admission.site_id != chair.session.site_id:
        raise Rejected("other_site", "The session is held at another site.", "admission_id")
    require_in_care(chair.admission, day, field)


def require_in_care(admission: Admission, day: date, field: str) -> None:
    """Raise Rejected for a person who is not in care on that day."""
    if admission.admitted_on is None and admission.status == "referred":
        raise Rejected(
            "admission_unknown", "No intake of that admission is known here yet.", "admission_id"
        )
    if admission.admitted_on is None or day < admission.admitted_on:
        raise Rejected("before_admission", "The person was not admitted by then.", field)
    if admission.ended_on and day > admission.ended_on:
        raise Rejected("after_discharge", "The admission had ended by then.", field)


def _seat(chair: Chair, said: Said, attended_on: date | None = None) -> Seat:
    return Seat(
        session_id=chair.session.session_id,
        admission_id=chair.admission.admission_id,
        status=said.status,
        minutes=said.minutes,
        minutes_late=said.minutes_late,
        left_early=said.left_early,
        mode=said.mode,
        attended_on=attended_on,
        reason=said.reason if said.status in MISSES else None,
        recorded_at=None if said.status == "scheduled" else chair.when["recorded_at"],
        guests=said.guests,
        joined_at=said.joined_at,
        left_at=said.left_at,
    )


def _told(seat: Seat) -> tuple[object, ...]:
    return (
        *(seat.status, seat.minutes, seat.minutes_late, seat.attended_on, seat.made_up_in),
        *(seat.guests, seat.joined_at, seat.left_at),
    )


def _about(session: Session, admission_id: UUID) -> _About:
    return {
        "site_id": session.site_id,
        "admission_id": admission_id,
        "session_id": session.session_id,
        "session_type": session.session_type,
        "planned_on": session.planned_on,
    }


def _event(session: Session, seat: Seat, when: When) -> AdmissionEvent:
    about = _about(session, seat.admission_id)
    match seat.status:
        case "attended":
            assert seat.attended_on is not None
            return events.SessionAttended(
                **about,
                **when,
                attended_on=seat.attended_on,
                minutes=seat.minutes,
                minutes_late=seat.minutes_late,
                left_early=seat.left_early,
                mode=seat.mode,
                modality=session.modality,
                topic=session.topic,
                guests=seat.guests,
                joined_at=seat.joined_at,
                left_at=seat.left_at,
            )
        case "no_show" | "late_cancellation" as kind:
            return events.SessionMissed(
                **about,
                **when,
                kind=kind,
                reason=seat.reason or "unknown",
                planned_minutes=session.planned_minutes,
            )
        case "excused":
            return events.SessionExcused(**about, **when)
        case "cancelled_by_program":
            return events.SessionCancelledByProgram(**about, **when)
        case "scheduled":
            return events.SessionScheduled(**about, **when, planned_minutes=session.planned_minutes)
