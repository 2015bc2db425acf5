"""What an operation is given in a body: a Parameters resource, as far as it is read."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

_Value = Annotated[str, StringConstraints(max_length=200)]


class Parameter(BaseModel):
    """One parameter, with a value of one of the kinds that are used here."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    name: _Value
    valueString: _Value | None = None  # noqa: N815  # FHIR's name
    valueCode: _Value | None = None  # noqa: N815  # the same
    valueId: _Value | None = None  # noqa: N815  # the same
    valueInstant: _Value | None = None  # noqa: N815  # the same

    def value(self) -> str:
        """Whatever it is; empty where it is of another kind."""
        return self.valueString or self.valueCode or self.valueId or self.valueInstant or ""


class Parameters(BaseModel):
    """The parameters in their order."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    parameter: Annotated[tuple[Parameter, ...], Field(max_length=100)] = ()

    def pairs(self) -> list[tuple[str, str]]:
        """Names and values, as in a query."""
        return [(one.name, one.value()) for one in self.parameter]

    def all(self, name: str) -> list[str]:
        """The values of a parameter that may stand more than once."""
        return [value for called, value in self.pairs() if called == name]

    def last(self, name: str) -> str | None:
        """The last value of a parameter; None where it is not there."""
        found = self.all(name)
        return found[-1] if found else None
