"""What the page asks the database; each question sees a member's own programmes only."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias
from uuid import UUID

from alerts.page.access import TOLD, Member
from alerts.page.refs import ref
from handrail.outbox import Connection

PAGE = 50
MANY = 2000
Batch: TypeAlias = tuple[int, list[dict[str, Any]]]

_SHOWN = """
select c.concern_id, c.admission_id, c.site_id, c.level, c.kind, c.reasons, c.opened_on,
    c.opened_at, c.owner_role, c.acknowledged_at, c.due_at, c.escalations, c.ending, c.closed_on,
    c.closed_at, c.changed_in, coalesce(c.due_at <= now(), false) as overdue,
    c.program_id, c.track, s.time_zone, s.clock,
    (select count(*) from outreach o where o.concern_id = c.concern_id) as attempts,
    c.next_step, c.assigned_role, c.assigned_to, c.snoozed_until, c.snooze_reason, c.paused
from unnest($1::uuid[]) with ordinality as t (concern_id, place)
join concerns c using (concern_id)
join sites s on s.site_id = c.site_id
order by t.place
"""
# `$1` the member's programmes (null: all); then the filters.
OPEN = """
select c.concern_id, count(*) over () as total
from concerns c
where c.closed_at is null
    and ($1::text[] is null or c.program_id = any($1))
    and ($2::text is null or c.program_id = $2)
    and ($3::text is null or c.track = $3)
    and ($4::text is null or c.site_id = $4)
    and c.level <= $5
    and ($6::text[] is null or c.assigned_to = $9
        or (c.assigned_to is null and coalesce(c.assigned_role, c.owner_role) = any($6)))
order by c.level > 0, coalesce(c.snoozed_until > now(), false) or c.paused is not null,
    coalesce(c.due_at <= now(), false) desc, c.acknowledged_at is not null or c.level = 3,
    c.level, c.due_at nulls last, c.opened_on, c.concern_id
limit $7 offset $8
"""
_CHANGED = """
select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as position, c.concern_id,
    c.changed_in
from (select 1) as one left join concerns c on c.changed_in >= $1 and c.changed_in > 0
order by c.changed_in fetch first $2 rows with ties
"""
_POSITION = "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_TRACES = """
select traceparent from alerts
where concern_id = any($1) and traceparent is not null and raised_at > now() - interval '5 seconds'
"""
_CHOICES = """
select c.program_id, c.track, c.site_id, count(*) as open
from concerns c
where c.closed_at is null and ($1::text[] is null or c.program_id = any($1))
group by c.program_id, c.track, c.site_id order by c.program_id, c.track, c.site_id
"""


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the list is asked for. Nothing chosen: everything the member may see."""

    program: str | None = None
    track: str | None = None
    site: str | None = None
    level: int = 3
    mine: bool = False

    def named(self, choices: Sequence[dict[str, Any]]) -> "Filter":
        """The same by the names there are; a mark that is nobody's shows nobody."""

        def name(mark: str | None, column: str) -> str | None:
            return next((r[column] for r in choices if mark and _is(mark, r[column])), mark)

        return replace(
            self,
            program=name(self.program, "program_id"),
            track=name(self.track, "track"),
            site=name(self.site, "site_id"),
        )

    def shows(self, row: dict[str, Any], member: Member) -> bool:
        """Whether a concern belongs on this list; the same answer as the query's."""
        return (
            is_in_scope(row, member)
            and _is(self.program, row["program_id"])
            and _is(self.track, row["track"])
            and _is(self.site, row["site_id"])
            and row["level"] <= self.level
            and (not self.mine or is_mine(row, member))
        )


def _is(asked: str | None, name: str | None) -> bool:
    return asked is None or (name is not None and asked in (name, ref(name)))


def is_mine(row: dict[str, Any], member: Member) -> bool:
    """Whether the work is a member's own, or waits for their role."""
    if row["assigned_to"] is not None:
        return bool(row["assigned_to"] == member.subject)
    return (row["assigned_role"] or row["owner_role"]) in TOLD[member.role]


def is_in_scope(row: dict[str, Any], member: Member) -> bool:
    """Whether a member may know of this concern at all."""
    return member.programs is None or row["program_id"] in member.programs


async def open_concerns(
    conn: Connection, member: Member, asked: Filter, page: int = 1
) -> tuple[list[dict[str, Any]], int]:
    """One page of open concerns, what to do next first; and how many there are."""
    rows = await conn.fetch(
        OPEN,
        member.programs,
        asked.program,
        asked.track,
        asked.site,
        asked.level,
        TOLD[member.role] if asked.mine else None,
        PAGE,
        (page - 1) * PAGE,
        member.subject,
    )
    found = await concerns(conn, [row["concern_id"] for row in rows])
    return found, rows[0]["total"] if rows else 0


async def concerns(conn: Connection, ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """These concerns as the page shows them, open or closed, in the order asked."""
    return [dict(row) for row in await conn.fetch(_SHOWN, ids)] if ids else []


async def position(conn: Connection) -> int:
    """The oldest transaction still running: everything before it can be seen."""
    return int(await conn.fetchval(_POSITION))


async def changed_since(conn: Connection, since: int) -> tuple[int, list[dict[str, Any]]]:
    """What changed in transaction `since` or later, and the position to go on from."""
    rows = await conn.fetch(_CHANGED, since, MANY)
    ids = [row["concern_id"] for row in rows if row["concern_id"] is not None]
    position = int(rows[0]["position"])
    if len(rows) >= MANY:
        position = min(position, rows[-1]["changed_in"] + 1)
    return position, await concerns(conn, ids)


async def traces_of(conn: Connection, ids: Sequence[UUID]) -> list[str]:
    """The traceparents of what was raised just now in these concerns."""
    return [row["traceparent"] for row in await conn.fetch(_TRACES, ids)]


async def choices(conn: Connection, member: Member) -> list[dict[str, Any]]:
    """The programmes, tracks and sites that have open concerns, for the filters."""
    return [dict(row) for row in await conn.fetch(_CHOICES, member.programs)]
