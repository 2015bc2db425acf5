"""How a sender's words are taken: programmes by unit, sources and ends by HL7's tables."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from handrail.desk.review import SenderWords, Systems
from handrail.events.base import Code
from handrail.events.care import AgeGroup, Focus
from handrail.events.intake import (
    DischargeReason,
    Instrument,
    ReferralSource,
    Track,
    WeeklyMinutes,
)
from intake.commands.stay import SessionsPerWeek

Word = Annotated[str, StringConstraints(min_length=1, max_length=80)]

# Table 0023, as UB-04 has it.
SOURCES: dict[str, ReferralSource] = {
    "1": "primary_care",
    "2": "primary_care",
    "4": "inpatient",
    "7": "emergency_department",
    "8": "court",
}
# Table 0112, as UB-04 has it.
ENDS: dict[str, DischargeReason] = {
    **dict.fromkeys(("1", "01"), "completed"),
    **dict.fromkeys(("2", "02", "3", "03", "4", "04", "5", "05", "65"), "transferred"),
    **dict.fromkeys(("7", "07"), "dropped_out"),
    **dict.fromkeys(("20", "40", "41", "42"), "died"),
    **dict.fromkeys(("21",), "incarcerated"),
}


class Place(BaseModel):
    """What an admission to a unit is: the programme, its level of care and its dose."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    program_id: Code
    track: Track = "none"
    instrument: Instrument = "asam"
    edition: Code = "4"
    level_of_care: Code = "2.1"
    weekly_minutes: WeeklyMinutes
    sessions_per_week: SessionsPerWeek
    age_group: AgeGroup = "adult"
    focus: Focus | None = None


class Terms(BaseModel):
    """How the words of one sender are taken."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    referral_source: ReferralSource = Field(
        default="other", description="Where PV1-14 says nothing that is known."
    )
    place: Place | None = Field(default=None, description="Where PV1-3 names no unit of `units`.")
    units: Annotated[dict[Word, Place], Field(max_length=200)] = Field(
        default={}, description="By PV1-3, its first component, or a code of an episode's type."
    )
    sources: Annotated[dict[Word, ReferralSource], Field(max_length=100)] = Field(
        default=SOURCES, description="By PV1-14."
    )
    ends: Annotated[dict[Word, DischargeReason], Field(max_length=100)] = Field(
        default=ENDS, description="By PV1-36; what is not here is `other`."
    )
    systems: Systems = {}

    def place_of(self, unit: str) -> Place | None:
        """What an admission to this unit is."""
        return self.units.get(unit, self.place)


class AdtSender(SenderWords):
    """A system that may send ADT messages."""

    terms: Terms = Terms()
