"""`handrail backup` and `restore`: the four databases, and apart the keys; positions lie with the data."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import typer

from operate import databases, reconcile
from operate.databases import KEYED
from operate.errors import OperateError
from operate.home import SERVICES, Home
from operate.parts import topics
from operate.parts.kafka import Kafka
from operate.parts.postgres import Postgres, packaged_binaries
from operate.status import supervisor_pid

MANIFEST = "backup.json"
FORMAT = 1
KEYS = tuple(f"{service}_keys" for service in KEYED)
WRAPPING = "personal.keys"


def command(
    out: Annotated[Path, typer.Option("--out", help="A new folder for the dumps.")],
    keys: Annotated[
        Path | None, typer.Option("--keys", help="A new folder for the keys, on another medium.")
    ] = None,
) -> None:
    """Dump the four databases, each as of one moment of its own; services may run meanwhile.

    The keys of personal fields go apart or not at all: who has both can read them, also of persons
    who are erased later. Keep those copies no longer than an erasure may take.
    """
    home = Home.find()
    if supervisor_pid(home) is None:
        message = "Handrail is not running; start it with `./handrail up --detach`."
        raise OperateError(message)
    out = _new_folder(out)
    asyncio.run(take(home, out))
    print(f"the four databases are in {out}; keep it as safe as the data itself")
    if keys is None:
        print("the keys of personal fields are not in it; `--keys DIR` writes them apart")
        return
    keys = _new_folder(keys)
    asyncio.run(take_keys(home, keys))
    print(f"the keys are in {keys}; keep it apart, and no longer than an erasure may take")


def restore_command(
    source: Annotated[Path, typer.Option("--from", help="A folder that `backup` wrote.")],
    keys: Annotated[
        Path | None, typer.Option("--keys", help="Its folder of keys; those here stay without it.")
    ] = None,
) -> None:
    """Put the four databases back to the moment of a backup, while Handrail is down.

    The keys stay as they are, so that who was erased since is not brought back.
    """
    home = Home.find()
    told = asyncio.run(put_back(home, source.resolve(), _say, keys.resolve() if keys else None))
    print(json.dumps(told, indent=1))


def _new_folder(folder: Path) -> Path:
    folder = folder.resolve()
    try:
        folder.mkdir(parents=True, mode=0o700)
    except FileExistsError:
        message = f"{folder} is there already; name a new folder."
        raise OperateError(message) from None
    return folder


async def take(home: Home, out: Path) -> None:
    """Write one dump a service, all of nearly one moment, and a manifest last."""
    await _dump(home, SERVICES, out)
    manifest = {"format": FORMAT, "ended_at": datetime.now(UTC).isoformat()}
    (out / MANIFEST).write_text(json.dumps(manifest) + "\n")


async def take_keys(home: Home, out: Path) -> None:
    """Write the databases of keys, and what wraps them where the home keeps it."""
    await _dump(home, KEYS, out)
    shutil.copy2(home.wrapping_keys(), out / WRAPPING)


async def _dump(home: Home, names: Iterable[str], out: Path) -> None:
    admin_url = _postgres(home).admin_url()
    async with asyncio.TaskGroup() as group:
        for name in names:
            url = _url(admin_url, name)
            words = ["--format=custom", f"--file={out / f'{name}.dump'}", f"--dbname={url}"]
            group.create_task(asyncio.to_thread(_call, "pg_dump", words))


async def put_back(
    home: Home, source: Path, say: Callable[[str], None], keys: Path | None = None
) -> dict[str, Any]:
    """Restore, raise the incarnation, and say what the sources no longer know."""
    _check(home, source, keys)
    async with at_work(home) as (admin_url, bootstrap):
        for service in SERVICES:
            await _replace(admin_url, service, home, source / f"{service}.dump")
            say(f"{service} is as it was")
        if keys:
            for service in KEYED:
                await _replace(admin_url, f"{service}_keys", home, keys / f"{service}_keys.dump")
            home.write_text(WRAPPING, (keys / WRAPPING).read_text())
            say("the keys of personal fields are as they were")
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


async def _replace(admin_url: str, database: str, home: Home, dump: Path) -> None:
    conn = await asyncpg.connect(admin_url, timeout=10)
    try:
        name = await conn.fetchval("select quote_ident($1)", database)
        await conn.execute(f"drop database if exists {name} with (force)")
    finally:
        await conn.close()
    await databases.prepare(admin_url, home, owns_server=True)
    owner = database.removesuffix("_keys")
    words = ["--no-owner", f"--role={owner}", "--exit-on-error", "--single-transaction"]
    url = _url(admin_url, database)
    await asyncio.to_thread(_call, "pg_restore", [*words, f"--dbname={url}", str(dump)])
    conn = await asyncpg.connect(url)
    try:
        # A dump does not say how much is in it, and statements are planned by that.
        await conn.execute("analyze")
    finally:
        await conn.close()


def _require_down(home: Home) -> None:
    if supervisor_pid(home) is not None:
        message = "Handrail is running; end it with `./handrail down` first."
        raise OperateError(message)


def _check(home: Home, source: Path, keys: Path | None) -> None:
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
    lost = [
        name
        for name in (*(f"{k}.dump" for k in KEYS), WRAPPING)
        if keys and not (keys / name).is_file()
    ]
    if lost:
        message = f"{keys} is no folder of keys (missing: {', '.join(lost)})."
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
