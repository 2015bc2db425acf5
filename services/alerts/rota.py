"""Who is on call at a site, night by night: versioned data, and the moment's answer. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field, TypeAdapter

from handrail.events.base import Code

LONGEST_HOURS = 72
_STRICT = ConfigDict(extra="forbid", hide_input_in_errors=True)


@dataclass(frozen=True, slots=True)
class Shift:
    """Someone on call from an hour of a weekday on, such as Friday 18:00 for 62 hours."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    staff_id: UUID
    # Monday is 0.
    weekday: Annotated[int, Field(ge=0, le=6)]
    begins: time
    hours: Annotated[float, Field(gt=0, le=LONGEST_HOURS)]
    # Of a rota that goes round over several weeks; the first is 0.
    week: Annotated[int, Field(ge=0, le=11)] = 0


@dataclass(frozen=True, slots=True)
class Rota:
    """Shifts that go round every so many weeks, counted from the week the rota begins in."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    version: Code
    shifts: Annotated[tuple[Shift, ...], Field(min_length=1, max_length=500)]
    weeks: Annotated[int, Field(ge=1, le=12)] = 1

    def __post_init__(self) -> None:
        """Raises ValueError for a shift whose week or hour does not exist."""
        if any(shift.week >= self.weeks for shift in self.shifts):
            raise ValueError("week must be below weeks")
        if any(shift.begins.tzinfo for shift in self.shifts):
            raise ValueError("begins is local, without an offset")


ROTAS: TypeAdapter[Rota] = TypeAdapter(Rota)


def on_call(rota: Rota, begins_on: date, at: datetime, zone: ZoneInfo) -> frozenset[UUID]:
    """Who is on call at this moment; nobody where the rota has a hole."""
    today = at.astimezone(zone).date()
    days = [today - timedelta(days=n) for n in range(LONGEST_HOURS // 24 + 1)]
    return frozenset(
        shift.staff_id
        for day in days
        for shift in rota.shifts
        if _falls_on(shift, day, rota, begins_on) and _lasts(shift, day, at, zone)
    )


def _falls_on(shift: Shift, day: date, rota: Rota, begins_on: date) -> bool:
    weeks = (_monday(day) - _monday(begins_on)).days // 7
    return day.weekday() == shift.weekday and weeks % rota.weeks == shift.week


def _lasts(shift: Shift, day: date, at: datetime, zone: ZoneInfo) -> bool:
    """Hours of the clock pass as people live them, also when the clocks change."""
    began = datetime.combine(day, shift.begins, zone).astimezone(UTC)
    return began <= at < began + timedelta(hours=shift.hours)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
