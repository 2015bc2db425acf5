"""Where the four services answer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Addresses:
    """Base URLs, without a slash at the end."""

    intake: str
    attendance: str
    alerts: str
    aftercare: str
