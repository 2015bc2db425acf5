"""The programmes of a site."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from handrail.events import care
from handrail.events.base import Code, Mode, SessionType, SiteId
from handrail.events.care import AgeGroup, Focus
from handrail.events.intake import Instrument, Track, WeeklyMinutes
from handrail.receipts import Command


class Window(care.Window):
    """A stretch of local time that comes every week."""

    model_config = ConfigDict(extra="forbid")


class ProgramCommand(Command):
    """About one programme of a site that is known from its first referral."""

    site_id: SiteId
    program_id: Code


class ListProgram(ProgramCommand):
    """Put a programme into the catalogue, or change it there."""

    do: Literal["list_program"] = "list_program"
    focus: Focus = "substance_use"
    age_group: AgeGroup = "adult"
    instrument: Instrument = "asam"
    edition: Code = "4"
    level_of_care: Code = "2.1"
    track: Track = "none"
    weekly_minutes: WeeklyMinutes
    session_types: Annotated[tuple[SessionType, ...], Field(min_length=1, max_length=5)]
    modes: Annotated[tuple[Mode, ...], Field(min_length=1, max_length=2)] = ("in_person",)
    places: Annotated[int, Field(ge=0, le=10_000)]
    meets: Annotated[tuple[Window, ...], Field(max_length=50)] = ()


class UnlistProgram(ProgramCommand):
    """Take it out: nobody new."""

    do: Literal["unlist_program"] = "unlist_program"
