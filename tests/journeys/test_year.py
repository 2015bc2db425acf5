"""A year of five sites: what is reported equals what plain SQL finds in the raw log."""

import asyncio
import csv
import io
from dataclasses import dataclass

import httpx
import pytest
from playwright.async_api import Browser, expect

from operate.drill.faults import database_url
from operate.replay.client import Client
from tests.journeys.browser import PHONE, Screen
from tests.journeys.exported import Exporting
from tests.parts import System
from tests.year.compare import Verdict, compare, every
from tests.year.play import play_year
from tests.year.story import SITES, story_of

SEED, PLACES = 7, 22


@dataclass(frozen=True)
class Year:
    """What was played, and what came of comparing it."""

    system: System
    refused: dict[str, int]
    verdict: Verdict


@pytest.fixture(scope="module")
def year(system: System) -> Year:
    """The year, played once: days are closed a month at a time."""
    return asyncio.run(_played(system))


async def _played(system: System) -> Year:
    client = Client(system.addresses, print)
    stories = [story_of(site, zone, PLACES, SEED) for site, zone in SITES]
    try:
        players = await play_year(client, stories, close_every=31)
    finally:
        await client.close()
    refused = {what: count for player in players for what, count in player.refused.items()}
    sites = [site for site, _ in SITES]
    verdict = await compare(lambda name: database_url(system.home, name), sites, every(91))
    return Year(system, refused, verdict)


def test_every_day_and_report_equals_the_recomputation(year: Year) -> None:
    assert year.verdict.differences == []
    assert year.refused == {}
    assert year.verdict.reports == len(SITES) * len(every(91))
    assert min(year.verdict.census.values()) >= PLACES // 2


async def test_the_api_and_the_csv_say_the_same_and_hide_small_cells(year: Year) -> None:
    base = year.system.addresses.alerts
    asked = {"site_id": "east", "since": "2025-01", "until": "2025-12"}
    async with httpx.AsyncClient(trust_env=False, timeout=30, base_url=base) as client:
        found = (await client.get("/v1/reports", params=asked)).json()
        table = await client.get("/v1/reports/csv", params=asked)
        days = (await client.get("/v1/reports/days", params=asked)).json()["days"]
        wrong = await client.get("/v1/reports", params=asked | {"since": "2025-13"})
        nowhere = await client.get("/v1/reports", params=asked | {"site_id": "nowhere"})

    assert (found["as_of"], len(days)) == ("2025-12-31", 365)
    shown = [f for f in found["figures"] if not f["suppressed"]]
    hidden = [f for f in found["figures"] if f["suppressed"]]
    assert shown
    assert hidden
    assert all(f["n"] is None or f["n"] >= 11 for f in shown)
    assert all(f["n"] is None and f["value"] is None for f in hidden)
    assert all(d["census"] is None or d["census"] >= 11 for d in days)
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [(r["measure"], r["part"], r["n"]) for r in rows] == [
        (f["measure"], f["part"], "" if f["n"] is None else str(f["n"])) for f in found["figures"]
    ]
    assert (wrong.status_code, nowhere.status_code) == (422, 404)


async def test_an_export_says_of_each_quarter_what_its_report_says_and_hides_small_cells(
    year: Year,
) -> None:
    base = year.system.addresses.alerts
    form = {"grant_type": "client_credentials", "handrail_role": "system"}
    form["scope"] = "system/MeasureReport.read"
    async with httpx.AsyncClient(trust_env=False, base_url=base) as client:
        granted = (await client.post("/development/token", data=form)).json()
    async with Exporting.of(base, f"Bearer {granted['access_token']}") as exporting:
        manifest = await exporting.made(await exporting.asked(_type="MeasureReport"))
        reports = await exporting.reports(manifest)

    east = [one for one in reports if one.reporter.identifier.value == "east"]
    assert sorted({str(one.period.start) for one in east}) == [
        *("2025-01-01", "2025-04-01", "2025-07-01")
    ]
    assert len({one.id for one in reports}) == len(reports)
    shown = [
        part.count
        for one in reports
        for group in one.group
        for part in group.population or ()
        if part.count is not None
    ]
    assert shown
    assert min(shown) >= 11


async def test_the_page_draws_the_report_in_two_languages(year: Year, chromium: Browser) -> None:
    for language, title, options in (
        ("en-US", "Report of east", {}),
        ("es-ES", "Informe de east", {"viewport": PHONE}),
    ):
        screen = await Screen.open(
            chromium, year.system.addresses.alerts, locale=language, **options
        )
        await screen.sign_in("supervisor", "*")
        assert await screen.go("/reports?site=east&since=2025-01&until=2025-12") == 200
        await expect(screen.page.locator("h1")).to_have_text(title)
        await expect(screen.page.locator("svg.bars rect").first).to_be_attached()
        await screen.is_sound(f"reports-{language}")


async def test_a_report_is_for_those_who_may_see_the_whole_site(
    year: Year, chromium: Browser
) -> None:
    for role, programs, home in (
        ("supervisor", "iop", "/"),
        ("counsellor", "*", "/"),
        ("operator", "*", "/operate"),
    ):
        screen = await Screen.open(chromium, year.system.addresses.alerts)
        await screen.sign_in(role, programs, home)
        assert await screen.go("/reports") == 403
        assert await screen.go("/reports/figures.csv?site=east") == 403


async def test_the_csv_comes_through_the_pages_door(year: Year, chromium: Browser) -> None:
    screen = await Screen.open(chromium, year.system.addresses.alerts)
    await screen.sign_in("medical_director", "*")
    for name, head in (("figures", "measure,part,n"), ("days", "day,census,seen,minutes")):
        answer = await screen.context.request.get(
            f"{screen.base}/reports/{name}.csv?site=east&since=2025-01&until=2025-12"
        )
        assert answer.status == 200
        assert (await answer.text()).startswith(head)
