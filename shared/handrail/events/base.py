"""What every event is made of, and the register of all of them."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, ClassVar, Literal, TypeVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.+-]{0,63}$")]
SiteId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
Minutes = Annotated[int, Field(ge=0, le=1440)]

SessionType = Literal["group", "individual", "family", "workshop", "medication"]
Mode = Literal["in_person", "online"]
MissKind = Literal["no_show", "late_cancellation"]
SeatStatus = Literal[
    "scheduled", "attended", "no_show", "late_cancellation", "excused", "cancelled_by_program"
]
Modality = Literal[
    "cbt",
    "mi",
    "medication",
    "mindfulness",
    "art",
    "music",
    "yoga",
    "life_skills",
    "job_skills",
    "relapse_prevention",
    "other",
]
Clock = Literal["wall", "replay"]


class Event(BaseModel):
    """One published fact: codes, identifiers, times and numbers; never a name or free text.

    Unknown fields are ignored, so that an optional field can be added without a new version.
    """

    model_config = ConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, ser_json_timedelta="float"
    )

    type: ClassVar[str]
    owner: ClassVar[str]

    site_id: SiteId
    occurred_at: AwareDatetime = Field(description="When it happened.")
    recorded_at: AwareDatetime = Field(description="When the owner knew of it.")
    recorded_day: date = Field(
        description="The site's local day, open at the owner, in which it was recorded."
    )


class AdmissionEvent(Event):
    """A fact about one admission (FHIR EpisodeOfCare), from referral to aftercare."""

    admission_id: UUID = Field(description="Random; minted when the referral is received.")


class SiteEvent(Event):
    """A fact about a site and nobody in it; it has a stream per site and partition."""

    partition: Annotated[int, Field(ge=0)]


class DayClosed(SiteEvent):
    """The owner has published all it recorded up to the end of this local day.

    One per site and partition. A consumer may now decide what "nothing happened" means.
    """

    day: date


REGISTER: dict[str, type[Event]] = {}

E = TypeVar("E", bound=type[Event])


def event(wire_type: str) -> Callable[[E], E]:
    """Give an event its wire name `owner.what_happened.vN` and enter it in the register.

    Raises ValueError when the name is taken: wire names never come from class names.
    """

    def enter(cls: E) -> E:
        if wire_type in REGISTER:
            raise ValueError(f"two events are called {wire_type}")
        cls.type = wire_type
        cls.owner = wire_type.split(".", 1)[0]
        REGISTER[wire_type] = cls
        return cls

    return enter
