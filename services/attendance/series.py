"""Recurring sessions: what can be told of them, and which sessions and seats follow."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Literal, TypeAlias
from uuid import UUID, uuid4

from pydantic import BeforeValidator, Field

from attendance import recurrence
from attendance.facts import Seat, Session, When
from attendance.seats import SessionCommand, Start
from handrail.events import attendance as events
from handrail.events.attendance import Region, RuleText, WithdrawReason
from handrail.events.base import Code, Minutes, Modality, Mode, SessionType, SiteId
from handrail.receipts import Command, Day
from handrail.sites import Site

# Sessions and seats stand on the calendar so many days ahead.
AHEAD = timedelta(days=28)
SOURCE = "series"
# The catalogue of a site's series is one stream, on its first partition.
PARTITION = 0


def _lines(text: object) -> object:
    """Lines may end as RFC 5545 asks, or simply."""
    return "\n".join(text.split()) if isinstance(text, str) else text


class SeriesCommand(Command):
    """About one series of a site."""

    site_id: SiteId
    series_key: Code


class SetSeries(SeriesCommand):
    """Put a recurring session on the calendar, or change it; what is over stays as it was."""

    do: Literal["set_series"] = "set_series"
    session_type: SessionType
    modality: Modality = "other"
    mode: Mode = "in_person"
    planned_minutes: Annotated[Minutes, Field(ge=1)]
    recurrence: Annotated[RuleText, BeforeValidator(_lines)] = Field(
        description="RFC 5545 properties DTSTART, RRULE, RDATE and EXDATE in the site's local "
        "time, one a line.",
        examples=["DTSTART:20260302T173000\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE,TH"],
    )
    holidays: Region | None = Field(
        default=None, description="Not held on public holidays of this place (ISO 3166)."
    )
    program_id: Code | None = None
    track: Code | None = None
    topic: Code | None = Field(default=None, description="By the site's own list of topics.")


class JoinSeries(SeriesCommand):
    """Expect a person at every session of the series from a day on."""

    do: Literal["join_series"] = "join_series"
    admission_id: UUID
    from_on: Day
    until_on: Day | None = None


class LeaveSeries(SeriesCommand):
    """Expect a person no more after this day."""

    do: Literal["leave_series"] = "leave_series"
    admission_id: UUID
    left_on: Day


class MoveSession(SessionCommand):
    """The programme holds a session at another time; everyone's seat goes with it."""

    do: Literal["move_session"] = "move_session"
    to_planned_on: Day
    to_starts_at: Start


CalendarCommand: TypeAlias = SetSeries | JoinSeries | LeaveSeries | MoveSession


@dataclass(frozen=True, slots=True)
class Series:
    """A recurring session of a site; sessions are made up to `planned_through`."""

    site_id: str
    series_key: str
    track: str | None
    program_id: str | None
    session_type: SessionType
    modality: Modality
    mode: Mode
    planned_minutes: int
    recurrence: str
    holidays: str | None
    planned_through: date
    topic: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A person who is expected at a series."""

    site_id: str
    series_key: str
    admission_id: UUID
    from_on: date
    until_on: date | None

    def is_expected_on(self, day: date) -> bool:
        """Whether the person has a seat on this day."""
        return self.from_on <= day and (self.until_on is None or day <= self.until_on)


def sessions_of(series: Series, site: Site, first: date, last: date) -> Iterator[Session]:
    """The sessions that the rule makes in these days, each under a new identifier."""
    rule = recurrence.parse(series.recurrence, site.time_zone)
    for local in recurrence.held_at(rule, series.holidays, first, last):
        yield Session(
            session_id=uuid4(),
            site_id=series.site_id,
            source=SOURCE,
            session_key=f"{series.site_id}/{series.series_key}/{local:%Y%m%dT%H%M%S}",
            session_type=series.session_type,
            modality=series.modality,
            mode=series.mode,
            held_on=local.date(),
            planned_on=local.date(),
            starts_at=recurrence.instant(local, site.time_zone),
            planned_minutes=series.planned_minutes,
            program_id=series.program_id,
            track=series.track,
            series_key=series.series_key,
            topic=series.topic,
        )


def is_as_planned(session: Session, series: Series) -> bool:
    """Whether a session made before is still what the series makes."""
    return (
        session.planned_minutes == series.planned_minutes
        and session.session_type == series.session_type
        and session.modality == series.modality
        and session.mode == series.mode
        and session.track == series.track
        and session.program_id == series.program_id
        and session.topic == series.topic
    )


def told(series: Series, when: When) -> events.SeriesSet:
    """The series as anyone may read of it."""
    return events.SeriesSet(
        site_id=series.site_id,
        **when,
        partition=PARTITION,
        series_key=series.series_key,
        track=series.track,
        program_id=series.program_id,
        session_type=series.session_type,
        modality=series.modality,
        mode=series.mode,
        planned_minutes=series.planned_minutes,
        recurrence=series.recurrence,
        holidays=series.holidays,
        topic=series.topic,
    )


def withdrawn(
    seats: Iterable[tuple[Session, Seat]], reason: WithdrawReason, when: When
) -> list[events.SeatWithdrawn]:
    """Planned seats that are not kept."""
    return [
        events.SeatWithdrawn(
            site_id=session.site_id,
            admission_id=seat.admission_id,
            session_id=session.session_id,
            session_type=session.session_type,
            planned_on=session.planned_on,
            **when,
            reason=reason,
        )
        for session, seat in seats
    ]
