"""What this machine lacks, in one line each with the way to get it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil

from operate.errors import OperateError
from operate.ground import EXTERNAL_DATABASE, EXTERNAL_KAFKA
from operate.home import Home, cache_folder
from operate.parts import jars, kafka, postgres

DISK_GB, MEMORY_GB = 2.0, 1.5


def look(home: Home, say: Callable[[str], None]) -> int:
    """Say one line for each thing Handrail needs. Returns how many are missing."""
    troubles = 0
    for name, find in CHECKS.items():
        try:
            good, words = True, find(home)
        except OperateError as error:
            good, words = False, str(error)
        troubles += not good
        say(f"{'ok     ' if good else 'MISSING'} {name}: {words}")
    return troubles


def _python(_home: Home) -> str:
    return f"{sys.version.split()[0]} in {sys.prefix}"


def _folder(home: Home) -> str:
    home.create()
    free = shutil.disk_usage(home.folder).free / 1e9
    if free < DISK_GB:
        message = f"{free:.1f} GB left at {home.folder}; free {DISK_GB:.0f} GB or name another HANDRAIL_HOME."
        raise OperateError(message)
    return f"{home.folder}, {free:.0f} GB free"


def _memory(_home: Home) -> str:
    free = psutil.virtual_memory().available / 1e9
    if free < MEMORY_GB:
        message = f"{free:.1f} GB available; end other programs until {MEMORY_GB} GB are free."
        raise OperateError(message)
    return f"{free:.1f} GB available"


def _postgres(_home: Home) -> str:
    if os.environ.get(EXTERNAL_DATABASE):
        return f"the server named in {EXTERNAL_DATABASE}"
    return _version(str(postgres.packaged_binaries() / "postgres"))


def _java(_home: Home) -> str:
    if os.environ.get(EXTERNAL_KAFKA):
        return "not needed"
    return _version(kafka.java())


def _kafka(_home: Home) -> str:
    if os.environ.get(EXTERNAL_KAFKA):
        return f"the broker at {os.environ[EXTERNAL_KAFKA]}"
    jars.classpath()
    return f"{len(jars.pinned())} jars in {cache_folder()}"


def _ports(home: Home) -> str:
    ports = home.ports()
    return ", ".join(f"{name} {port}" for name, port in ports.items())


def _version(program: str) -> str:
    try:
        done = subprocess.run([program, "--version"], check=False, capture_output=True, text=True)
    except OSError as error:
        message = f"{program} cannot be started ({error.strerror})."
        raise OperateError(message) from None
    if done.returncode:
        message = f"{Path(program).name} does not run here: {done.stderr.strip().splitlines()[-1:]}"
        raise OperateError(message)
    return done.stdout.strip().splitlines()[0]


CHECKS: dict[str, Callable[[Home], str]] = {
    "python": _python,
    "data folder": _folder,
    "memory": _memory,
    "postgres": _postgres,
    "java": _java,
    "kafka": _kafka,
    "ports": _ports,
}
