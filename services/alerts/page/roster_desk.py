"""Attendance's rosters as a member may see and take them; attendance owns them."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from alerts.page import roster
from alerts.page.access import Member
from alerts.page.neighbours import Neighbours, Unknown
from alerts.page.roster import Slip
from alerts.page.store import is_in_scope
from handrail.sites import Site

Found = tuple[dict[str, Any], Site]


class RosterDesk:
    """Asks attendance for what a member may see, and tells it what they typed."""

    def __init__(self, neighbours: Neighbours) -> None:
        """Nothing is asked yet."""
        self.neighbours = neighbours

    async def sites(self, member: Member) -> list[Site]:
        """Where the member's programmes hold sessions. Raises Away."""
        query = {} if member.programs is None else {"program_id": list(member.programs)}
        if member.programs == ():
            return []
        found = await self.neighbours.get("attendance", "/v1/sites", **query)
        return [
            Site(**one | {"closed_through": date.fromisoformat(one["closed_through"])})
            for one in found
        ]

    async def session(self, member: Member, session_id: str) -> tuple[dict[str, Any], Site]:
        """A session that the member may see, with its site. Raises Unknown or Away."""
        try:
            named = UUID(session_id)
        except ValueError:
            raise Unknown from None
        session = await self.neighbours.get("attendance", f"/v1/sessions/{named}")
        if not is_in_scope(session, member):
            raise Unknown
        sites = {site.site_id: site for site in await self.sites(member)}
        if session["site_id"] not in sites:
            raise Unknown
        return session, sites[session["site_id"]]

    async def send(
        self, session: dict[str, Any], site: Site, typed: dict[str, str]
    ) -> tuple[str, int | None]:
        """What came of it: a text's key, and of which seat it speaks. Raises Away."""
        seats = roster.seats_of(session, typed)
        try:
            said = roster.entries(seats, session["planned_minutes"])
        except Slip as slip:
            return f"no_{slip.code}", slip.place
        body = roster.command(session, said, site, datetime.now(UTC))
        result = await self.neighbours.command("attendance", body)
        if result["status"] != "rejected":
            return "roster_done", None
        named = str(result.get("field") or "").split(".")
        index = int(named[1]) if len(named) > 1 and named[1].isdigit() else None
        of = [s.admission_id for s in seats]
        place = of.index(said[index]["admission_id"]) if index is not None else None
        return f"no_{result['code']}", place

    async def sessions(self, member: Member, site: Site, day: date) -> list[dict[str, Any]]:
        """The sessions of a day that the member may see. Raises Away."""
        found = await self.neighbours.get(
            "attendance", "/v1/sessions", site_id=site.site_id, day=day.isoformat()
        )
        return [one for one in found if is_in_scope(one, member)]
