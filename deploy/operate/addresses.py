"""Where the four services answer, and how the command is let in there."""

import os
from dataclasses import dataclass, field

from handrail.access.tokens import InnerAuth

NAMES = ("intake", "attendance", "alerts", "aftercare")
ACCESS_KEY = "HANDRAIL_ACCESS_KEY"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Base URLs, without a slash at the end; and the key that the services share, where known."""

    intake: str
    attendance: str
    alerts: str
    aftercare: str
    key: str | None = field(default=None, repr=False)

    def auth(self) -> InnerAuth:
        """A token for each call, where there is a key."""
        return InnerAuth(self.key, "command")


def from_environment() -> Addresses | None:
    """What HANDRAIL_ADDRESS_INTAKE and its sisters say, where all of them are set."""
    named = {name: os.environ.get(f"HANDRAIL_ADDRESS_{name.upper()}") for name in NAMES}
    if not all(named.values()):
        return None
    addresses = {name: str(address).rstrip("/") for name, address in named.items()}
    return Addresses(**addresses, key=os.environ.get(ACCESS_KEY))
