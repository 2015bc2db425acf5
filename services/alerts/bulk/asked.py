"""What an export asks for; what it cannot be is refused by its name."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from handrail.fhir.asked import BadSearch

KIND = "MeasureReport"
FORMATS = frozenset({"application/fhir+ndjson", "application/ndjson", "ndjson"})
_INSTANT: TypeAdapter[AwareDatetime] = TypeAdapter(AwareDatetime)


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
