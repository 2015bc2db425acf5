"""The reports with their plots: bars drawn here, the same numbers in a table beside them."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Any

from fastapi import APIRouter, Request, Response

from alerts.page.doors import Doors
from alerts.page.lines import day_words
from alerts.page.show import HEADERS, language_of
from alerts.page.texts import Say, speaker
from alerts.reports import routes as reports
from alerts.reports.figures import Figure, Period, figures
from alerts.reports.read import Read, read
from alerts.reports.small import suppressed
from handrail import sites
from handrail.receipts import Rejected

WIDTH, HEIGHT = 400, 120
MONTHLY = (("census", "open"), ("dose", "minutes_a_week"), ("seats", "no_show"))


@dataclass(frozen=True, slots=True)
class Bar:
    """One figure in words, and how long its bar is; no bar where it is hidden or has no share."""

    label: str
    count: str
    value: str
    length: float | None


def routes(doors: Doors) -> APIRouter:
    """The page at `/reports`, and the same as CSV."""
    router = APIRouter(include_in_schema=False)

    @router.get("/reports")
    async def get_reports(
        request: Request, site: str = "", since: str = "", until: str = ""
    ) -> Response:
        """A site's figures of whole months, the last twelve unless said."""
        member = await doors.member(request, "reports")
        async with doors.pool.acquire() as conn:
            places = [s.site_id for s in await sites.all_sites(conn)]
            chosen = site if site in places else next(iter(places), "")
            found = await _read(doors, chosen)
        language = language_of(request)
        fields: dict[str, Any] = {"places": places, "site": chosen, "since": since, "until": until}
        if found:
            period, is_wrong = _period(since, until, found.as_of)
            fields |= _fields(found, period, language) | {"wrong": is_wrong}
        return doors.pages.show(request, "reports.html", fields | {"found": found}, member)

    @router.get("/reports/{name}.csv")
    async def get_reports_csv(
        request: Request, name: str, site: str = "", since: str = "", until: str = ""
    ) -> Response:
        """The figures or the days of a site."""
        member = await doors.member(request, "reports")
        found = await _read(doors, site)
        make = {"figures": reports.figures_csv, "days": reports.days_csv}.get(name)
        if found is None or make is None:
            return doors.pages.show(
                request, "message.html", {"words": "not_found"}, member, status=404
            )
        answer = make(found, _period(since, until, found.as_of)[0])
        answer.headers.update(HEADERS)
        return answer

    return router


async def _read(doors: Doors, site_id: str) -> Read | None:
    try:
        async with doors.pool.acquire() as conn:
            return await read(conn, site_id)
    except Rejected:
        return None


def _period(since: str, until: str, as_of: date) -> tuple[Period, bool]:
    """The months asked for; where they cannot be used the last twelve, and True."""
    try:
        return reports.period_of(since or None, until or None, as_of), False
    except (Rejected, ValueError):
        return reports.period_of(None, None, as_of), True


def _fields(found: Read, period: Period, language: str) -> dict[str, Any]:
    say = speaker(language)
    rows = suppressed(figures(found.cases, period))
    return {
        "from_month": f"{date.fromordinal(period.first):%Y-%m}",
        "to_month": f"{date.fromordinal(period.last):%Y-%m}",
        "through": day_words(found.as_of, language),
        "measures": [
            (say(f"m_{measure}"), [bar(row, say) for row in parts])
            for measure, parts in groupby(rows, attrgetter("measure"))
        ],
        "months": monthly(found, period, say),
        "width": WIDTH,
        "height": HEIGHT,
    }


def bar(row: Figure, say: Say) -> Bar:
    """A figure as a bar."""
    is_within = row.part == "30" and row.measure != "retention"
    label = say("p_within_30" if is_within else f"p_{row.part}")
    if row.suppressed:
        return Bar(label, say("hidden"), "", None)
    count = "" if row.n is None else str(row.n)
    if row.n is not None and row.of is not None and row.part != "all":
        count = say("count_of", n=row.n, of=row.of)
    if row.value is None:
        return Bar(label, count, "", None)
    is_share = row.of is not None or row.part == "share_of_plan"
    value = f"{row.value:.0%}" if is_share else f"{row.value:g}"
    return Bar(label, count, value, min(1.0, row.value) * WIDTH if is_share else None)


def monthly(found: Read, period: Period, say: Say) -> list[dict[str, Any]]:
    """The last twelve months of the period, one plot for each of three figures."""
    months: list[tuple[str, dict[tuple[str, str], Figure]]] = []
    last = date.fromordinal(min(period.last, period.as_of)).replace(day=1)
    for back in range(reports.USUAL_MONTHS - 1, -1, -1):
        first = reports.months_before(last, back)
        if first.toordinal() < period.first:
            continue
        end = first.replace(day=monthrange(first.year, first.month)[1])
        rows = figures(found.cases, Period(first.toordinal(), end.toordinal(), period.as_of))
        months.append((f"{first:%Y-%m}", {(r.measure, r.part): r for r in suppressed(rows)}))
    return [_plot(name, months, say) for name in MONTHLY]


def _plot(
    name: tuple[str, str], months: list[tuple[str, dict[tuple[str, str], Figure]]], say: Say
) -> dict[str, Any]:
    numbers = [
        (month, rows[name].value if name[0] != "census" else rows[name].n) for month, rows in months
    ]
    top = max((n for _, n in numbers if n is not None), default=0) or 1
    step = WIDTH / max(1, len(numbers))
    is_share = name[0] == "seats"
    return {
        "title": f"{say('m_' + name[0])}: {say('p_' + name[1])}",
        "bars": [
            {
                "month": month,
                "x": round(place * step + 2, 1),
                "width": round(step - 4, 1),
                "y": round(HEIGHT - (n or 0) / top * (HEIGHT - 4), 1),
                "height": round((n or 0) / top * (HEIGHT - 4), 1),
                "words": say("hidden") if n is None else f"{n:.0%}" if is_share else f"{n:g}",
            }
            for place, (month, n) in enumerate(numbers)
        ],
    }
