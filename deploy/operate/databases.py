"""A database and a role for each service, and the migrations that shape it."""

import importlib.util
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from operate.errors import OperateError
from operate.home import SERVICES, Home

KIT = "handrail"
# Those that keep personal fields: their keys lie in a database of their own, `SERVICE_keys`.
KEYED = ("intake", "attendance")
_KEYS = "handrail.personal"
# Any number; it only has to be the same for everyone who migrates one server.
ADVISORY_LOCK = 4_836_201
# A statement that waits for a table makes everybody after it wait, so it gives up and comes again.
LOCK_SECONDS, LOCK_TRIES, LOCK_PAUSE_SECONDS = 2, 5, 1.0
NOT_REACHED = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


def keys_url_of(admin_url: str, service: str, home: Home) -> str:
    """The address of the database of a service's keys; a secret."""
    own = urlsplit(url_of(admin_url, service, home))
    return urlunsplit(own._replace(path=f"{own.path}_keys"))


def url_of(admin_url: str, service: str, home: Home) -> str:
    """The database address of one service, with its own role; a secret."""
    admin = urlsplit(admin_url)
    place = admin.netloc.rpartition("@")[2]
    password = quote(home.secret(f"database_{service}"), safe="")
    return urlunsplit(
        (admin.scheme, f"{service}:{password}@{place}", f"/{service}", admin.query, "")
    )


async def prepare(admin_url: str, home: Home, *, owns_server: bool) -> None:
    """Create what is missing: roles, databases, and no way for one to see another's."""
    try:
        conn = await asyncpg.connect(admin_url, timeout=10)
    except NOT_REACHED as error:
        message = (
            f"PostgreSQL does not let us in: {_words(error)}. Is HANDRAIL_DATABASE_ADMIN_URL right?"
        )
        raise OperateError(message) from None
    try:
        for service in SERVICES:
            await _prepare_role(conn, service, home.secret(f"database_{service}"))
            await _prepare_one(conn, service, service)
            if service in KEYED:
                await _prepare_one(conn, f"{service}_keys", service)
        if owns_server:
            await conn.execute("revoke connect on database postgres, template1 from public")
    except asyncpg.PostgresError as error:
        message = f"the databases could not be made: {_words(error)}"
        raise OperateError(message) from None
    finally:
        await conn.close()


async def _prepare_role(conn: asyncpg.Connection, service: str, password: str) -> None:
    exists = await conn.fetchval("select true from pg_roles where rolname = $1", service)
    verb = "alter" if exists else "create"
    # A role's statement takes no parameters; the server itself does the quoting.
    statement = await conn.fetchval(
        "select format($1 || ' role %I login nosuperuser nocreatedb nocreaterole password %L', $2::text, $3::text)",
        verb,
        service,
        password,
    )
    await conn.execute(statement)


async def _prepare_one(conn: asyncpg.Connection, database: str, service: str) -> None:
    name = await conn.fetchval("select quote_ident($1)", database)
    owner = await conn.fetchval("select quote_ident($1)", service)
    if not await conn.fetchval("select true from pg_database where datname = $1", database):
        # An administrator who is no superuser may only give a database to a role it belongs to.
        if not await conn.fetchval("select rolsuper from pg_roles where rolname = current_user"):
            await conn.execute(f"grant {owner} to current_user")
        await conn.execute(f"create database {name} owner {owner}")
    await conn.execute(f"revoke all on database {name} from public")


def migrate(url: str, service: str) -> list[str]:
    """Apply the kit's and the service's migrations that are new. Returns their names."""
    return _patiently(url, service, (KIT, service))


def migrate_keys(url: str, service: str) -> list[str]:
    """The same of the database of a service's keys."""
    return _patiently(url, service, (_KEYS,))


def _patiently(url: str, service: str, packages: Sequence[str]) -> list[str]:
    import psycopg  # noqa: PLC0415  # slow to import, needed only when something starts

    blocked = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)
    for left in reversed(range(LOCK_TRIES)):
        try:
            return _migrate(url, service, packages)
        except blocked:
            if left:
                time.sleep(LOCK_PAUSE_SECONDS)
    message = f"a migration of {service} waited for a table that another transaction holds, gave up {LOCK_TRIES} times and was taken back. End that transaction (pg_stat_activity shows it) and start again."
    raise OperateError(message)


def _migrate(url: str, service: str, packages: Sequence[str]) -> list[str]:
    import psycopg  # noqa: PLC0415
    from yoyo import get_backend, read_migrations  # noqa: PLC0415
    from yoyo.exceptions import BadMigration, MigrationConflict  # noqa: PLC0415

    folders = [_folder(package) / "migrations" for package in packages]
    try:
        migrations = read_migrations(*(str(folder) for folder in folders if folder.is_dir()))
        with psycopg.connect(url, autocommit=True) as guard:
            guard.execute("select pg_advisory_lock(%s)", (ADVISORY_LOCK,))
            backend = get_backend(_limited(url))
            try:
                # Only a run that died holds yoyo's own lock now: ours is held above.
                backend.break_lock()
                with backend.lock():
                    new = backend.to_apply(migrations)
                    names = [migration.id for migration in new]
                    backend.apply_migrations(new)
            finally:
                backend.connection.close()
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        raise
    except (psycopg.Error, MigrationConflict, BadMigration) as error:
        message = f"a migration of {service} failed and was taken back: {_words(error)}. Nothing was started."
        raise OperateError(message) from None
    return names


def _limited(url: str) -> str:
    """The address as yoyo wants it, for a session that waits for no table longer than allowed.

    It sees the rows of all programmes, whatever policies a service's tables have.
    """
    parts = urlsplit(url)
    limit = quote(f"-c lock_timeout={LOCK_SECONDS}s -c handrail.programs=*")
    query = f"{parts.query}&options={limit}" if parts.query else f"options={limit}"
    return urlunsplit(parts._replace(scheme="postgresql+psycopg", query=query))


def _folder(package: str) -> Path:
    """A package's folder, without running its code."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        message = f"the package {package} is not installed: run ./handrail from its source tree, or install Handrail again."
        raise OperateError(message)
    return Path(spec.origin).parent


def _words(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
