"""What `check`, `test` and `fmt` run."""

import asyncio
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from operate.errors import OperateError
from operate.home import source_folder

KINDS = ("unit", "contracts", "integration", "drills", "journeys")
# What `all` is without: minutes, and only where there is Docker.
APART = ("containers",)
# All are run by two processes; a file's tests stay together, and share what they started.
SIDE_BY_SIDE = ("--numprocesses", "2", "--dist", "loadfile", "--no-loadscope-reorder")
CODE = ("services", "shared", "deploy", "tests")
NOTHING_COLLECTED = 5


def run_tests(which: str, more: list[str]) -> int:
    """Run the tests of one kind or all. Returns pytest's exit code."""
    folder = Path(source_folder())
    if which not in (*KINDS, *APART, "all"):
        known = ", ".join((*KINDS, *APART))
        message = f"there are no tests called {which}; say one of: {known}, all."
        raise OperateError(message)
    kinds = KINDS if which == "all" else (which,)
    paths = [
        f"tests/{kind}" for kind in kinds if any((folder / "tests" / kind).glob("**/test_*.py"))
    ]
    if not paths:
        message = f"there are no tests in tests/{which} yet."
        raise OperateError(message)
    how = SIDE_BY_SIDE if which == "all" else ()
    argv = [sys.executable, "-m", "pytest", *how, *paths, *more]
    return subprocess.run(argv, check=False, cwd=folder).returncode


async def run_checks(say: Callable[[str], None]) -> int:
    """Run every check at once; a line for each, and its output where it failed."""
    folder = source_folder()
    began = time.monotonic()
    results = await asyncio.gather(
        *(_run(name, argv, folder, say) for name, argv in _steps().items())
    )
    say(f"{sum(results)} of {len(results)} checks passed in {time.monotonic() - began:.1f} s")
    return 0 if all(results) else 1


def format_code() -> int:
    """Format, and repair what ruff can repair by itself."""
    folder = source_folder()
    codes = [
        subprocess.run([_tool("ruff"), *words, *_code(folder)], check=False, cwd=folder).returncode
        for words in (["check", "--fix"], ["format"])
    ]
    return max(codes)


def _steps() -> dict[str, list[str]]:
    code = _code(source_folder())
    steps = {
        "format": [_tool("ruff"), "format", "--check", *code],
        "lint": [_tool("ruff"), "check", *code],
        "types": [sys.executable, "-m", "mypy"],
        "imports": [_tool("lint-imports")],
        "database": [_tool("squawk"), *_migrations()],
        "licences": [sys.executable, "-m", "operate", "packages", "licences"],
    }
    if importlib.util.find_spec("handrail.schemas"):
        steps["schemas"] = [sys.executable, "-m", "handrail.schemas", "--check"]
    return steps


def _migrations() -> list[str]:
    """What `.squawk.toml` judges: nothing that the code before could not live with."""
    folder = Path(source_folder())
    found = sorted(folder.glob("s*/**/migrations/*.sql"))
    return [str(file.relative_to(folder)) for file in found]


async def _run(name: str, argv: list[str], folder: str, say: Callable[[str], None]) -> bool:
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *argv,
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"NO_COLOR": "1"},
    )
    output, _ = await process.communicate()
    good = process.returncode == 0
    say(f"{name:<8} {'ok' if good else 'FAILED':<6} {time.monotonic() - began:5.1f} s")
    if not good:
        say(output.decode(errors="replace").rstrip())
    return good


def _tool(name: str) -> str:
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        message = (
            f"{name} is not installed: install Handrail with its extra `dev`, or use ./handrail."
        )
        raise OperateError(message)
    return str(path)


def _code(folder: str) -> list[str]:
    return [name for name in CODE if Path(folder, name).is_dir()]
