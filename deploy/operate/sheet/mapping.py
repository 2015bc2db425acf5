"""The mapping file of a spreadsheet: which column is what, and what its words mean."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
)

from handrail import sites
from handrail.events.attendance import MissReason
from handrail.events.base import Code, Minutes, Modality, Mode, SessionType, SiteId
from handrail.events.intake import (
    DischargeReason,
    HoldReason,
    Instrument,
    ReferralSource,
    Track,
    WeeklyMinutes,
)
from handrail.http import fields_of
from operate.errors import OperateError

What: TypeAlias = Literal[
    "referral", "admitted", "discharged", "hold", "resumed",
    "attended", "no_show", "late_cancellation", "excused",
]  # fmt: skip
Heading = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Columns(_Part):
    """The sheet's own headings."""

    person: Heading = Field(description="The sheet's number of a person; kept as a keyed hash.")
    what: Heading
    day: Heading
    time: Heading | None = None
    session: Heading | None = Field(default=None, description="The name of a group or session.")
    minutes: Heading | None = None
    reason: Heading | None = None
    source: Heading | None = None
    program: Heading | None = None

    def named(self) -> list[str]:
        """Every heading that is asked for."""
        return [name for name in self.model_dump().values() if name]


class Dates(_Part):
    """How days and times are written, in strptime's words."""

    day: str = "%Y-%m-%d"
    time: str = "%H:%M"


class Sitting(_Part):
    """What the sheet's sessions are."""

    session_type: SessionType = "group"
    modality: Modality = "other"
    mode: Mode = "in_person"
    planned_minutes: Minutes = 180


class Program(_Part):
    """What an admission is."""

    program_id: Code
    track: Track = "none"
    instrument: Instrument = "asam"
    edition: Code = "4"
    level_of_care: Code = "2.1"
    weekly_minutes: WeeklyMinutes
    sessions_per_week: Annotated[int, Field(ge=0, le=14)]


class Mapping(_Part):
    """All of it. The words of the sheet stand left."""

    source: Code
    site_id: SiteId
    time_zone: str
    columns: Columns
    what: dict[str, What]
    dates: Dates = Dates()
    sitting: Sitting = Sitting()
    sittings: dict[str, Sitting] = Field(default={}, description="By the session's name.")
    program: Program | None = None
    programs: dict[str, Program] = {}
    reasons: dict[str, MissReason] = {}
    ends: dict[str, DischargeReason] = {}
    holds: dict[str, HoldReason] = {}
    sources: dict[str, ReferralSource] = {}

    @field_validator("time_zone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        sites.zone_of(name)
        return name


def read_mapping(path: Path) -> Mapping:
    """The mapping in a TOML file. Raises OperateError, which names what is wrong."""
    try:
        return Mapping.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        wrong = "; ".join(f"{one['field']}: {one['expected']}" for one in fields_of(error))
        message = f"{path}: {wrong}"
        raise OperateError(message) from None
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read as TOML ({type(error).__name__})."
        raise OperateError(message) from None
