"""Settings at a service's start: what is wrong ends the process, with one clear line for each mistake."""

import sys
from typing import NoReturn, TypeVar

from pydantic import ValidationError

from handrail import http, telemetry
from handrail.settings import PREFIX, FromEnvironment, Settings, SettingsMistake

EXIT_USAGE = 2
S = TypeVar("S", bound=FromEnvironment)


def read_settings(service: str) -> Settings:
    """The settings from the environment; ends the process with one clear line per mistake."""
    settings = read(Settings, service)
    try:
        settings.dsn()
        settings.kafka_access()
    except ValidationError as error:
        _end_by(service, _mistakes(error, "database_url"))
    except SettingsMistake as mistake:
        _end_by(service, [str(mistake)])
    telemetry.start_logging(service, settings.log_level)
    return settings


def read(kind: type[S], service: str) -> S:
    """One kind of settings; ends the process with one clear line per mistake."""
    try:
        return kind()
    except ValidationError as error:
        _end_by(service, _mistakes(error))
    except SettingsMistake as mistake:
        _end_by(service, [str(mistake)])


def _mistakes(error: ValidationError, otherwise: str = "") -> list[str]:
    found = []
    for item in http.fields_of(error):
        name = PREFIX + (item["field"] or otherwise).upper()
        says = "it is missing" if item["code"] == "missing" else item["expected"]
        found.append(f"{name}: {says}")
    return found


def end_by_mistake(service: str, mistake: SettingsMistake) -> NoReturn:
    """End the process with one clear line about a setting."""
    _end_by(service, [str(mistake)])


def _end_by(service: str, mistakes: list[str]) -> NoReturn:
    for mistake in mistakes:
        print(f"{service}: {mistake}", file=sys.stderr)
    sys.exit(EXIT_USAGE)
