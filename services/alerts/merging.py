"""A person recorded twice: the open safety flag stands under the admission that is kept.

The two admissions are heard on two partitions, so neither batch can say what becomes of the other.
A turn of the escalation's loop looks at both together: until it has, the concern stays where it was.
"""

from dataclasses import dataclass
from uuid import UUID

from alerts import concern, desk, record, store
from alerts.facts import Fact, micros
from alerts.rules import Ladder
from alerts.story import Story
from handrail.events.alerts import ConcernMoved
from handrail.outbox import Connection

OWNER = "alerts"
AT_ONCE = 20

_TO_GIVE_BACK = """
select duplicate_id, survivor_id from merges where flag_moved and not in_force
order by duplicate_id limit $1
"""
# Recorded history has nobody who moves anything: there the concern stays where it is.
_TO_MOVE = """
select m.duplicate_id, m.survivor_id
from merges m
join concerns c on c.admission_id = m.duplicate_id
join admissions k on k.admission_id = m.survivor_id
join sites here on here.site_id = c.site_id
join sites there on there.site_id = k.site_id
where m.in_force and c.closed_at is null and c.level = 0
    and here.clock = 'wall' and there.clock = 'wall'
order by m.duplicate_id limit $1
"""
_FROM_THERE = "select survivor_id from merges where duplicate_id = $1 and in_force and flag_moved"
_BOTH = """
select admission_id from admissions where admission_id = any($1::uuid[])
order by admission_id for update skip locked
"""
_OPEN = "select concern_id, level from concerns where admission_id = $1 and closed_at is null"
_MOVED = "update merges set flag_moved = true where duplicate_id = $1 and survivor_id = $2"
_BACK = "update merges set flag_moved = false where duplicate_id = $1 and survivor_id = $2"
_GOES_ON = """
insert into moved_concerns (concern_id, goes_on_as)
select $1, concern_id from concerns where admission_id = $2 and closed_at is null
on conflict (concern_id) do update set goes_on_as = excluded.goes_on_as
"""
_SAME_DUTY = """
update concerns k set next_step = d.next_step, due_at = d.due_at, escalate_at = d.escalate_at,
    acknowledged_at = d.acknowledged_at, escalations = d.escalations,
    assigned_role = d.assigned_role, assigned_to = d.assigned_to
from concerns d where d.concern_id = $1 and k.admission_id = $2 and k.closed_at is null
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two admissions of one person."""

    duplicate_id: UUID
    survivor_id: UUID


@dataclass(frozen=True, slots=True)
class Told:
    """What one of the two is told of the flag, and the concern that goes on elsewhere."""

    what: str
    concern_id: UUID | None
    pair: Pair


async def sweep(conn: Connection, ladder: Ladder) -> int:
    """Give back the flags of who were two after all, then move those of who is one. How many."""
    back = await _pairs(conn, _TO_GIVE_BACK)
    given = [await _give_back(conn, pair, ladder) for pair in back]
    there = await _pairs(conn, _TO_MOVE)
    moved = [await _move(conn, pair, ladder) for pair in there]
    return sum(given) + sum(moved)


async def _pairs(conn: Connection, question: str) -> list[Pair]:
    return [Pair(*row) for row in await conn.fetch(question, AT_ONCE)]


async def _are_held(conn: Connection, pair: Pair) -> bool:
    """Both rows are held; False while a batch has one of them, or one is not known here yet."""
    ids = [pair.duplicate_id, pair.survivor_id]
    return len(await conn.fetch(_BOTH, ids)) == len(ids)


async def _move(conn: Connection, pair: Pair, ladder: Ladder) -> bool:
    """Close the duplicate's concern and open the survivor's, with the same work to do."""
    if not await _are_held(conn, pair):
        return False
    left = await conn.fetchrow(_OPEN, pair.duplicate_id)
    if left is None or left["level"] > 0:
        return False
    before = await conn.fetchrow(_OPEN, pair.survivor_id)
    await _tell(conn, pair.duplicate_id, Told("flag_moved", left["concern_id"], pair), ladder)
    await _tell(conn, pair.survivor_id, Told("flag_taken", None, pair), ladder)
    await conn.execute(_GOES_ON, left["concern_id"], pair.survivor_id)
    if before is None or before["level"] > 0:
        await conn.execute(_SAME_DUTY, left["concern_id"], pair.survivor_id)
    await conn.execute(_MOVED, pair.duplicate_id, pair.survivor_id)
    return True


async def _give_back(conn: Connection, pair: Pair, ladder: Ladder) -> bool:
    """The flag is the duplicate's again, with work that begins anew; the survivor keeps its own."""
    if not await _are_held(conn, pair):
        return False
    await _tell(conn, pair.duplicate_id, Told("flag_back", None, pair), ladder)
    survivor = await _tell(conn, pair.survivor_id, Told("flag_left", None, pair), ladder)
    await conn.execute(_BACK, pair.duplicate_id, pair.survivor_id)
    if survivor.flag_moved and not survivor.has_flag():
        # The survivor had been merged as well, and handed on what it no longer has.
        for row in await conn.fetch(_FROM_THERE, pair.survivor_id):
            await _give_back(conn, Pair(pair.survivor_id, row["survivor_id"]), ladder)
    return True


async def _tell(conn: Connection, admission_id: UUID, told: Told, ladder: Ladder) -> Story:
    """Put it into the admission's story, after all that it knows; gives the story with it told."""
    row = (await store.load(conn, [admission_id]))[admission_id]
    site, at = await desk.site_of(conn, row.site_id), await store.now(conn)
    waiting = row.record.waiting
    day = max([site.recorded_day(at).toordinal(), *(fact.recorded for fact in waiting)])
    fact = Fact(
        day,
        max([micros(at), *(fact.occurred + 1 for fact in waiting)]),
        OWNER,
        await desk.next_sequence(conn, admission_id, OWNER),
        told.what,
        day,
        (told.pair.duplicate_id.hex,),
    )
    row.heard_at = at
    events = []
    if told.concern_id is not None:
        moved = {"concern_id": told.concern_id, "to_admission_id": told.pair.survivor_id}
        when = {"occurred_at": at, "recorded_at": at, "recorded_day": site.recorded_day(at)}
        about = {"site_id": row.site_id, "admission_id": admission_id}
        events.append(ConcernMoved.model_validate(about | when | moved))
    await concern.apply_own(conn, row, fact, events, ladder)
    return record.present(row.record, ladder)
