"""The reports as JSON and CSV.

Periods are whole months: two that differ by a day could be compared to find out about one person.
"""

import csv
import io
from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields
from datetime import date, timedelta
from typing import Annotated, Any, TypeAlias

import asyncpg
from fastapi import APIRouter, Query, Response

from alerts.reports.days import Day, days, shown
from alerts.reports.figures import Period, figures
from alerts.reports.read import Read, read
from alerts.reports.small import suppressed
from handrail.events.base import SiteId
from handrail.receipts import Rejected

Month: TypeAlias = Annotated[
    str | None, Query(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", examples=["2026-11"])
]
USUAL_MONTHS = 12
LONGEST_DAYS = 5 * 366
COLUMNS = ("measure", "part", "n", "of", "value", "suppressed")


def routes(pool: asyncpg.Pool) -> APIRouter:
    """Queries only; small cells never leave."""
    router = APIRouter(prefix="/v1/reports", tags=["reports"])

    async def asked(site_id: str, since: str | None, until: str | None) -> tuple[Read, Period]:
        async with pool.acquire() as conn:
            found = await read(conn, site_id)
        return found, period_of(since, until, found.as_of)

    @router.get("")
    async def get_report(
        site_id: SiteId, since: Month = None, until: Month = None
    ) -> dict[str, Any]:
        """Every figure of the months from `since` to `until`; the last twelve unless said."""
        found, period = await asked(site_id, since, until)
        rows = suppressed(figures(found.cases, period))
        return _head(found, period) | {
            "figures": [{name: getattr(row, name) for name in COLUMNS} for row in rows]
        }

    @router.get("/csv")
    async def get_report_csv(site_id: SiteId, since: Month = None, until: Month = None) -> Response:
        """The same as CSV."""
        found, period = await asked(site_id, since, until)
        return figures_csv(found, period)

    @router.get("/days")
    async def get_days(site_id: SiteId, since: Month = None, until: Month = None) -> dict[str, Any]:
        """Census, people seen and minutes received, day by day."""
        found, period = await asked(site_id, since, until)
        return _head(found, period) | {"days": shown(days(found.cases, period))}

    @router.get("/days/csv")
    async def get_days_csv(site_id: SiteId, since: Month = None, until: Month = None) -> Response:
        """The same as CSV."""
        found, period = await asked(site_id, since, until)
        return days_csv(found, period)

    return router


def figures_csv(found: Read, period: Period) -> Response:
    """The figures as they may be shown."""
    rows = suppressed(figures(found.cases, period))
    return _csv(COLUMNS, ([getattr(row, name) for name in COLUMNS] for row in rows))


def days_csv(found: Read, period: Period) -> Response:
    """The days as they may be shown."""
    names = [field.name for field in fields(Day)]
    return _csv(names, (astuple(row) for row in shown(days(found.cases, period))))


def period_of(since: str | None, until: str | None, as_of: date) -> Period:
    """The whole months asked for. Raises Rejected when they are none or too many."""
    last_month = date.fromisoformat(f"{until}-01") if until else as_of.replace(day=1)
    first = date.fromisoformat(f"{since}-01") if since else months_before(last_month)
    last = last_month.replace(day=monthrange(last_month.year, last_month.month)[1])
    if not timedelta() <= last - first <= timedelta(days=LONGEST_DAYS):
        raise Rejected("period_not_usable", "`since` is up to five years before `until`.", "since")
    return Period(first.toordinal(), last.toordinal(), as_of.toordinal())


def months_before(month: date, count: int = USUAL_MONTHS - 1) -> date:
    """The first day of the month so many months before."""
    years, left = divmod(month.year * 12 + month.month - 1 - count, 12)
    return date(years, left + 1, 1)


def _head(found: Read, period: Period) -> dict[str, Any]:
    return {
        "site_id": found.site.site_id,
        "since": date.fromordinal(period.first),
        "until": date.fromordinal(period.last),
        "as_of": found.as_of,
    }


def _csv(names: Sequence[str], rows: Iterable[Iterable[object]]) -> Response:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    return Response(text.getvalue(), media_type="text/csv")
