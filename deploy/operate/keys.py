"""`handrail keys`: the keys of personal fields: how many there are, wrapping them anew, erasing."""

import os
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import httpx
import typer

from handrail.personal.keys import name_of
from handrail.personal.settings import KEY
from operate.databases import KEYED
from operate.errors import OperateError
from operate.home import Home, new_wrapping_key
from operate.status import supervisor_pid

# Years of persons are wrapped anew in one call.
SECONDS = 600.0
OK = 200
command = typer.Typer(help="The keys of personal fields.", no_args_is_help=True)


@command.callback()
def keys() -> None:
    """The keys of personal fields."""


@command.command("status")
def status() -> None:
    """How many persons' keys each wrapping key wraps, and how many were erased."""
    home = _running()
    for service in KEYED:
        found = _asked(home, "GET", service, "/v1/keys")
        by = ", ".join(f"{count} by {name}" for name, count in found["keys"].items()) or "none yet"
        print(f"{service}: keys {by}; erased {found['erased']}")


@command.command("rotate")
def rotate() -> None:
    """Put a new wrapping key in front, and wrap every person's key with it.

    The one before stays for whoever has not read the file yet, until the next time.
    """
    home = _running()
    file = _file(home)
    known = file.read_text().split()
    home.write_text(file.name, "\n".join([new_wrapping_key(), *known]) + "\n")
    used: set[str] = set()
    for service in KEYED:
        told = _asked(home, "POST", service, "/v1/keys/rewrap")
        used |= set(told["keys"])
        print(f"{service}: {told['rewrapped']} keys are wrapped anew")
    newest, before, *older = file.read_text().split()
    kept = [word for word in older if name_of(word) in used]
    home.write_text(file.name, "\n".join([newest, before, *kept]) + "\n")


@command.command("erase")
def erase(
    admission: Annotated[UUID, typer.Argument(help="Any of the person's admissions.")],
    reason: Annotated[
        str, typer.Option(help="asked_for, retention_over, court_order, recorded_by_mistake")
    ] = "asked_for",
    *,
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask no more; nothing brings it back.")
    ] = False,
) -> None:
    """Destroy a person's keys for good, in every service; counts and the ledger stay."""
    home = _running()
    if not yes:
        typer.confirm("Nothing brings these fields back. Erase this person?", abort=True)
    path = f"/v1/admissions/{admission}/erasure"
    told = _asked(home, "POST", "intake", path, json={"reason": reason})
    print(f"{told['erased']} of {told['admissions']} admissions are erased now; the others were")


def _running() -> Home:
    home = Home.find()
    if supervisor_pid(home) is None:
        message = "Handrail is not running; start it with `./handrail up --detach`."
        raise OperateError(message)
    return home


def _file(home: Home) -> Path:
    if os.environ.get(KEY) or os.environ.get(f"{KEY}_FILE"):
        message = f"{KEY} is yours: put a new secret in front of it, and call POST /v1/keys/rewrap of {' and '.join(KEYED)}."
        raise OperateError(message)
    return home.wrapping_keys()


def _asked(home: Home, method: str, service: str, path: str, **more: Any) -> dict[str, Any]:
    addresses = home.addresses()
    try:
        answer = httpx.request(
            method,
            getattr(addresses, service) + path,
            timeout=SECONDS,
            trust_env=False,
            auth=addresses.auth(),
            **more,
        )
    except httpx.HTTPError as error:
        message = f"{service} did not answer ({type(error).__name__}); see `handrail status`."
        raise OperateError(message) from None
    if answer.status_code != OK:
        raise OperateError(f"{service} refuses: {_detail(answer)}")
    found: dict[str, Any] = answer.json()
    return found


def _detail(answer: httpx.Response) -> str:
    try:
        problem: dict[str, Any] = answer.json()
    except ValueError:
        return str(answer.status_code)
    return str(problem.get("detail") or problem.get("title") or answer.status_code)
