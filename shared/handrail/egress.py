"""The settings of what leaves: which inner networks may be called, and how long it is kept."""

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
    """Where an address that somebody entered may lead to, and what a topic of theirs keeps."""

    egress_allow: Networks = Field(
        default="", description="Networks, as `10.2.0.0/16`, with commas."
    )
    egress_topic_days: int = Field(
        default=7, ge=1, le=30, description="How long a subscriber's own topic keeps a message."
    )

    def networks(self) -> tuple[Network, ...]:
        """The networks."""
        return outbound.networks(self.egress_allow)
