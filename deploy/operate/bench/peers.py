"""The programs that alerts is measured beside, and what two of them need that Handrail does not."""

import fcntl
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from operate.errors import OperateError
from operate.home import Home, cache_folder, source_folder
from operate.parts import jars, kafka

# FastStream with a transaction a message takes fewer events: it is far slower than the others.
EACH = "faststream_each"
PLAIN = ("hand_written", "faststream_batch", EACH)
JAVA_LEVEL = "17"


@dataclass
class Peers:
    """How each peer is started, by name; and why others are left out."""

    commands: dict[str, list[str]]
    say: Callable[[str], None]
    left_out: dict[str, str] = field(default_factory=dict)

    def leave_out(self, name: str, why: str) -> None:
        """Go on without it, and say so in one line."""
        self.commands.pop(name, None)
        self.left_out[name] = " ".join(why.split())
        self.say(f"the peer {name} is left out: {self.left_out[name]}")


def found(home: Home, say: Callable[[str], None]) -> Peers:
    """All peers that can be had on this machine; slow the first time."""
    plain = {name: [sys.executable, str(folder() / f"{name}.py")] for name in PLAIN}
    peers = Peers(plain, say)
    for name, get in {"quix_streams": _quix_streams, "kafka_streams": _kafka_streams}.items():
        try:
            peers.commands[name] = get(home)
        except (OperateError, OSError) as error:
            peers.leave_out(name, str(error))
    return peers


def folder() -> Path:
    """Where the programs are."""
    return Path(source_folder(), "tests", "bench", "peers")


def _quix_streams(_home: Home) -> list[str]:
    """In an environment of its own, kept beside the jars: Handrail's own has none of it."""
    place, lock = cache_folder() / "quix_streams", folder() / "quix_streams.lock"
    place.mkdir(parents=True, exist_ok=True)
    python, stamp = place / "environment" / "bin" / "python", place / "installed"
    wanted = f"{sys.version}\n{lock.read_text()}"
    with (place / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            stamp.unlink(missing_ok=True)
            venv.create(place / "environment", clear=True, symlinks=True)
            pip = [sys.executable, "-m", "pip", "--python", str(python), "--quiet"]
            pip += ["--disable-pip-version-check", "install", "--only-binary", ":all:"]
            _run([*pip, "--no-deps", "--require-hashes", "-r", str(lock)])
            stamp.write_text(wanted)
    return [str(python), str(folder() / "quix_streams.py")]


def _kafka_streams(home: Home) -> list[str]:
    """Compiled for this run, with the broker's own Java, which has no compiler, and jars."""
    java, source = kafka.java(), folder() / "kafka_streams"
    if shutil.which(java) is None:
        message = f"Java cannot be started ({java})"
        raise OperateError(message)
    path = jars.classpath()
    more = {
        jar.artifact: str(jars.fetch(cache_folder() / "jars", jar))
        for jar in jars.pinned(source / "kafka_streams.jars")
    }
    classes = home.folder / "kafka_streams"
    path = ":".join((path, more["kafka-streams"], more["rocksdbjni"]))
    level = ["-source", JAVA_LEVEL, "-target", JAVA_LEVEL, "-warn:none"]
    program = str(source / "KafkaStreamsPeer.java")
    _run([java, "-jar", more["ecj"], *level, "-cp", path, "-d", str(classes), program])
    path = f"{classes}:{path}"
    # RocksDB unpacks itself; what the peer writes is removed with the folder it runs in.
    return [java, "-Xmx512m", "-Djava.io.tmpdir=.", "-cp", path, "KafkaStreamsPeer"]


def _run(argv: list[str]) -> None:
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        message = f"{Path(argv[0]).name} ended with {done.returncode}: {' '.join(last)}"
        raise OperateError(message)
