"""The data folder of one Handrail: its ports, its secrets and what runs."""

import json
import os
import random
import secrets
import socket
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operate.addresses import ACCESS_KEY, Addresses
from operate.errors import OperateError

SERVICES = ("intake", "attendance", "alerts", "aftercare")
# Those that take HL7 messages by MLLP.
MLLP = {"intake": "intake_mllp", "attendance": "attendance_mllp"}
PORT_NAMES = (*SERVICES, "postgres", "kafka", "kafka_controller", *MLLP.values())
HOST = "127.0.0.1"
# Below the range from which systems take the near end of an outgoing connection.
FIRST_PORT, LAST_PORT = 20000, 32000


def new_wrapping_key() -> str:
    """A random word that wraps persons' keys."""
    return secrets.token_urlsafe(32)


def checkout() -> Path | None:
    """The folder of the source tree this runs from, if it runs from one."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "pyproject.toml").is_file() else None


def source_folder() -> str:
    """The source tree, or a clear line that there is none."""
    root = checkout()
    if root is None:
        message = "this needs Handrail's source tree: clone it and use its ./handrail."
        raise OperateError(message)
    return str(root)


def cache_folder() -> Path:
    """Where downloads are kept, shared by all homes of this user."""
    named = os.environ.get("HANDRAIL_CACHE")
    if named:
        return Path(named).expanduser().resolve()
    user = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(user, "handrail")


@dataclass(frozen=True)
class Home:
    """One data folder. Everything a running Handrail writes is below it."""

    folder: Path

    @classmethod
    def find(cls) -> "Home":
        """HANDRAIL_HOME, else `.handrail` in the source tree, else the user's data folder."""
        named = os.environ.get("HANDRAIL_HOME")
        root = checkout()
        if named:
            folder = Path(named).expanduser()
        elif root:
            folder = root / ".handrail"
        else:
            folder = Path.home() / ".local" / "share" / "handrail"
        return cls(folder.resolve())

    def create(self) -> None:
        """Make the folder, closed to other users of the machine."""
        try:
            (self.folder / "logs").mkdir(parents=True, exist_ok=True)
            # The owner of PostgreSQL's data, when root starts it, has to pass through.
            self.folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
            (self.folder / "logs").chmod(0o700)
        except OSError as error:
            message = f"{self.folder} cannot be written ({error.strerror}); name another folder in HANDRAIL_HOME."
            raise OperateError(message) from None

    def log(self, name: str) -> Path:
        """The log file of a service or part."""
        return self.folder / "logs" / f"{name}.log"

    def read(self, name: str) -> dict[str, Any]:
        """A JSON file of this home; empty when it is not there or cannot be read."""
        try:
            content = json.loads((self.folder / name).read_text())
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def write(self, name: str, content: dict[str, Any]) -> None:
        """Replace a JSON file of this home in one step; only its owner can read it."""
        self.write_text(name, json.dumps(content, indent=1))

    def write_text(self, name: str, content: str) -> None:
        """Replace a file of this home in one step; only its owner can read it."""
        partial = self.folder / f"{name}.{os.getpid()}"
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.folder / name)

    def wrapping_keys(self) -> Path:
        """The file of the keys that wrap each person's key, the newest first; made once."""
        file = self.folder / "personal.keys"
        if not file.exists():
            self.write_text(file.name, new_wrapping_key() + "\n")
        return file

    def secret(self, name: str) -> str:
        """A random password, made once."""
        known = self.read("secrets.json")
        if name not in known:
            known[name] = secrets.token_urlsafe(24)
            self.write("secrets.json", known)
        return str(known[name])

    def ports(self) -> dict[str, int]:
        """The ports this home uses: the environment's, else those kept from the first start."""
        kept = {name: port for name, port in self.read("ports.json").items() if name in PORT_NAMES}
        fresh = unused_ports(avoid={*kept.values(), *_wished().values()})
        ports = {name: kept.get(name) or next(fresh) for name in PORT_NAMES}
        if ports != kept:
            self.write("ports.json", ports)
        return ports | _wished()

    def free_ports(self, *, unused: tuple[str, ...] = ()) -> dict[str, int]:
        """The same, before a start: a kept port that another program took is chosen anew."""
        ports = self.ports()
        taken = [name for name in PORT_NAMES if name not in unused and not _is_free(ports[name])]
        for name in taken:
            if name in _wished():
                message = f"port {ports[name]} is taken by another program; give another in HANDRAIL_PORT_{name.upper()}."
                raise OperateError(message)
        if taken:
            self.write("ports.json", {n: p for n, p in ports.items() if n not in taken})
        return self.ports()

    def addresses(self) -> Addresses:
        """Where the four services answer."""
        ports = self.ports()
        key = os.environ.get(ACCESS_KEY) or self.read("secrets.json").get("access_key")
        return Addresses(**{name: f"http://{HOST}:{ports[name]}" for name in SERVICES}, key=key)


def _wished() -> dict[str, int]:
    """The ports the environment asks for."""
    wished = {}
    for name in PORT_NAMES:
        variable = f"HANDRAIL_PORT_{name.upper()}"
        text = os.environ.get(variable)
        if not text:
            continue
        if not text.isdecimal() or not 0 < int(text) <= 65535:
            message = f"{variable} is not a port: give a number from 1 to 65535."
            raise OperateError(message)
        wished[name] = int(text)
    return wished


def unused_ports(avoid: Collection[int] = ()) -> Iterator[int]:
    """Ports that nobody listens at now."""
    candidates = random.sample(range(FIRST_PORT, LAST_PORT), 1000)
    yield from (port for port in candidates if port not in avoid and _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
