"""`handrail audit`: whether the ledger of disclosures is as it was written."""

import httpx
import typer

from operate.errors import OperateError
from operate.home import Home
from operate.status import supervisor_pid

# A ledger of years has many rows; each is hashed again.
SECONDS = 600.0
ANCHOR = "audit.json"
command = typer.Typer(help="The ledger of what was told outside.", no_args_is_help=True)


@command.callback()
def audit() -> None:
    """The ledger of what was told outside."""


@command.command("verify")
def verify() -> None:
    """Follow the whole chain, and remember its end for the next time.

    What is remembered lies beside the database, not in it: a chain that was cut or written anew
    since the last look is found too.
    """
    home = Home.find()
    if supervisor_pid(home) is None:
        message = "Handrail is not running; start it with `./handrail up --detach`."
        raise OperateError(message)
    seen = home.read(ANCHOR)
    params = {"number": str(seen["rows"]), "seen": seen["hash"]} if seen.get("hash") else {}
    try:
        answer = httpx.get(
            f"{home.addresses().intake}/v1/audit/verify",
            params=params,
            timeout=SECONDS,
            trust_env=False,
            auth=home.addresses().auth(),
        )
        answer.raise_for_status()
    except httpx.HTTPError as error:
        message = f"intake did not answer ({type(error).__name__}); see `handrail status`."
        raise OperateError(message) from None
    found = answer.json()
    if found["trouble"]:
        place, reason = found["trouble"]["number"], found["trouble"]["reason"].replace("_", " ")
        message = f"the ledger does not hold at row {place}: {reason}. Keep a copy of the database, and tell the privacy officer."
        raise OperateError(message)
    home.write(ANCHOR, {"rows": found["rows"], "hash": found["hash"]})
    print(f"{found['rows']} rows hold")
