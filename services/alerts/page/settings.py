"""The page's own settings; the service's are in the kit."""

from pydantic import Field, HttpUrl, SecretStr

from handrail.settings import FromEnvironment


class PageSettings(FromEnvironment):
    """Environment variables with the prefix HANDRAIL_; without an issuer the built-in one is used."""

    page_url: HttpUrl | None = Field(
        default=None, description="Where browsers reach the page; else this service's own address."
    )
    oidc_issuer: HttpUrl | None = Field(
        default=None, description="The OpenID Connect provider; none: the development issuer."
    )
    development_issuer: bool | None = Field(
        default=None,
        description="Whether anybody may come in without a password; else on loopback only.",
    )
    oidc_client_id: str = "handrail"
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_scope: str = "openid profile"
    session_idle_minutes: float = Field(
        default=15, gt=0, le=240, description="After so long without a touch the page locks."
    )
    session_hours: float = Field(default=10, gt=0, le=24)
    stream_seconds: float = Field(
        default=600, gt=0, le=3600, description="A live stream ends after this and is resumed."
    )
    intake_url: HttpUrl | None = Field(default=None, description="Where intake answers.")
    attendance_url: HttpUrl | None = Field(
        default=None, description="Where attendance answers; none: no roster is taken here."
    )
    aftercare_url: HttpUrl | None = Field(default=None, description="Where aftercare answers.")
    trace_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s]*\{trace_id\}[^\s]*$",
        description="Where a trace is shown, such as http://jaeger:16686/trace/{trace_id}.",
    )
