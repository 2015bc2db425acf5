"""An event, cut down to what the rules need: small enough to keep beside its admission."""

from datetime import UTC, datetime

import msgspec

from handrail.envelope import Received
from handrail.events import AdmissionEvent, aftercare, attendance, care, intake

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Fact(msgspec.Struct, array_like=True, frozen=True, omit_defaults=True):
    """One thing known of an admission. Days are ordinals of the site's local calendar.

    `what` says which; `day` is when it was or was planned, `codes` and `numbers` its values,
    `seat` the session of a seat.
    """

    recorded: int
    occurred: int
    owner: str
    sequence: int
    what: str
    day: int | None = None
    codes: tuple[str, ...] = ()
    numbers: tuple[float, ...] = ()
    seat: str = ""

    def order(self) -> tuple[int, str, int]:
        """The one fixed order of a day's facts: when it happened, owner, sequence."""
        return (self.occurred, self.owner, self.sequence)


def fact_of(received: Received) -> Fact | None:
    """The fact in an event; None where the rules do not ask for it."""
    event = received.event
    if not isinstance(event, AdmissionEvent):
        return None
    told = _told(event)
    if told is None:
        return None
    what, day, codes, numbers = told
    return Fact(
        event.recorded_day.toordinal(),
        micros(event.occurred_at),
        received.owner,
        received.sequence,
        what,
        day,
        codes,
        numbers,
        event.session_id.hex if isinstance(event, attendance.SeatEvent) else "",
    )


def micros(at: datetime) -> int:
    """Microseconds since 1970 in UTC."""
    since = at - _EPOCH
    return since.days * 86_400_000_000 + since.seconds * 1_000_000 + since.microseconds


_Told = tuple[str, int | None, tuple[str, ...], tuple[float, ...]]


def _told(event: AdmissionEvent) -> _Told | None:  # noqa: PLR0911  # one line an event
    match event:
        case attendance.SessionAttended():
            planned = event.planned_on.toordinal() if event.planned_on else -1
            numbers = (float(planned), float(event.minutes), float(event.minutes_late))
            return "attended", event.attended_on.toordinal(), (event.session_type,), numbers
        case attendance.SessionMissed():
            day = (event.planned_on or event.recorded_day).toordinal()
            return "missed", day, (event.kind, event.reason, event.session_type), ()
        case attendance.SessionExcused():
            day = (event.planned_on or event.recorded_day).toordinal()
            return "excused", day, (event.session_type,), ()
        case attendance.SessionCancelledByProgram():
            day = (event.planned_on or event.recorded_day).toordinal()
            return "unheld", day, (event.session_type,), ()
        case attendance.AttendanceCorrected():
            at = event.attended_on or event.planned_on or event.recorded_day
            planned = event.planned_on.toordinal() if event.planned_on else -1
            numbers = (float(planned), float(event.minutes), float(event.minutes_late))
            return "corrected", at.toordinal(), (event.was, event.now), numbers
        case attendance.SessionMadeUp():
            day = (event.planned_on or event.recorded_day).toordinal()
            return "corrected", day, (event.was, "excused"), (float(day), 0.0, 0.0)
        case attendance.ScreenResulted():
            return "screened", event.recorded_day.toordinal(), event.positives, ()
        case attendance.MeasureScored():
            flag = float(event.safety)
            day = event.recorded_day.toordinal()
            return "measured", day, (event.instrument,), (event.score, flag)
        case attendance.ContactRecorded():
            day = event.recorded_day.toordinal()
            return "contacted", day, (event.channel,), (float(event.reached),)
    return _told_elsewhere(event)


