"""The settings every service reads, once, when it starts."""

from pydantic import Field, PostgresDsn, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Environment variables with the prefix HANDRAIL_; defaults work under docker compose.

    Raises pydantic.ValidationError when one is missing or not usable.
    """

    model_config = SettingsConfigDict(env_prefix="HANDRAIL_", hide_input_in_errors=True)

    database_url: SecretStr = Field(description="This service's own database; a secret.")
    kafka_bootstrap: str = "kafka:9092"
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8080, ge=1, le=65535)
    log_level: str = "INFO"
    otlp_endpoint: str | None = Field(
        default=None, description="OTLP over HTTP, such as http://collector:4318."
    )
    trace_ratio: float = Field(default=0.1, ge=0, le=1, description="Share of traces kept.")
    day_close_grace_minutes: int = Field(
        default=15, ge=0, le=720, description="How long after local midnight a day is closed."
    )

    def dsn(self) -> str:
        """The database address in the form asyncpg takes."""
        return str(PostgresDsn(self.database_url.get_secret_value()))
