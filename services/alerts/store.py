"""The alerts service's own tables."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias
from uuid import UUID

from alerts import record
from alerts.facts import Fact
from alerts.record import Record
from handrail.outbox import Connection
from handrail.writes import of_rows, write

_LOAD = """
select admission_id, site_id, partition, watched, body from admissions
where admission_id = any($1::uuid[]) order by admission_id for update
"""
_LOAD_DUE = """
select a.admission_id, a.site_id, a.partition, a.watched, a.body
from unnest($1::text[], $2::smallint[]) as place (site_id, partition)
join admissions a using (site_id, partition)
where a.watched or a.pending
order by a.admission_id for update of a
"""
_SAVE = """
insert into admissions as a (admission_id, site_id, partition, watched, pending, body)
select * from unnest($1::uuid[], $2::text[], $3::smallint[], $4::bool[], $5::bool[], $6::bytea[])
on conflict (admission_id) do update set
    watched = excluded.watched, pending = excluded.pending, body = excluded.body
"""
_ADD_FACTS = """
insert into facts (admission_id, owner, sequence, body)
select * from unnest($1::uuid[], $2::text[], $3::bigint[], $4::bytea[])
on conflict do nothing
"""
_FACTS = "select admission_id, body from facts where admission_id = any($1::uuid[])"
_LEARN_PEOPLE = """
insert into people (admission_id, program_id, track)
select * from unnest($1::uuid[], $2::text[], $3::text[])
on conflict (admission_id) do update set
    program_id = excluded.program_id, track = excluded.track
"""
_LEARN_MERGES = """
insert into merges (duplicate_id, survivor_id, in_force)
select * from unnest($1::uuid[], $2::uuid[], $3::boolean[])
on conflict (duplicate_id, survivor_id) do update set in_force = excluded.in_force
"""
_HEAR = """
insert into days_heard as d (site_id, partition, owner, day)
select * from unnest($1::text[], $2::smallint[], $3::text[], $4::date[])
on conflict (site_id, partition, owner) do update set day = greatest(d.day, excluded.day)
"""
_HEARD = """
select h.site_id, h.partition, o.day as over, min(h.day) as heard, count(*) as owners
from unnest($1::text[], $2::smallint[]) as place (site_id, partition)
join days_heard h using (site_id, partition)
left join days_over o using (site_id, partition)
group by h.site_id, h.partition, o.day
"""
_OVER = """
insert into days_over as o (site_id, partition, day)
select * from unnest($1::text[], $2::smallint[], $3::date[])
on conflict (site_id, partition) do update set day = excluded.day
"""
ASSESSMENT = (
    "admission_id",
    "day",
    "site_id",
    "risk28",
    "risk14",
    "score",
    "level",
    "table_version",
)


# A site and a partition: what its days end for.
Place: TypeAlias = tuple[str, int]


@dataclass(slots=True)
class Row:
    """One admission's row, with its record decoded."""

    admission_id: UUID
    site_id: str
    partition: int
    watched: bool
    body: bytes
    record: Record
    cause: str | None = None
    # When what came last was recorded.
    heard_at: datetime | None = None

    @property
    def place(self) -> Place:
        """Whose end of days concerns it."""
        return self.site_id, self.partition

    @classmethod
    def new(cls, admission_id: UUID, site_id: str, partition: int) -> "Row":
        """An admission heard of for the first time."""
        fresh = Record(record.EMPTY)
        return cls(admission_id, site_id, partition, watched=False, body=b"", record=fresh)


async def load(conn: Connection, ids: Iterable[UUID]) -> dict[UUID, Row]:
    """These admissions, locked until the transaction ends."""
    return {r["admission_id"]: _row(r) for r in await conn.fetch(_LOAD, list(ids))}


async def load_due(conn: Connection, places: Collection[Place]) -> dict[UUID, Row]:
    """The admissions that the end of a day there concerns, locked until the transaction ends."""
    if not places:
        return {}
    rows = await conn.fetch(_LOAD_DUE, *map(list, zip(*places, strict=True)))
    return {r["admission_id"]: _row(r) for r in rows}


def _row(found: Mapping[str, Any]) -> Row:
    return Row(
        found["admission_id"],
        found["site_id"],
        found["partition"],
        found["watched"],
        found["body"],
        record.decode(found["body"]),
    )


async def save(conn: Connection, rows: Iterable[Row]) -> None:
    """Write those rows whose record has changed, with one statement."""
    changed = []
    for row in sorted(rows, key=lambda r: r.admission_id):
        body = record.encode(row.record)
        if body != row.body:
            pending = bool(row.record.waiting)
            changed.append(
                (row.admission_id, row.site_id, row.partition, row.watched, pending, body)
            )
    await write(conn, of_rows(_SAVE, changed))


async def add_facts(conn: Connection, told: Sequence[tuple[UUID, Fact]]) -> None:
    """Keep facts for good: corrections and the person's page are told from them."""
    rows = [(i, fact.owner, fact.sequence, record.encode_fact(fact)) for i, fact in told]
    await write(conn, of_rows(_ADD_FACTS, rows))


async def learn_people(conn: Connection, admitted: Sequence[tuple[UUID, str, str]]) -> None:
    """Keep who is in which programme and track: what a member may see hangs on it."""
    await write(conn, of_rows(_LEARN_PEOPLE, admitted))


async def learn_merges(conn: Connection, told: Mapping[tuple[UUID, UUID], bool]) -> None:
    """Keep of each (duplicate, survivor) whether they are merged now."""
    rows = [(*pair, in_force) for pair, in_force in told.items()]
    await write(conn, of_rows(_LEARN_MERGES, rows))


async def facts_of(conn: Connection, ids: Iterable[UUID]) -> dict[UUID, list[Fact]]:
    """All facts of these admissions."""
    found: dict[UUID, list[Fact]] = {}
    for row in await conn.fetch(_FACTS, list(ids)):
        found.setdefault(row["admission_id"], []).append(record.decode_fact(row["body"]))
    return found


async def hear(conn: Connection, closed: Sequence[tuple[str, int, str, date]]) -> None:
    """Note how far owners have closed a site's days on a partition."""
    latest = {row[:3]: row for row in closed}
    await write(conn, of_rows(_HEAR, latest.values()))


async def days_to_end(
    conn: Connection, places: Iterable[Place], owners: int
) -> dict[Place, tuple[date | None, date]]:
    """For each place where all `owners` have closed a new day: the last ended and the new one."""
    rows = await conn.fetch(_HEARD, *map(list, zip(*sorted(places), strict=True)))
    return {
        (r["site_id"], r["partition"]): (r["over"], r["heard"])
        for r in rows
        if r["owners"] == owners and (r["over"] is None or r["heard"] > r["over"])
    }


async def end_days(conn: Connection, through: Mapping[Place, date]) -> None:
    """Days through the one given are over at each place."""
    rows = [(*place, day) for place, day in sorted(through.items())]
    await write(conn, of_rows(_OVER, rows))


async def add_assessments(conn: Connection, rows: list[tuple[object, ...]]) -> None:
    """Store day-end assessments."""
    if rows:
        await conn.copy_records_to_table("assessments", records=rows, columns=ASSESSMENT)


async def now(conn: Connection) -> datetime:
    """The database's clock."""
    moment: datetime = await conn.fetchval("select now()")
    return moment
