"""Each site's policies, kept for good, and which one holds on a day."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache

import asyncpg

from alerts.policy import DEFAULT, POLICIES, Policy
from handrail.outbox import Connection
from handrail.receipts import Rejected
from handrail.sites import Site

_IN_FORCE = """
select site_id, begins_on, body from policies where site_id = any($1::text[])
order by site_id, begins_on
"""
_AROUND = """
select s.site_id, s.time_zone, s.clock, s.closed_through, p.begins_on, p.body, now() as now
from sites s left join policies p using (site_id) where s.site_id = any($1::text[])
order by s.site_id, p.begins_on
"""
_SET = """
insert into policies (site_id, version, begins_on, body) values ($1, $2, $3, $4)
on conflict do nothing returning version
"""
_SAME = """
select 1 from policies where site_id = $1 and version = $2 and begins_on = $3 and body = $4
"""
_OF_A_SITE = ("site_id", "time_zone", "clock", "closed_through")
_HEARD = "select max(day) from days_heard where site_id = $1"


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies of some sites, by the day on which each begins."""

    default: Policy = DEFAULT
    by_site: dict[str, tuple[list[int], list[Policy]]] = field(default_factory=dict)

    def on(self, site_id: str, day: int) -> Policy:
        """The policy of a site on a day (an ordinal)."""
        found = self.by_site.get(site_id)
        if found is None:
            return self.default
        place = bisect_right(found[0], day)
        return found[1][place - 1] if place else self.default


async def load(conn: Connection, site_ids: Iterable[str]) -> Policies:
    """All policies of these sites."""
    return _by_day(await conn.fetch(_IN_FORCE, sorted(set(site_ids))))


async def around(
    conn: Connection, site_ids: Iterable[str]
) -> tuple[dict[str, Site], Policies, datetime | None]:
    """These sites as far as they are known, their policies, and the database's clock.

    No clock where all of the sites are on replay time.
    """
    rows = await conn.fetch(_AROUND, sorted(set(site_ids)))
    sites = {r["site_id"]: Site(*(r[name] for name in _OF_A_SITE)) for r in rows}
    now = next((r["now"] for r in rows if r["clock"] == "wall"), None)
    return sites, _by_day(r for r in rows if r["begins_on"]), now


def _by_day(rows: Iterable[asyncpg.Record]) -> Policies:
    """Rows in order of their days."""
    found = Policies()
    for row in rows:
        days, policies = found.by_site.setdefault(row["site_id"], ([], []))
        days.append(row["begins_on"].toordinal())
        policies.append(_read(row["body"]))
    return found


async def set_policy(conn: Connection, site_id: str, begins_on: date, policy: Policy) -> None:
    """Set what holds from a day on. The same again changes nothing.

    Raises Rejected when the version or the day is taken, or the day is decided already.
    """
    body = POLICIES.dump_json(policy).decode()
    if await conn.fetchval(_SAME, site_id, policy.version, begins_on, body):
        return
    if policy.version == DEFAULT.version:
        raise Rejected("version_taken", "Give the policy a version of its own.", "policy.version")
    heard = await conn.fetchval(_HEARD, site_id)
    if heard is not None and begins_on <= heard:
        raise Rejected("day_closed", "Days up to then are decided; begin later.", "begins_on")
    if await conn.fetchval(_SET, site_id, policy.version, begins_on, body) is None:
        detail = "The site has a policy of that version, or one that begins on that day."
        raise Rejected("version_taken", detail, "policy.version")


async def listed(pool: asyncpg.Pool, site_id: str) -> list[dict[str, object]]:
    """A site's policies, oldest first; the default comes before all of them."""
    rows = await pool.fetch(_IN_FORCE, [site_id])
    own = [{"begins_on": r["begins_on"], "policy": _read(r["body"])} for r in rows]
    return [{"begins_on": None, "policy": DEFAULT}, *own]


@lru_cache(maxsize=1024)
def _read(body: str) -> Policy:
    return POLICIES.validate_json(body)
