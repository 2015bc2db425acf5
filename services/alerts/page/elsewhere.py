"""What other services know of a person: their seats, consents, supports, and how to reach them."""

import asyncio
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from alerts.page.neighbours import Away, Neighbours, Unknown
from alerts.page.strip import Seat
from alerts.page.visits import seats_by_day

# A page does not wait for a neighbour that is slow; what it knows itself is shown.
SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """None where the service did not answer."""

    seats: dict[date, list[Seat]] | None
    consents: list[dict[str, Any]] | None
    supports: list[dict[str, Any]] | None
    # In a line each; under the support's identifier, or under None for the person.
    contacts: dict[str | None, str]


async def ask(
    neighbours: Neighbours, admission_id: UUID, today: date, *, with_contacts: bool
) -> Elsewhere:
    """Ask all at once; for contacts only on behalf of who works with the person."""
    path = f"/v1/admissions/{admission_id}"
    rows, consents, supports, contacts = await asyncio.gather(
        _listed(neighbours, "attendance", f"{path}/attendance"),
        _listed(neighbours, "intake", f"{path}/consents", on=today.isoformat()),
        _listed(neighbours, "intake", f"{path}/supports"),
        _listed(neighbours, "intake", f"{path}/contacts") if with_contacts else _nobody(),
    )
    seats = None if rows is None else seats_by_day(rows)
    return Elsewhere(seats, consents, supports, {c["support_id"]: _line(c) for c in contacts or ()})


async def _nobody() -> list[dict[str, Any]]:
    return []


def _line(contact: dict[str, Any]) -> str:
    return " · ".join(filter(None, (contact[n] for n in ("name", "phone", "email", "note"))))


async def _listed(
    neighbours: Neighbours, service: str, path: str, **query: str
) -> list[dict[str, Any]] | None:
    try:
        async with asyncio.timeout(SECONDS):
            return list(await neighbours.get(service, path, **query))
    except (Away, TimeoutError):
        return None
    except Unknown:
        return []
