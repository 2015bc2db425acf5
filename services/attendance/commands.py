"""What attendance can be told; each command is taken once by its source and key."""

from typing import Annotated, Literal, TypeAlias
from uuid import UUID, uuid4

from pydantic import Field, StringConstraints, TypeAdapter

from attendance.facts import Session
from attendance.instruments import Instrument
from attendance.seats import (
    CancelSeat,
    CorrectAttendance,
    MakeUp,
    MoveSeat,
    RecordAttended,
    RecordExcused,
    RecordMissed,
    SessionCommand,
    Start,
    TakeRoster,
)
from attendance.series import JoinSeries, LeaveSeries, MoveSession, SetSeries
from handrail.events.attendance import Barrier, Channel
from handrail.events.base import Code, Minutes, Modality, Mode, SessionType, SiteId
from handrail.receipts import Command, Day, Result, SourceKey

ItemCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,20}$")]


class ScheduleSession(Command):
    """Put a session on the schedule, with a seat for everyone expected."""

    do: Literal["schedule_session"] = "schedule_session"
    site_id: SiteId
    session_key: SourceKey = Field(description="The sender's own key of the session.")
    session_type: SessionType
    modality: Modality = "other"
    mode: Mode = "in_person"
    planned_on: Day = Field(description="Local day of the site.")
    starts_at: Start | None = None
    planned_minutes: Minutes
    program_id: Code | None = None
    track: Code | None = None
    topic: Code | None = Field(default=None, description="By the site's own list of topics.")
    roster: Annotated[tuple[UUID, ...], Field(max_length=200)] = ()

    def opened(self) -> Session:
        """The session, under a new identifier."""
        return Session(
            session_id=uuid4(),
            site_id=self.site_id,
            source=self.source,
            session_key=self.session_key,
            session_type=self.session_type,
            modality=self.modality,
            mode=self.mode,
            held_on=self.planned_on,
            planned_on=self.planned_on,
            starts_at=self.starts_at,
            planned_minutes=self.planned_minutes,
            program_id=self.program_id,
            track=self.track,
            topic=self.topic,
        )


class CancelSession(SessionCommand):
    """The programme does not hold the session."""

    do: Literal["cancel_session"] = "cancel_session"


class PersonCommand(Command):
    """About one person, outside a session."""

    admission_id: UUID


class RecordContact(PersonCommand):
    """The person was, or could not be, spoken with."""

    do: Literal["record_contact"] = "record_contact"
    channel: Channel
    reached: bool


class RecordScreen(PersonCommand):
    """A drug screen came back."""

    do: Literal["record_screen"] = "record_screen"
    positives: Annotated[tuple[Code, ...], Field(max_length=32)] = ()


class RecordMeasure(PersonCommand):
    """An instrument or a check-in was scored."""

    do: Literal["record_measure"] = "record_measure"
    instrument: Code
    score: Annotated[float, Field(allow_inf_nan=False)]
    safety: bool = False


class RecordAnswers(PersonCommand):
    """A form was answered; it is scored here by its published rule."""

    do: Literal["record_answers"] = "record_answers"
    instrument: Instrument
    answers: Annotated[dict[ItemCode, Annotated[int, Field(ge=0, le=30)]], Field(max_length=32)] = (
        Field(description="Answers by the item's number; of the Columbia screener 0 no, 1 yes.")
    )


class BarrierCommand(PersonCommand):
    """About what stands between a person and the sessions."""

    barrier: Barrier


class NoteBarrier(BarrierCommand):
    """Something makes it hard for the person to come."""

    do: Literal["note_barrier"] = "note_barrier"


class LiftBarrier(BarrierCommand):
    """It does so no more."""

    do: Literal["lift_barrier"] = "lift_barrier"


class SetPolicy(Command):
    """How much notice a site asks for; less is a late cancellation."""

    do: Literal["set_policy"] = "set_policy"
    site_id: SiteId
    late_cancellation_hours: Annotated[int, Field(ge=0, le=168)]


class CloseDay(Command):
    """All of this day is sent; only for sites on replay time."""

    do: Literal["close_day"] = "close_day"
    site_id: SiteId
    day: Day


SeatingCommand: TypeAlias = (
    ScheduleSession
    | RecordAttended
    | RecordMissed
    | RecordExcused
    | CancelSession
    | TakeRoster
    | CorrectAttendance
    | CancelSeat
    | MoveSeat
    | MakeUp
    | SetPolicy
    | RecordContact
    | RecordScreen
    | RecordMeasure
    | RecordAnswers
    | NoteBarrier
    | LiftBarrier
    | CloseDay
)
AnyCommand: TypeAlias = Annotated[
    SeatingCommand | SetSeries | JoinSeries | LeaveSeries | MoveSession,
    Field(discriminator="do"),
]
COMMANDS: TypeAdapter[list[AnyCommand]] = TypeAdapter(
    Annotated[list[AnyCommand], Field(max_length=2000)]
)
RESULTS: TypeAdapter[list[Result]] = TypeAdapter(list[Result])
