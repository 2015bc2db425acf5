"""What a supervisor looks at: who carries what, what is overdue, and the last weeks."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from alerts.page.access import Member
from alerts.page.doors import Doors
from alerts.page.lines import line
from alerts.page.show import language_of
from alerts.page.store import Filter, open_concerns
from alerts.page.texts import speaker
from handrail.outbox import Connection

_LOAD = """
select coalesce(c.assigned_to, '') as who, coalesce(c.assigned_role, c.owner_role) as role,
    count(*) as open, count(*) filter (where c.level <= 1) as urgent,
    count(*) filter (where c.acknowledged_at is null) as waiting,
    count(*) filter (where c.due_at <= now()) as overdue,
    count(*) filter (where c.snoozed_until > now()) as snoozed
from concerns c
where c.closed_at is null and ($1::text[] is null or c.program_id = any($1))
group by 1, 2 order by overdue desc, open desc, 1, 2
"""
_WEEKS = """
select date_trunc('week', a.raised_at)::date as monday, count(*) as raised,
    count(*) filter (where a.withdrawn_at is not null) as withdrawn,
    count(*) filter (where o.first_at is not null) as tried,
    percentile_cont(0.5) within group (order by extract(epoch from o.first_at - a.raised_at) / 3600)
        filter (where o.first_at is not null) as hours,
    count(*) filter (where c.ending = 'returned') as returned
from alerts a join concerns c using (concern_id)
left join lateral (
    select min(o.recorded_at) as first_at from outreach o
    where o.concern_id = a.concern_id and o.recorded_at >= a.raised_at
) o on true
where a.raised_at > now() - interval '8 weeks' and a.level <= 2
    and ($1::text[] is null or c.program_id = any($1))
group by 1 order by 1 desc
"""


async def _load(conn: Connection, member: Member) -> list[dict[str, Any]]:
    """Open concerns by who has them."""
    return [dict(row) for row in await conn.fetch(_LOAD, member.programs)]


async def _weeks(conn: Connection, member: Member) -> list[dict[str, Any]]:
    """Pushed alerts by week, and what came of them."""
    return [dict(row) for row in await conn.fetch(_WEEKS, member.programs)]


def routes(doors: Doors) -> APIRouter:
    """The page at `/team`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/team")
    async def get_team(request: Request) -> HTMLResponse:
        """Load per person, what is overdue, and the last weeks."""
        member = await doors.member(request, "team")
        async with doors.pool.acquire() as conn:
            load = await _load(conn, member)
            weeks = await _weeks(conn, member)
            rows, _ = await open_concerns(conn, member, Filter())
        language = language_of(request)
        say = speaker(language)
        late = [line(row, say, language) for row in rows if row["overdue"]]
        fields: dict[str, Any] = {"load": load, "weeks": weeks, "late": late}
        fields["most"] = max((row["open"] for row in load), default=1)
        return doors.pages.show(request, "team.html", fields, member)

    return router
