"""`handrail backup` and `restore`: the four databases; positions lie with the data."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import typer

from operate import databases, reconcile
from operate.errors import OperateError
from operate.home import SERVICES, Home
from operate.parts import topics
from operate.parts.kafka import Kafka
from operate.parts.postgres import Postgres, packaged_binaries
from operate.status import supervisor_pid

MANIFEST = "backup.json"
FORMAT = 1


def command(
    out: Annotated[Path, typer.Option("--out", help="A new folder for the dumps.")],
) -> None:
    """Dump the four databases, each as of one moment of its own; services may run meanwhile."""
    home = Home.find()
    if supervisor_pid(home) is None:
        message = "Handrail is not running; start it with `./handrail up --detach`."
        raise OperateError(message)
    out = out.resolve()
    try:
        out.mkdir(parents=True, mode=0o700)
    except FileExistsError:
        message = f"{out} is there already; name a new folder."
        raise OperateError(message) from None
    asyncio.run(take(home, out))
    print(f"the four databases are in {out}; keep it as safe as the data itself")


def restore_command(
    source: Annotated[Path, typer.Option("--from", help="A folder that `backup` wrote.")],
) -> None:
    """Put the four databases back to the moment of a backup, while Handrail is down."""
    home = Home.find()
    told = asyncio.run(put_back(home, source.resolve(), _say))
    print(json.dumps(told, indent=1))


async def take(home: Home, out: Path) -> None:
    """Write one dump a service, all of nearly one moment, and a manifest last."""
    server = _postgres(home)
    async with asyncio.TaskGroup() as group:
        for service in SERVICES:
            url = _url(server.admin_url(), service)
            words = ["--format=custom", f"--file={out / f'{service}.dump'}", f"--dbname={url}"]
            group.create_task(asyncio.to_thread(_call, "pg_dump", words))
    manifest = {"format": FORMAT, "ended_at": datetime.now(UTC).isoformat()}
    (out / MANIFEST).write_text(json.dumps(manifest) + "\n")


async def put_back(home: Home, source: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Restore, raise the incarnation, and say what the sources no longer know."""
    _check(home, source)
    async with at_work(home) as (admin_url, bootstrap):
        for service in SERVICES:
            await _replace(admin_url, service, home, source)
            say(f"{service} is as it was")
        return await reconcile.reconcile(databases_of(admin_url), bootstrap)


@asynccontextmanager
async def at_work(home: Home) -> AsyncIterator[tuple[str, str]]:
    """PostgreSQL and Kafka of a home that is down, for work on them: their addresses.

    Topics that are missing are made. Raises OperateError while the home runs.
    """
    _require_down(home)
    home.create()
    ports = home.free_ports()
    server = _postgres(home)
    broker = Kafka(
        home.folder / "kafka", ports["kafka"], ports["kafka_controller"], home.log("kafka")
    )
    try:
        await asyncio.to_thread(server.start)
        await server.wait_ready()
        await asyncio.to_thread(broker.start)
        await broker.wait_ready()
        await topics.create(broker.address)
        yield server.admin_url(), broker.address
    finally:
        await broker.stop()
        await server.stop()


def databases_of(admin_url: str) -> dict[str, str]:
    """Each service's database, as the server's superuser; a secret."""
    return {service: _url(admin_url, service) for service in SERVICES}


async def _replace(admin_url: str, service: str, home: Home, source: Path) -> None:
    conn = await asyncpg.connect(admin_url, timeout=10)
    try:
        name = await conn.fetchval("select quote_ident($1)", service)
        await conn.execute(f"drop database if exists {name} with (force)")
    finally:
        await conn.close()
    await databases.prepare(admin_url, home, owns_server=True)
    words = ["--no-owner", f"--role={service}", "--exit-on-error", "--single-transaction"]
    url = _url(admin_url, service)
    dump = str(source / f"{service}.dump")
    await asyncio.to_thread(_call, "pg_restore", [*words, f"--dbname={url}", dump])


def _require_down(home: Home) -> None:
    if supervisor_pid(home) is not None:
        message = "Handrail is running; end it with `./handrail down` first."
        raise OperateError(message)


def _check(home: Home, source: Path) -> None:
    """Refuse before anything is touched."""
    _require_down(home)
    try:
        manifest = json.loads((source / MANIFEST).read_text())
    except (OSError, ValueError):
        message = f"{source} is no whole backup: {MANIFEST} is missing or cannot be read."
        raise OperateError(message) from None
    missing = [name for name in SERVICES if not (source / f"{name}.dump").is_file()]
    if manifest.get("format") != FORMAT or missing:
        message = f"{source} is no backup this release can read (missing: {', '.join(missing) or 'nothing'})."
        raise OperateError(message)


def _postgres(home: Home) -> Postgres:
    return Postgres(home.folder / "postgres", home.ports()["postgres"], home.log("postgres"))


def _url(admin_url: str, service: str) -> str:
    return admin_url.removesuffix("/postgres") + f"/{service}"


def _call(program: str, words: list[str]) -> None:
    argv = [str(packaged_binaries() / program), *words]
    done = subprocess.run(argv, check=False, capture_output=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        message = f"{program} failed: {' '.join(last)}"
        raise OperateError(message)


def _say(line: str) -> None:
    print(line, flush=True)
