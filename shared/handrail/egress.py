"""The setting of which inner networks may be called by what others entered."""

from pydantic import Field, field_validator

from handrail import outbound
from handrail.outbound import Network
from handrail.settings import FromEnvironment


class EgressSettings(FromEnvironment):
    """Which inner networks an address may lead to that somebody entered; none by default."""

    egress_allow: str = Field(default="", description="Networks, as `10.2.0.0/16`, with commas.")

    @field_validator("egress_allow")
    @classmethod
    def _are_networks(cls, written: str) -> str:
        outbound.networks(written)
        return written

    def networks(self) -> tuple[Network, ...]:
        """The networks."""
        return outbound.networks(self.egress_allow)
