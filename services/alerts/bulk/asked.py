"""What an export asks for, of a query or of Parameters; what it cannot be is refused by its name."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from handrail.fhir.asked import BadSearch

KIND = "MeasureReport"
FORMATS = frozenset({"application/fhir+ndjson", "application/ndjson", "ndjson"})
_INSTANT: TypeAdapter[AwareDatetime] = TypeAdapter(AwareDatetime)


class Parameter(BaseModel):
    """One parameter, with a value of one of the kinds that are used here."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    name: str
    valueString: str | None = None  # noqa: N815  # FHIR's name
    valueCode: str | None = None  # noqa: N815  # the same
    valueInstant: str | None = None  # noqa: N815  # the same

    def pair(self) -> tuple[str, str]:
        """As in a query."""
        return self.name, self.valueString or self.valueCode or self.valueInstant or ""


class Parameters(BaseModel):
    """What is asked in a body."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    parameter: Annotated[tuple[Parameter, ...], Field(max_length=20)] = ()

    def pairs(self) -> list[tuple[str, str]]:
        """As in a query."""
        return [one.pair() for one in self.parameter]


def since_of(pairs: Sequence[tuple[str, str]], headers: Any) -> date | None:
    """The day from which on a report has to be new; None for all. Raises BadSearch."""
    if "respond-async" not in headers.get("prefer", ""):
        raise BadSearch("async_only", "Send `Prefer: respond-async`.", "Prefer")
    since: date | None = None
    for name, value in pairs:
        match name:
            case "_outputFormat" if value in FORMATS:
                continue
            case "_type" if value == KIND:
                continue
            case "_since":
                since = _day(value)
            case "_outputFormat" | "_type":
                raise BadSearch("not_exported", "MeasureReports as ndjson, and nothing else.", name)
            case _:
                raise BadSearch("parameter_not_known", "See docs/fhir.md.")
    return since


def _day(value: str) -> date:
    try:
        return _INSTANT.validate_python(value).date()
    except ValidationError as error:
        raise BadSearch("since_invalid", "As 2026-11-02T09:00:00Z.", "_since") from error