def _told_elsewhere(event: AdmissionEvent) -> _Told | None:  # noqa: C901, PLR0911  # one line an event
    day = event.recorded_day.toordinal()
    match event:
        case intake.ReferralReceived():
            return "referred", day, (event.source,), ()
        case intake.IntakeCompleted():
            numbers = (float(event.weekly_minutes), float(event.sessions_per_week))
            return "admitted", event.admitted_on.toordinal(), (event.track,), numbers
        case intake.IntakeLost() | intake.IntakeDeclined():
            return "lost", day, (event.reason,), ()
        case intake.PlanChanged():
            review = event.review_on.toordinal() if event.review_on else 0
            dose = (float(event.weekly_minutes), float(event.sessions_per_week))
            return "planned", day, (), (*dose, float(review)) if review else dose
        case intake.LevelOfCareChanged():
            return "stepped", day, (event.level_of_care,), ()
        case intake.PutOnHold():
            return "held", day, (event.reason,), ()
        case intake.Resumed():
            return "resumed", day, (), ()
        case intake.Discharged():
            return "discharged", event.discharged_on.toordinal(), (event.reason,), ()
        case aftercare.StepDownStarted():
            return "stepping_down", event.first_visit_on.toordinal(), (event.destination,), ()
        case aftercare.FirstVisitKept():
            return "first_visit_kept", event.visited_on.toordinal(), (), ()
        case aftercare.FirstVisitMissed():
            return "first_visit_missed", event.planned_on.toordinal(), (), ()
        case aftercare.ReturnedToCare():
            return "returned_to_care", day, (), ()
    return _told_of_person(event)


def _told_of_person(event: AdmissionEvent) -> _Told | None:
    match event:
        case intake.DischargeUndone():
            codes = (event.status, event.reason or "")
            return "reopened", event.recorded_day.toordinal(), codes, ()
        case intake.AdmissionUndone():
            return "unadmitted", event.recorded_day.toordinal(), (), ()
        case care.SupportNamed() | care.SupportConsentChanged() | care.SupportRemoved():
            day = event.recorded_day.toordinal()
            return "supported", day, (), (float(event.contactable or 0),)
        case intake.AdmissionsMerged() | intake.AdmissionsUnmerged():
            return _told_of_pair(event)
        case aftercare.FollowUpCompleted():
            day = event.recorded_day.toordinal()
            return "followed_up", day, (), (float(event.follow_up_day),)
    return _told_of_programme(event)


def _told_of_programme(event: AdmissionEvent) -> _Told | None:
    """What the programme owes: a review, and a word on each planned seat."""
    match event:
        case care.PlanReviewed():
            return "reviewed", event.review_on.toordinal(), (), ()
        case attendance.RosterOverdue():
            # Not the seat's fact: a correction of the seat does not mend it.
            day = (event.planned_on or event.recorded_day).toordinal()
            return "unreported", day, (event.session_id.hex,), ()
        case attendance.SeatWithdrawn():
            return "seat_withdrawn", event.recorded_day.toordinal(), (event.session_id.hex,), ()
    return _told_of_step(event)


def _told_of_step(event: AdmissionEvent) -> _Told | None:
    """A step of intake that is overdue, or has been taken."""
    match event:
        case intake.IntakeStepOverdue():
            return "step_overdue", event.due_on.toordinal(), (event.step,), ()
        case care.AttendancePolicyAcknowledged():
            return "step_done", event.recorded_day.toordinal(), ("attendance_policy",), ()
        case care.EligibilityAssessed():
            return "step_done", event.recorded_day.toordinal(), ("eligibility",), ()
    return None


def _told_of_pair(event: intake.AdmissionsMerged | intake.AdmissionsUnmerged) -> _Told | None:
    """The duplicate ends, or is what it was; the survivor was seen when the duplicate was."""
    day = event.recorded_day.toordinal()
    is_duplicate = event.admission_id == event.duplicate_id
    if isinstance(event, intake.AdmissionsUnmerged):
        return ("unmerged", day, (event.status, event.reason or ""), ()) if is_duplicate else None
    if is_duplicate:
        return "lost", day, ("merged",), ()
    return ("merged", event.last_seen_on.toordinal(), (), ()) if event.last_seen_on else None
