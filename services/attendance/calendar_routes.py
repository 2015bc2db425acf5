"""What is read by HTTP of the calendar: series, and sessions made or still to be made."""

from datetime import date, timedelta
from typing import Any

import asyncpg
from fastapi import APIRouter

from attendance import series_rows
from attendance.series import sessions_of
from handrail import sites
from handrail.events.base import Code, SiteId
from handrail.outbox import Connection
from handrail.receipts import Day, Rejected
from handrail.sites import zone_of

MOST_DAYS = timedelta(days=92)


def routes(pool: asyncpg.Pool) -> APIRouter:
    """The calendar of a site."""
    router = APIRouter(prefix="/v1/sites/{site_id}", tags=["calendar"])

    @router.get("/series")
    async def get_series(site_id: SiteId) -> list[dict[str, Any]]:
        """The recurring sessions of a site, each with who is expected from today's open day on."""
        async with pool.acquire() as conn:
            site = await _site(conn, site_id)
            found = await series_rows.of_site(conn, site_id)
            keys = [one.series_key for one in found]
            members = await series_rows.members(conn, site_id, keys, site.closed_through)
        fields = tuple(type(found[0]).__dataclass_fields__) if found else ()
        return [
            {name: getattr(one, name) for name in fields}
            | {
                "members": [
                    {
                        "admission_id": m.admission_id,
                        "from_on": m.from_on,
                        "until_on": m.until_on,
                    }
                    for m in members
                    if m.series_key == one.series_key
                ]
            }
            for one in found
        ]

    @router.get("/calendar")
    async def get_calendar(
        site_id: SiteId, first: Day, last: Day, track: Code | None = None
    ) -> list[dict[str, Any]]:
        """Sessions of up to 92 days by their start, in local time.

        `planned`, `cancelled`, or `expected` where the rule makes one that is not made yet.
        """
        if not first <= last <= first + MOST_DAYS:
            raise Rejected("days_not_in_order", "Ask for 1 to 92 days, the first first.", "last")
        async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read"):
            site = await _site(conn, site_id)
            made = await series_rows.calendar(conn, site_id, first, last)
            found = await series_rows.of_site(conn, site_id)
        entries = [_made(row, site.time_zone) for row in made]
        for one in found:
            ahead = max(first, one.planned_through + timedelta(days=1))
            entries += [
                _expected(session.starts_at, session.held_on, one, site.time_zone)
                for session in sessions_of(one, site, ahead, last)
            ]
        wanted = [entry for entry in entries if track in (None, entry["track"])]
        return sorted(wanted, key=lambda e: (e["starts_at"], e["series_key"] or ""))

    return router


async def _site(conn: Connection, site_id: str) -> sites.Site:
    found = (await sites.load(conn, [site_id])).get(site_id)
    if found is None:
        raise Rejected("site_unknown", "No site has that identifier.", "site_id")
    return found


def _made(row: dict[str, Any], time_zone: str) -> dict[str, Any]:
    told = {name: row[name] for name in _TOLD}
    return told | {
        "session_id": row["session_id"],
        "state": "cancelled" if row["is_cancelled"] else "planned",
        "starts_at": row["starts_at"].astimezone(zone_of(time_zone)),
        "seats": row["seats"],
    }


def _expected(starts_at: Any, held_on: date, one: Any, time_zone: str) -> dict[str, Any]:
    told = {name: getattr(one, name) for name in _TOLD if name != "held_on"}
    return told | {
        "held_on": held_on,
        "session_id": None,
        "state": "expected",
        "starts_at": starts_at.astimezone(zone_of(time_zone)),
        "seats": None,
    }


_TOLD = (
    "series_key",
    "track",
    "program_id",
    "session_type",
    "modality",
    "topic",
    "mode",
    "planned_minutes",
    "held_on",
)
