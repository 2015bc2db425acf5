"""Where a report comes from: the facts of a site that alerts keeps anyway, and its last day."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg

from alerts import evidence, progress
from alerts.facts import Fact
from alerts.reports.case import Case, case_of
from handrail import sites
from handrail.receipts import Rejected
from handrail.sites import Site, zone_of


@dataclass(frozen=True, slots=True)
class Read:
    """A site's people as known at the end of its last day that is over."""

    site: Site
    as_of: date
    cases: list[Case]


async def read(conn: asyncpg.Connection, site_id: str) -> Read:
    """Read a whole site. Raises Rejected when it is not known."""
    site = (await sites.known(conn)).get(site_id)
    through = await progress.over_through(conn, site_id)
    if site is None or through is None:
        raise Rejected("site_unknown", "No day of that site is over yet.", "site_id")
    facts = await evidence.facts(conn, site_id)
    return Read(site, through, await asyncio.to_thread(cases, facts, site, through))


def cases(facts: Mapping[UUID, Iterable[Fact]], site: Site, as_of: date) -> list[Case]:
    """Each admission as it was known at the end of a day."""
    zone = zone_of(site.time_zone)
    return [case_of(who, told, zone, as_of.toordinal()) for who, told in facts.items()]
