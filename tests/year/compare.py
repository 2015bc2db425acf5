"""The services' numbers beside the recomputed ones; every difference is told."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from alerts import evidence
from alerts.facts import Fact
from alerts.reports.case import Case
from alerts.reports.days import days
from alerts.reports.figures import Period, figures
from alerts.reports.read import cases
from handrail import sites
from handrail.sites import Site
from tests.year.recompute import load, recomputed
from tests.year.story import FIRST, LAST

YEAR = (FIRST.toordinal(), LAST.toordinal())


@dataclass(slots=True)
class Verdict:
    """How much was compared, and what differed."""

    days: int = 0
    reports: int = 0
    numbers: int = 0
    census: dict[str, int] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)

    def see(self, what: str, served: object, reckoned: object) -> None:
        """One number in both."""
        self.numbers += 1
        if not _same(served, reckoned):
            self.differences.append(f"{what}: served {served}, recomputed {reckoned}")


async def compare(
    admin_url: Callable[[str], str], site_ids: list[str], as_of_days: list[date]
) -> Verdict:
    """Every day of the year, and the report as of each of these days."""
    verdict = Verdict()
    admin = await asyncpg.connect(admin_url("postgres"))
    try:
        await admin.execute("drop database if exists recomputed")
        await admin.execute("create database recomputed")
    finally:
        await admin.close()
    alerts = await asyncpg.connect(admin_url("alerts"))
    own = await asyncpg.connect(admin_url("recomputed"))
    try:
        await load(own, admin_url)
        known = await sites.known(alerts)
        for site_id in site_ids:
            facts = await evidence.facts(alerts, site_id)
            await _site(verdict, own, known[site_id], facts, as_of_days)
    finally:
        await own.close()
        await alerts.close()
    return verdict


async def _site(
    verdict: Verdict,
    own: asyncpg.Connection,
    site: Site,
    facts: dict[UUID, list[Fact]],
    as_of_days: list[date],
) -> None:
    for as_of in as_of_days:
        people = cases(facts, site, as_of)
        told, reckoned = await recomputed(own, site.site_id, as_of, FIRST, LAST)
        _days(verdict, site, people, as_of, told)
        where = f"{site.site_id} as of {as_of}"
        served = figures(people, Period(*YEAR, as_of.toordinal()))
        verdict.reports += 1
        names = {(f.measure, f.part) for f in served}
        verdict.see(f"{where} names", names, set(reckoned))
        for figure in served:
            n, of, value = reckoned.get((figure.measure, figure.part), (None, None, None))
            what = f"{where} {figure.measure} {figure.part}"
            verdict.see(f"{what} n", figure.n, n)
            verdict.see(f"{what} of", figure.of, of)
            if figure.n is None:
                verdict.see(f"{what} value", figure.value, value)


def _days(
    verdict: Verdict, site: Site, people: list[Case], as_of: date, told: list[tuple[Any, ...]]
) -> None:
    served = days(people, Period(*YEAR, as_of.toordinal()))
    verdict.days += len(served)
    verdict.see(f"{site.site_id} as of {as_of} days", len(served), len(told))
    for day, row in zip(served, told, strict=False):
        for name, number in zip(("day", "census", "seen", "minutes"), row, strict=True):
            verdict.see(
                f"{site.site_id} as of {as_of}, {name} of {day.day}", getattr(day, name), number
            )
    verdict.census[site.site_id] = max(d.census or 0 for d in served)


def every(step: int) -> list[date]:
    """Each `step` days of the year, and its last."""
    return sorted({*_range(step), LAST})


def _range(step: int) -> Iterator[date]:
    day = FIRST
    while day <= LAST:
        yield day
        day += timedelta(days=step)


def _same(served: object, reckoned: object) -> bool:
    """Both are rounded: shares to four places, minutes a week to one."""
    if isinstance(served, float) and reckoned is not None:
        return abs(served - float(str(reckoned))) <= (0.06 if served > 1 else 0.0001)
    return served == reckoned
