"""How a sender's words are taken: kinds of sessions by its service codes, reasons by its own."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from handrail.desk.review import SenderWords, Systems
from handrail.events.attendance import MissReason
from handrail.events.base import Code, Modality, Mode, SessionType

Word = Annotated[str, StringConstraints(min_length=1, max_length=80)]


class Kind(BaseModel):
    """What an appointment for a service is."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    session_type: SessionType
    modality: Modality = "other"
    mode: Mode = "in_person"
    program_id: Code | None = None
    track: Code | None = None


class Terms(BaseModel):
    """How the words of one sender are taken."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kinds: Annotated[dict[Word, Kind], Field(max_length=500)] = Field(
        default={}, description="By AIS-3, its first component, or a code of serviceType."
    )
    kind: Kind | None = Field(default=None, description="Where none of `kinds` is named.")
    reasons: Annotated[dict[Word, MissReason], Field(max_length=100)] = Field(
        default={}, description="Of a miss, by SCH-6 or a code of cancelationReason."
    )
    by_programme: Annotated[frozenset[Word], Field(max_length=100)] = Field(
        default=frozenset(), description="What says there: the programme cancelled."
    )
    systems: Systems = {}

    def kind_of(self, service: str) -> Kind | None:
        """What an appointment for this service is."""
        return self.kinds.get(service, self.kind)


class AppointmentSender(SenderWords):
    """A system that may tell of appointments."""

    terms: Terms = Terms()
