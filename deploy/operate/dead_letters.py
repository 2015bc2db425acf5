"""`handrail dead-letters`: what could not be applied, and how it is played back in order."""

from collections import Counter
from typing import Annotated, Any
from uuid import UUID

import httpx
import typer
from rich.console import Console
from rich.table import Table

from operate.errors import OperateError
from operate.home import SERVICES, Home
from operate.status import supervisor_pid

WIDTH = 140
SECONDS = 30.0
command = typer.Typer(
    help="Records that could not be applied: list, show, redrive. Content is never shown.",
    no_args_is_help=True,
)


@command.command("list")
def list_letters() -> None:
    """One line for each admission that is held up, and for each record without one."""
    table = Table("service", "admission", "records", "first reason", "since", box=None)
    found, silent = 0, []
    for service in SERVICES:
        try:
            letters = _letters(service)
        except OperateError as error:
            # The letters of the others are shown all the same.
            silent.append(str(error))
            continue
        sizes = Counter(letter["key"] for letter in letters)
        firsts = {letter["key"]: letter for letter in reversed(letters)}
        for key, first in firsts.items():
            found += 1
            row = (service, key or "none", str(sizes[key]), first["reason"], first["first_seen_at"])
            table.add_row(*row)
    console = Console()
    console.width = max(console.width, WIDTH)
    if found or not silent:
        console.print(table if found else "No dead letters.")
    if silent:
        raise OperateError(" ".join(dict.fromkeys(silent)))


@command.command("show")
def show(
    admission: Annotated[UUID, typer.Argument(help="The admission from `list`.")],
) -> None:
    """Every kept record of one admission, in order."""
    table = Table("service", "topic", "offset", "sequence", "type", "reason", "state", box=None)
    for service in SERVICES:
        for one in _letters(service):
            if one["key"] == str(admission):
                place = f"{one['topic']}/{one['partition']}", str(one["record_offset"])
                about = (str(one["sequence"] or ""), one["type"] or "", one["reason"], one["state"])
                table.add_row(service, *place, *about)
    if not table.row_count:
        message = f"there are no dead letters of {admission}; see `handrail dead-letters list`."
        raise OperateError(message)
    console = Console()
    console.width = max(console.width, WIDTH)
    console.print(table)


@command.command("redrive")
def redrive(
    service: Annotated[str, typer.Argument(help=f"One of {', '.join(SERVICES)}.")],
    admission: Annotated[UUID, typer.Argument(help="The admission from `list`.")],
    *,
    drop_unreadable: Annotated[
        bool, typer.Option(help="Give up records that nobody can read, for good.")
    ] = False,
) -> None:
    """Play an admission's records back in order, and let its later events through."""
    counts = _ask(
        service,
        "POST",
        f"/v1/dead-letters/{admission}/redrive",
        {"drop_unreadable": str(drop_unreadable).lower()},
    )
    print(f"applied {counts['applied']}, dropped {counts['dropped']}, left {counts['left']}")
    if counts["left"]:
        message = "the first of those left still fails; `handrail dead-letters show` says why."
        raise OperateError(message)


def _letters(service: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _ask(service, "GET", "/v1/dead-letters", {"limit": "1000"})
    return found


def _ask(service: str, method: str, path: str, params: dict[str, str]) -> Any:
    home = Home.find()
    if service not in SERVICES:
        message = f"there is no service {service}; say one of {', '.join(SERVICES)}."
        raise OperateError(message)
    if supervisor_pid(home) is None:
        message = "Handrail is not running; start it with `./handrail up --detach`."
        raise OperateError(message)
    addresses = home.addresses()
    url = getattr(addresses, service) + path
    try:
        answer = httpx.request(
            method, url, params=params, timeout=SECONDS, trust_env=False, auth=addresses.auth()
        )
        answer.raise_for_status()
    except httpx.HTTPError as error:
        message = f"{service} did not answer ({type(error).__name__}); see `handrail status`."
        raise OperateError(message) from None
    return answer.json()
