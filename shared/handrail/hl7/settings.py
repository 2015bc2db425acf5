"""The settings of the HL7 edge; without a key and a port nothing of it runs."""

import ssl
from pathlib import Path

from pydantic import Field, HttpUrl, SecretStr

from handrail import outbound
from handrail.egress import Networks
from handrail.outbound import Network
from handrail.settings import FromEnvironment, SettingsMistake


class Hl7Settings(FromEnvironment):
    """Environment variables with the prefix HANDRAIL_."""

    hl7_key: SecretStr | None = Field(
        default=None, min_length=16, description="A secret; never changed. None: no HL7."
    )
    hl7_keep_days: int = Field(
        default=90, ge=7, le=3650, description="How long what became of a message is known."
    )
    mllp_host: str = "127.0.0.1"
    mllp_port: int | None = Field(default=None, ge=1, le=65535, description="None: no listener.")
    mllp_fd: int | None = Field(
        default=None, ge=3, description="A socket that listens already, handed over by the starter."
    )
    mllp_allow: Networks = Field(
        default="127.0.0.0/8,::1/128", description="Networks that may connect, with commas."
    )
    mllp_certificate_file: Path | None = Field(default=None, description="With its key: TLS.")
    mllp_key_file: Path | None = None
    mllp_client_ca_file: Path | None = Field(
        default=None, description="Whose certificates senders have to show."
    )
    mllp_idle_seconds: float = Field(default=300, gt=0, le=86_400)
    mllp_connections: int = Field(default=50, ge=1, le=10_000)
    intake_url: HttpUrl | None = Field(default=None, description="Where intake answers.")

    def networks(self) -> tuple[Network, ...]:
        """Who may connect."""
        return outbound.networks(self.mllp_allow)

    def tls(self) -> ssl.SSLContext | None:
        """The listener's TLS, where a certificate is named. Raises SettingsMistake."""
        if self.mllp_certificate_file is None:
            return None
        try:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(self.mllp_certificate_file, self.mllp_key_file)
            if self.mllp_client_ca_file:
                context.load_verify_locations(self.mllp_client_ca_file)
                context.verify_mode = ssl.CERT_REQUIRED
        except (OSError, ssl.SSLError):
            message = (
                "a certificate or key of MLLP cannot be used: PEM is wanted, and a key that fits."
            )
            raise SettingsMistake(message) from None
        return context
