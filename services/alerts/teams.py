"""Statements about who stands for whom: care teams from intake, and the sites' on-call rotas."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple
from datetime import date
from functools import lru_cache
from uuid import UUID

import asyncpg

from alerts.rota import ROTAS, Rota
from alerts.routing import Member, TeamEvent, follow
from handrail import sites
from handrail.events import Event
from handrail.outbox import Connection
from handrail.receipts import Rejected
from handrail.writes import of_rows, write

_CLEAR = "delete from teams where admission_id = any($1::uuid[])"
_WRITE = """
insert into teams (admission_id, role, staff_id, from_on, until_on, is_cover)
select * from unnest(
    $1::uuid[], $2::text[], $3::uuid[], $4::date[], $5::date[], $6::boolean[]
)
"""
_TEAMS = """
select admission_id, role, staff_id, from_on, until_on, is_cover from teams
where admission_id = any($1::uuid[])
"""
_ROTAS = """
select site_id, begins_on, body from rotas where site_id = any($1::text[])
order by site_id, begins_on
"""
_SET = """
insert into rotas (site_id, version, begins_on, body) values ($1, $2, $3, $4)
on conflict do nothing returning version
"""
_SAME = """
select 1 from rotas where site_id = $1 and version = $2 and begins_on = $3 and body = $4::jsonb
"""


async def learn(conn: Connection, events: Iterable[Event]) -> None:
    """Take what intake says of care teams, in its order; no statement where it says nothing."""
    told = [event for event in events if isinstance(event, TeamEvent)]
    if not told:
        return
    teams = await of(conn, (event.admission_id for event in told))
    for event in told:
        teams[event.admission_id] = follow(teams.get(event.admission_id, ()), event)
    await conn.execute(_CLEAR, list(teams))
    rows = [(person, *astuple(member)) for person, team in teams.items() for member in team]
    await write(conn, of_rows(_WRITE, rows))


async def of(conn: Connection, people: Iterable[UUID]) -> dict[UUID, list[Member]]:
    """The teams of these admissions, with all that there were."""
    found: dict[UUID, list[Member]] = {}
    for row in await conn.fetch(_TEAMS, list(set(people))):
        admission_id, *member = row
        found.setdefault(admission_id, []).append(Member(*member))
    return found


async def rotas(conn: Connection, site_ids: Iterable[str]) -> dict[str, list[tuple[date, Rota]]]:
    """The rotas of these sites, by the day on which each begins."""
    found: dict[str, list[tuple[date, Rota]]] = {}
    for row in await conn.fetch(_ROTAS, sorted(set(site_ids))):
        found.setdefault(row["site_id"], []).append((row["begins_on"], _read(row["body"])))
    return found


async def set_rota(conn: Connection, site_id: str, begins_on: date, rota: Rota) -> None:
    """Set who is on call from a day on. The same again changes nothing.

    Raises Rejected when the version or the day is taken, or the day is over.
    """
    body = ROTAS.dump_json(rota).decode()
    if await conn.fetchval(_SAME, site_id, rota.version, begins_on, body):
        return
    site = (await sites.known(conn)).get(site_id)
    if site is None:
        raise Rejected("site_unknown", "No site has that identifier.", "site_id")
    if begins_on < site.day_of(await conn.fetchval("select now()")):
        raise Rejected("in_the_past", "That day is over; begin later.", "begins_on")
    if await conn.fetchval(_SET, site_id, rota.version, begins_on, body) is None:
        detail = "The site has a rota of that version, or one that begins on that day."
        raise Rejected("version_taken", detail, "rota.version")


async def listed(pool: asyncpg.Pool, site_id: str) -> Sequence[dict[str, object]]:
    """A site's rotas, oldest first."""
    rows = await pool.fetch(_ROTAS, [site_id])
    return [{"begins_on": row["begins_on"], "rota": _read(row["body"])} for row in rows]


@lru_cache(maxsize=256)
def _read(body: str) -> Rota:
    return ROTAS.validate_json(body)
