"""The settings every service reads, once, when it starts."""

import os
import ssl
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import Field, PostgresDsn, SecretStr, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "HANDRAIL_"
Level: TypeAlias = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


class Files(PydanticBaseSettingsSource):
    """A setting may stand in a file that `HANDRAIL_X_FILE` names, as secrets are handed over."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The file's content; nothing where no file is named."""
        del field
        name = f"{PREFIX}{field_name.upper()}"
        file = os.environ.get(f"{name}_FILE")
        if file is None:
            return None, field_name, False
        if name in os.environ:
            raise SettingsMistake(f"{name} and {name}_FILE are both set; keep one.")
        try:
            return Path(file).read_text().strip(), field_name, False
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise SettingsMistake(f"{name}_FILE: {file} cannot be read ({why}).") from None

    def __call__(self) -> dict[str, Any]:
        """What the files say."""
        fields = self.settings_cls.model_fields
        found = {name: self.get_field_value(field, name)[0] for name, field in fields.items()}
        return {name: value for name, value in found.items() if value is not None}


class SettingsMistake(Exception):
    """A setting that cannot be used; the text says which and what to do, and repeats no secret."""


class FromEnvironment(BaseSettings):
    """Settings from environment variables with the prefix HANDRAIL_, or from the files they name."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, hide_input_in_errors=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then files."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, Files(settings_cls)


class KafkaSettings(FromEnvironment):
    """Where Kafka is, and how one is let in."""

    kafka_bootstrap: str = "kafka:9092"
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_username: str | None = None
    kafka_password: SecretStr | None = Field(default=None, description="A secret.")
    kafka_ca_file: Path | None = Field(default=None, description="Else the system's authorities.")
    kafka_certificate_file: Path | None = Field(default=None, description="Ours, where asked for.")
    kafka_key_file: Path | None = None

    @field_validator("kafka_bootstrap")
    @classmethod
    def _names_a_port(cls, value: str) -> str:
        places = [place.strip() for place in value.split(",")]
        for place in places:
            host, _, port = place.rpartition(":")
            if not (host and port.isdecimal() and 0 < int(port) < 65536):
                raise ValueError("host:port, several with commas between")
        return ",".join(places)

    @model_validator(mode="after")
    def _can_be_let_in(self) -> "KafkaSettings":
        if self.kafka_security.startswith("SASL") and not (
            self.kafka_username and self.kafka_password
        ):
            message = f"{PREFIX}KAFKA_SECURITY asks for {PREFIX}KAFKA_USERNAME and {PREFIX}KAFKA_PASSWORD (or …_FILE)."
            raise SettingsMistake(message)
        for file in (self.kafka_ca_file, self.kafka_certificate_file, self.kafka_key_file):
            if file and not file.is_file():
                raise SettingsMistake(f"the Kafka certificate or key {file} is not there.")
        return self

    def kafka_access(self) -> dict[str, Any]:
        """How every client of Kafka is let in, in aiokafka's words."""
        options: dict[str, Any] = {"security_protocol": self.kafka_security}
        if self.kafka_security.endswith("SSL"):
            options["ssl_context"] = self._tls()
        if self.kafka_security.startswith("SASL"):
            assert self.kafka_password
            options["sasl_mechanism"] = self.kafka_sasl
            options["sasl_plain_username"] = self.kafka_username
            options["sasl_plain_password"] = self.kafka_password.get_secret_value()
        return options

    def _tls(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.kafka_ca_file)
            if self.kafka_certificate_file:
                context.load_cert_chain(self.kafka_certificate_file, self.kafka_key_file)
        except ssl.SSLError:
            message = (
                "a Kafka certificate or key cannot be used: PEM is wanted, and a key that fits."
            )
            raise SettingsMistake(message) from None
        return context


class Settings(KafkaSettings):
    """What each service needs; defaults work under docker compose.

    Raises pydantic.ValidationError or SettingsMistake when one is missing or not usable.
    """

    database_url: SecretStr = Field(description="This service's own database; a secret.")
    kafka_session_seconds: float = Field(
        default=6,
        ge=1,
        le=60,
        description="After how long another instance takes over from one that fell silent. No less than the broker's group.min.session.timeout.ms, 6 s unless set.",
    )
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8080, ge=1, le=65535)
    http_fd: int | None = Field(
        default=None, ge=3, description="A socket that listens already, handed over by the starter."
    )
    http_leave_seconds: float = Field(
        default=0,
        ge=0,
        le=60,
        description="How long requests are still taken after the word to end, while `/health/ready` says no.",
    )
    log_level: Level = "INFO"
    otlp_endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/]+",
        description="OTLP over HTTP, such as http://collector:4318.",
    )
    trace_ratio: float = Field(default=0.1, ge=0, le=1, description="Share of traces kept.")
    day_close_grace_minutes: int = Field(
        default=15, ge=0, le=720, description="How long after local midnight a day is closed."
    )

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_capitals(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    def dsn(self) -> str:
        """The database address in the form asyncpg takes."""
        return str(PostgresDsn(self.database_url.get_secret_value()))
