"""Statements about what was known then, and about a week's visits."""

from collections.abc import Sequence
from datetime import date, datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from attendance.dose import Visit
from attendance.facts import Seat
from handrail.outbox import Connection
from handrail.writes import Write, of_rows

_KEEP = """
insert into seat_history (
    session_id, admission_id, version, status, minutes, minutes_late, left_early, mode, reason,
    attended_on, guests, joined_at, left_at, recorded_at, replaced_at
)
select * from unnest(
    $1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::int[], $6::int[], $7::boolean[],
    $8::text[], $9::text[], $10::date[], $11::int[], $12::timestamptz[], $13::timestamptz[],
    $14::timestamptz[], $15::timestamptz[]
)
"""
_AS_OF = """
select s.session_id, s.session_type, s.modality, s.topic, s.held_on, s.planned_on, s.planned_minutes,
    k.status, k.minutes, k.minutes_late, k.left_early, k.mode, k.reason, k.attended_on, k.guests,
    k.joined_at, k.left_at, k.recorded_at, k.version
from (
    select session_id, status, minutes, minutes_late, left_early, mode, reason, attended_on,
        guests, joined_at, left_at, recorded_at, version
    from seats where admission_id = $1 and recorded_at <= $2
    union all
    select session_id, status, minutes, minutes_late, left_early, mode, reason, attended_on,
        guests, joined_at, left_at, recorded_at, version
    from seat_history where admission_id = $1 and recorded_at <= $2 and replaced_at > $2
) as k
join sessions s using (session_id)
order by s.held_on, s.session_id
"""
_VISITS = """
select c.attended_on, s.session_type, c.minutes
from seats c join sessions s using (session_id)
where c.admission_id = $1 and c.status = 'attended' and c.attended_on between $2 and $3
"""
_of_seat = attrgetter(
    *("session_id", "admission_id", "version", "status", "minutes", "minutes_late", "left_early"),
    *("mode", "reason", "attended_on", "guests", "joined_at", "left_at", "recorded_at"),
)


def kept(replaced: Sequence[tuple[Seat, datetime]]) -> Write | None:
    """What was recorded of these seats until another record replaced it then."""
    return of_rows(_KEEP, [(*_of_seat(seat), at) for seat, at in replaced])


async def as_of(conn: Connection, admission_id: UUID, at: datetime) -> list[dict[str, Any]]:
    """The recorded seats of an admission as they were known at a moment."""
    return [dict(row) for row in await conn.fetch(_AS_OF, admission_id, at)]


async def visits(conn: Connection, admission_id: UUID, first: date, last: date) -> list[Visit]:
    """What was attended in these days, as it is known now."""
    return [tuple(row) for row in await conn.fetch(_VISITS, admission_id, first, last)]
