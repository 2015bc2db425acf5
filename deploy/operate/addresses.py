"""Where the four services answer."""

import os
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Addresses:
    """Base URLs, without a slash at the end."""

    intake: str
    attendance: str
    alerts: str
    aftercare: str


def from_environment() -> Addresses | None:
    """What HANDRAIL_ADDRESS_INTAKE and its sisters say, where all of them are set."""
    names = [field.name for field in fields(Addresses)]
    named = {name: os.environ.get(f"HANDRAIL_ADDRESS_{name.upper()}") for name in names}
    if not all(named.values()):
        return None
    return Addresses(**{name: str(address).rstrip("/") for name, address in named.items()})
