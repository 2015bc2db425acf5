"""The settings of personal fields; without them a service takes none."""

import os
from collections.abc import Callable
from pathlib import Path

from pydantic import Field, PostgresDsn, SecretStr, ValidationError

from handrail.personal.keys import FileKeys
from handrail.settings import PREFIX, FromEnvironment, SettingsMistake

KEY = f"{PREFIX}PERSONAL_KEY"


class PersonalSettings(FromEnvironment):
    """Environment variables with the prefix HANDRAIL_."""

    personal_key: SecretStr | None = Field(
        default=None,
        description="Secrets that wrap each person's key, the newest first, with spaces between.",
    )
    keys_url: SecretStr | None = Field(
        default=None, description="The database of this service's keys; a secret."
    )

    def dsn(self) -> str | None:
        """The address of the database of keys; None where no personal fields are taken.

        Raises SettingsMistake.
        """
        if (self.personal_key is None) != (self.keys_url is None):
            message = f"{KEY} and {PREFIX}KEYS_URL (or …_FILE) belong together."
            raise SettingsMistake(message)
        if self.keys_url is None:
            return None
        try:
            return str(PostgresDsn(self.keys_url.get_secret_value()))
        except ValidationError:
            message = f"{PREFIX}KEYS_URL: an address of PostgreSQL is wanted."
            raise SettingsMistake(message) from None

    def keys(self) -> FileKeys:
        """The wrapping keys. Raises SettingsMistake."""
        try:
            return FileKeys(self._text())
        except (OSError, ValueError):
            message = f"{KEY}: secrets of 16 characters at least, with spaces or lines between."
            raise SettingsMistake(message) from None

    def _text(self) -> Callable[[], str]:
        file = os.environ.get(f"{KEY}_FILE")
        if file:
            return Path(file).read_text
        given = self.personal_key.get_secret_value() if self.personal_key else ""
        return lambda: given
