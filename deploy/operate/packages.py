"""The lock of this project's packages."""

import os
import subprocess
import sys
from pathlib import Path

from operate.errors import OperateError
from operate.home import source_folder

# pip's setting, and the name under which uv takes it: uv does not read pip's settings.
OPTIONS = (
    *("pip", "compile", "--quiet", "--universal", "--python-version", "3.11"),
    *("--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url"),
)
FROM_PIP = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
}

# The same versions without the extras: all that an image of the services holds; and what builds it.
SAME = ("--constraints", "requirements.lock")
SERVER = ("pyproject.toml", *SAME)
IMAGE = ("--group", "image", *SAME)
# A peer of the bench, in an environment of its own: nothing here has to agree with it.
QUIX_STREAMS = ("--group", "quix-streams")


def lock(*, upgrade: bool) -> None:
    """Write the locks: every version and hash for all systems, and no registry's name."""
    _compile("requirements.lock", "--all-extras", "pyproject.toml", upgrade=upgrade)
    _compile("requirements.server.lock", *SERVER, upgrade=upgrade)
    _compile("requirements.image.lock", *IMAGE, upgrade=upgrade)
    _compile("tests/bench/peers/quix_streams.lock", *QUIX_STREAMS, upgrade=upgrade)


def _compile(lock: str, *words: str, upgrade: bool) -> None:
    folder = source_folder()
    argv = [str(Path(sys.executable).with_name("uv")), *OPTIONS, *words, "--output-file", lock]
    argv += ["--upgrade"] if upgrade else []
    done = subprocess.run(argv, check=False, cwd=folder, env=os.environ | _pip_settings())
    if done.returncode:
        message = "the lock was not made; uv says why above."
        raise OperateError(message)


def _pip_settings() -> dict[str, str]:
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=False, capture_output=True, text=True
    )
    found = {}
    for line in listed.stdout.splitlines():
        name, _, value = line.partition("=")
        variable = FROM_PIP.get(name.rpartition(".")[2].replace("_", "-"))
        if variable and variable not in os.environ:
            found[variable] = value.strip("'")
    return found
