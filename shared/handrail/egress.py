"""The setting of which inner networks may be called by what others entered."""

from typing import Annotated

from pydantic import AfterValidator, Field

from handrail import outbound
from handrail.outbound import Network
from handrail.settings import FromEnvironment


def _readable(written: str) -> str:
    outbound.networks(written)
    return written


# As written in a setting; refused at the start where it cannot be read.
Networks = Annotated[str, AfterValidator(_readable)]


class EgressSettings(FromEnvironment):
    """Which inner networks an address may lead to that somebody entered; none by default."""

    egress_allow: Networks = Field(
        default="", description="Networks, as `10.2.0.0/16`, with commas."
    )

    def networks(self) -> tuple[Network, ...]:
        """The networks."""
        return outbound.networks(self.egress_allow)
