"""What other services know of a person: their seats, their consents, their supports."""

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


async def ask(neighbours: Neighbours, admission_id: UUID, today: date) -> Elsewhere:
    """Ask all at once."""
    path = f"/v1/admissions/{admission_id}"
    rows, consents, supports = await asyncio.gather(
        _listed(neighbours, "attendance", f"{path}/attendance"),
        _listed(neighbours, "intake", f"{path}/consents", on=today.isoformat()),
        _listed(neighbours, "intake", f"{path}/supports"),
    )
    return Elsewhere(None if rows is None else seats_by_day(rows), consents, supports)


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
