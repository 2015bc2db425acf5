"""The quality board as a page: what the alerts of a site are worth, in words and plots."""

from dataclasses import asdict, is_dataclass
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from alerts.page import plots
from alerts.page.access import Member
from alerts.page.doors import Doors
from alerts.page.lines import day_words
from alerts.page.show import language_of
from alerts.quality_routes import board_of
from handrail import sight
from handrail.outbox import Connection
from handrail.receipts import Rejected

# A board counts a whole site: it is shown to who may see all its programmes.
_SITES = """
select s.site_id from sites s
where exists (select from assessments a where a.site_id = s.site_id)
    and ($1::text[] is null or not exists (
        select from admissions a join people p using (admission_id)
        where a.site_id = s.site_id and p.program_id <> all($1)
    ))
order by s.site_id
"""
_PUSHED = """
select date_trunc('week', f.day)::date as monday, count(*) as n
from firings f join concerns c using (concern_id)
left join alerts a on a.concern_id = f.concern_id and a.level = f.level
where f.site_id = $1 and f.day between $2 and $3 and f.pushed and a.withdrawn_at is null
    and c.ending is distinct from 'withdrawn'
group by 1
"""
_DAYS = """
select date_trunc('week', day)::date as monday, count(*) as n from assessments
where site_id = $1 and day between $2 and $3 group by 1
"""


def routes(doors: Doors) -> APIRouter:
    """The page at `/team/quality`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/team/quality")
    async def get_quality(request: Request, site: str = "") -> HTMLResponse:
        """One site's board."""
        member = await doors.member(request, "team")
        # Whether all programmes of a site are theirs is asked of all, and a board counts all.
        with sight.seeing(None):
            fields = await _board(doors, member, site, language_of(request))
        return doors.pages.show(request, "quality.html", fields, member)

    return router


async def _board(doors: Doors, member: Member, site: str, language: str) -> dict[str, Any]:
    async with doors.pool.acquire() as conn:
        sites = await _sites(conn, member)
    chosen = site if site in sites else next(iter(sites), None)
    try:
        board = await board_of(doors.pool, chosen) if chosen else None
    except Rejected:
        board = None
    fields: dict[str, Any] = {"sites": sites, "site": chosen, "board": None}
    if board:
        async with doors.pool.acquire() as conn:
            rates = await _rates(conn, board)
        fields |= _fields(board, rates, language)
    return fields


async def _sites(conn: Connection, member: Member) -> list[str]:
    return [row["site_id"] for row in await conn.fetch(_SITES, member.programs)]


async def _rates(conn: Connection, board: dict[str, Any]) -> list[tuple[date, float, int]]:
    where = (board["site_id"], board["since"], board["through"])
    pushed = {row["monday"]: row["n"] for row in await conn.fetch(_PUSHED, *where)}
    days = {row["monday"]: row["n"] for row in await conn.fetch(_DAYS, *where)}
    return plots.weekly_rates(pushed, days)


def _fields(
    board: dict[str, Any], rates: list[tuple[date, float, int]], language: str
) -> dict[str, Any]:
    burden = board["burden"]
    budget = _budget(burden)
    rules = [_rule(row) for row in board["rules"] if row["pushed"]]
    slowest = max((r["minutes_to_first_attempt"] or 0 for r in rules), default=0)
    for row in rules:
        row["wait"] = plots.bar(row["minutes_to_first_attempt"], slowest)
    return {
        "board": board,
        "rules": rules,
        "budget": budget,
        "rates": rates,
        "trend": plots.trend([rate for _, rate, _ in rates], budget or 0),
        "months": [month | {"found": _plain(month["found"])} for month in board["calibration"]],
        "day_words": lambda day: day_words(day, language),
    }


def _budget(burden: dict[str, Any]) -> float | None:
    """The budget of a staffed day, in alerts per 100 patient-weeks of these days."""
    rate, a_day = burden["alerts_per_100_patient_weeks"], burden["alerts_per_staffed_day"]
    budget: float = burden["budget_per_staffed_day"]
    return budget * rate / a_day if rate and a_day else None


def _rule(row: dict[str, Any]) -> dict[str, Any]:
    share = _plain(row["precision"])
    returned = plots.bar(row["returned"], row["pushed"])
    return row | {"precision": share, "whisker": plots.whisker(share), "came": returned}


def _plain(share: Any) -> Any:
    return asdict(share) if is_dataclass(share) and not isinstance(share, type) else share
