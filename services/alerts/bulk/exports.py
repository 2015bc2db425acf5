"""Exports as rows: asked for, worked on one at a time, fetched, and gone after a day."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import asyncpg
import orjson

from alerts import evidence, progress
from alerts.bulk import measured
from alerts.bulk.quarters import Quarter, known
from alerts.facts import Fact
from alerts.reports.figures import figures
from alerts.reports.read import cases
from alerts.reports.small import suppressed
from handrail import sites
from handrail.outbox import Connection
from handrail.sites import Site
from handrail.telemetry import log
from handrail.transient import TRANSIENT

Facts: TypeAlias = dict[UUID, list[Fact]]
IDLE_SECONDS = 15.0
KEPT_HOURS = 24
AT_ONCE = 3
_HOLD_SECONDS = 120
_TRIES = 3

_WAITING = "select count(*) from exports where asked_by = $1 and state = 'waiting'"
_ASK = """
insert into exports (export_id, asked_by, request, since_on) values ($1, $2, $3, $4)
"""
_FIND = """
select export_id, request, asked_at, state, sites_done, sites, reports,
    asked_at + $3 * interval '1 hour' as over_at
from exports where export_id = $1 and asked_by = $2
"""
_LINES = """
select lines from exports where export_id = $1 and asked_by = $2 and state = 'done'
"""
_DROP = "delete from exports where export_id = $1 and asked_by = $2 returning 1"
_CLAIM = """
update exports set tries = tries + 1, held_until = now() + $1 * interval '1 second'
where export_id = (
    select export_id from exports
    where state = 'waiting' and tries < $2 and (held_until is null or held_until < now())
    order by asked_at for update skip locked limit 1
)
returning export_id, since_on, tries
"""
# Nobody else's since, and not ended meanwhile.
_GO_ON = """
update exports set sites_done = $3, sites = $4, held_until = now() + $5 * interval '1 second'
where export_id = $1 and tries = $2 and state = 'waiting' returning 1
"""
_DONE = """
update exports set state = 'done', done_at = now(), lines = $3, reports = $4
where export_id = $1 and tries = $2 and state = 'waiting'
"""
_FAILED = """
update exports set state = 'failed', done_at = now()
where state = 'waiting' and (export_id = $1 or tries >= $2 and held_until < now())
"""
_FORGET = "delete from exports where asked_at < now() - $1 * interval '1 hour'"


async def ask(conn: Connection, asked_by: str, request: str, since: date | None) -> UUID | None:
    """An export that is made from now on. None when the caller waits for enough of them."""
    if await conn.fetchval(_WAITING, asked_by) >= AT_ONCE:
        return None
    export_id = uuid4()
    await conn.execute(_ASK, export_id, asked_by, request, since)
    return export_id


async def find(conn: Connection, export_id: UUID, asked_by: str) -> Any:
    """How an export stands; None where there is none of this caller's."""
    return await conn.fetchrow(_FIND, export_id, asked_by, KEPT_HOURS)


async def lines(conn: Connection, export_id: UUID, asked_by: str) -> bytes | None:
    """What is in it, as NDJSON; None where there is none of this caller's, or not yet."""
    found: bytes | None = await conn.fetchval(_LINES, export_id, asked_by)
    return found


async def drop(conn: Connection, export_id: UUID, asked_by: str) -> bool:
    """End it, or delete what it holds. False where there is none of this caller's."""
    return bool(await conn.fetchval(_DROP, export_id, asked_by))


@dataclass
class Exporter:
    """Makes exports for ever; `wake` is rung when one was asked for."""

    pool: asyncpg.Pool
    _rung: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Something may be asked for: look now."""
        self._rung.set()

    async def run(self) -> None:
        """Make what is asked for, and forget what is old."""
        while True:
            self._rung.clear()
            try:
                while await self.make_one():
                    pass
                await self.pool.execute(_FAILED, None, _TRIES)
                await self.pool.execute(_FORGET, KEPT_HOURS)
            except TRANSIENT as error:
                log.warning("exports.wait", error=type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._rung.wait(), IDLE_SECONDS)

    async def make_one(self) -> bool:
        """Make the oldest that waits. False when none does."""
        claimed = await self.pool.fetchrow(_CLAIM, _HOLD_SECONDS, _TRIES)
        if claimed is None:
            return False
        try:
            await self._make(claimed)
        except TRANSIENT:
            raise
        except Exception as error:  # noqa: BLE001  # one export's trouble is nobody else's
            log.error("export.failed", error=type(error).__name__)
            await self.pool.execute(_FAILED, claimed["export_id"], _TRIES)
        return True

    async def _make(self, claimed: Any) -> None:
        async with self.pool.acquire() as conn:
            everywhere = list((await sites.known(conn)).values())
        made: list[bytes] = []
        for done, site in enumerate(everywhere):
            facts, quarters = await self._known(site, claimed["since_on"])
            for quarter in quarters:
                if not await self._goes_on(claimed, done, len(everywhere)):
                    return
                made += await asyncio.to_thread(lines_of, site, facts, quarter)
        whose = (claimed["export_id"], claimed["tries"])
        await self.pool.execute(_DONE, *whose, b"".join(made), len(made))

    async def _known(self, site: Site, since: date | None) -> tuple[Facts, list[Quarter]]:
        """A site's facts, and the quarters that can be told of it."""
        async with self.pool.acquire() as conn:
            through = await progress.over_through(conn, site.site_id)
            facts = await evidence.facts(conn, site.site_id) if through else {}
        return facts, quarters_of(facts, through, since) if through else []

    async def _goes_on(self, claimed: Any, done: int, sites_in_all: int) -> bool:
        """Whether it is still ours, and wanted."""
        whose = (claimed["export_id"], claimed["tries"])
        return bool(await self.pool.fetchval(_GO_ON, *whose, done, sites_in_all, _HOLD_SECONDS))


def quarters_of(facts: Facts, through: date, since: date | None) -> list[Quarter]:
    """The quarters that are known by `through` of those in which something was recorded."""
    begun = min((fact.recorded for told in facts.values() for fact in told), default=None)
    return [] if begun is None else known(date.fromordinal(begun), through, since)


def lines_of(site: Site, facts: Facts, quarter: Quarter) -> list[bytes]:
    """A site's reports of a quarter, as it was known then; a line each."""
    people = cases(facts, site, quarter.as_of)
    shown = suppressed(figures(people, quarter.period()))
    return [orjson.dumps(one) + b"\n" for one in measured.reports(site.site_id, quarter, shown)]
