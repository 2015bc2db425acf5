"""`handrail prepare`: what containers need before the services start; run as a job, any number of times.

Keys are random, made once, and lie in a folder: a file with each service's database address in a
folder of its own, so that each service can be given its own alone.
"""

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from handrail.configured import read, read_settings
from handrail.personal.settings import PersonalSettings
from handrail.settings import KafkaSettings, SettingsMistake
from operate import databases
from operate.errors import OperateError
from operate.home import MLLP, SERVICES, Home, new_wrapping_key
from operate.parts import kafka, postgres, topics

PATIENCE_SECONDS = 120.0


def command(
    keys: Annotated[Path, typer.Option(help="The folder of the keys.")] = Path("/keys"),
    database: Annotated[str, typer.Option(help="PostgreSQL's host and port.")] = "postgres:5432",
    replicas: Annotated[int, typer.Option(min=1, max=5, help="Copies of each topic.")] = 1,
    *,
    only_keys: Annotated[bool, typer.Option("--only-keys", help="Then end.")] = False,
    migrate: Annotated[
        str, typer.Option(help="Only this service's migrations, on its HANDRAIL_DATABASE_URL.")
    ] = "",
) -> None:
    """Make keys, databases, migrations and topics; what is there already stays as it is."""
    if migrate:
        if migrate not in SERVICES:
            message = f"--migrate takes one of: {', '.join(SERVICES)}."
            raise OperateError(message)
        _migrate(read_settings(migrate).dsn(), migrate, _keys_url(migrate))
        return
    admin_url = make_keys(keys, database)
    if only_keys:
        return
    asyncio.run(_prepare(keys, os.environ.get("HANDRAIL_DATABASE_ADMIN_URL", admin_url), replicas))


def make_keys(folder: Path, database: str) -> str:
    """PostgreSQL's password, each service's database address, and the keys that services need."""
    password = _once(folder / "postgres" / "password", secrets.token_urlsafe(24))
    admin_url = f"postgresql://postgres:{quote(password, safe='')}@{database}/postgres"
    home = Home(folder / "prepare")
    for service in SERVICES:
        (folder / "prepare").mkdir(parents=True, exist_ok=True)
        url = databases.url_of(admin_url, service, home)
        _once(folder / service / "database-url", url)
        if service in databases.KEYED:
            _once(folder / service / "keys-url", databases.keys_url_of(admin_url, service, home))
    _shared(folder, "access-key", SERVICES)
    _shared(folder, "hl7-key", MLLP)
    _shared(folder, "personal-key", databases.KEYED, new_wrapping_key())
    _once(folder / "intake" / "audit-key", secrets.token_urlsafe(24))
    return admin_url


def _shared(folder: Path, name: str, services: Iterable[str], fresh: str | None = None) -> None:
    """One key for all of these; a copy of it stays with who makes keys."""
    key = _once(folder / "prepare" / name, fresh or secrets.token_urlsafe(24))
    for service in services:
        _once(folder / service / name, key)


def _once(file: Path, content: str) -> str:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "w") as new:
            new.write(content)
    except FileExistsError:
        return file.read_text().strip()
    except OSError as error:
        message = f"{file} cannot be written ({error.strerror}); name another folder in --keys."
        raise OperateError(message) from None
    return content


async def _prepare(keys: Path, admin_url: str, replicas: int) -> None:
    home = Home(keys / "prepare")
    settings = read(KafkaSettings, "prepare")
    brokers, access = settings.kafka_bootstrap, settings.kafka_access()
    await _until(lambda: postgres.answers(admin_url), "PostgreSQL")
    await databases.prepare(admin_url, home, owns_server=False)
    for service in SERVICES:
        url = databases.url_of(admin_url, service, home)
        is_keyed = service in databases.KEYED
        keys_url = databases.keys_url_of(admin_url, service, home) if is_keyed else None
        await asyncio.to_thread(_migrate, url, service, keys_url)
    await _until(lambda: kafka.answers(brokers, access), "Kafka")
    await topics.create(brokers, replicas=replicas, access=access)
    print("topics are there", flush=True)


async def _until(answers: Callable[[], Awaitable[bool]], part: str) -> None:
    """Whoever starts everything at once starts this job before the parts are up."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await answers():  # noqa: ASYNC110  # a server sets no event
                await asyncio.sleep(0.5)
    except TimeoutError:
        message = f"{part} does not answer after {PATIENCE_SECONDS:.0f} s."
        raise OperateError(message) from None


def _keys_url(service: str) -> str | None:
    try:
        return read(PersonalSettings, service).dsn()
    except SettingsMistake as mistake:
        raise OperateError(str(mistake)) from None


def _migrate(url: str, service: str, keys_url: str | None) -> None:
    applied = databases.migrate(url, service)
    if keys_url:
        applied += databases.migrate_keys(keys_url, service)
    print(f"{service}: {', '.join(applied) or 'nothing to migrate'}", flush=True)
