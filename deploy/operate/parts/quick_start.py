"""A cache of the classes that Kafka loads: the packaged Java starts from it in half the time."""

import fcntl
import hashlib
from collections.abc import Callable
from pathlib import Path

from operate.home import cache_folder


def options(
    java: str, classpath: str, record: Callable[[Path], None], say: Callable[[str], None]
) -> list[str]:
    """Java's options for a start from the cache; the first time `record` writes the file it names.

    None where it wrote nothing. A cache that does not fit is left aside by Java itself.
    """
    folder = cache_folder() / "jars"
    about = f"{java} {Path(java).stat().st_mtime_ns} {classpath}"
    kept = folder / f"{hashlib.sha256(about.encode()).hexdigest()[:16]}.aot"
    if not kept.exists():
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                say("preparing quick starts of Apache Kafka (once)")
                partial = kept.with_suffix(".partial")
                partial.write_bytes(b"")
                record(partial)
                partial.replace(kept)
    return [f"-XX:AOTCache={kept}", "-Xlog:all=error"] if kept.stat().st_size else []
