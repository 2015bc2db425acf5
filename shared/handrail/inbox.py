"""What a service hears: a batch is claimed once, in order, in the transaction of its effects."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from aiokafka import ConsumerRecord, TopicPartition

from handrail import dead_letters
from handrail.dead_letters import Letter
from handrail.envelope import Received, Unreadable, read
from handrail.outbox import Connection
from handrail.topics import owner_of

# Until this batch is committed nobody plays back what it may keep behind a parked event: a redrive
# that did not see the new letter would let the admission go and leave the letter lying.
_MOVE_AND_HOLD = """
with held as (
    select 1 from parked_keys where key = any($5::uuid[]) order by key for share
), moved as (
    insert into inbox_offsets as o (topic, partition, next_offset)
    select $1, partition, next_offset
    from unnest($2::smallint[], $4::bigint[]) as t (partition, next_offset) order by partition
    on conflict (topic, partition) do update
    set next_offset = excluded.next_offset, moved_at = now()
    where o.next_offset = ($3::bigint[])[array_position($2::smallint[], o.partition)]
    returning 1
)
select (select count(*) from moved), (select count(*) from held)
"""
# Key by key (`offset 0`): where the server has not counted the table yet, it would read all streams
# of the owner for a few keys.
_STANDING = """
select k.key, s.sequence, s.incarnation, p.reason
from unnest($2::uuid[]) as k (key)
left join lateral (
    select sequence, incarnation from inbox_streams s where s.owner = $1 and s.key = k.key offset 0
) s on true
left join parked_keys p on p.key = k.key
"""
_ADVANCE = """
insert into inbox_streams as s (owner, key, sequence, incarnation)
select $1, key, sequence, incarnation
from unnest($2::uuid[], $3::bigint[], $4::int[]) as t (key, sequence, incarnation)
on conflict (owner, key) do update
set sequence = excluded.sequence, incarnation = excluded.incarnation
"""
_STAND_BEFORE = "update inbox_streams set sequence = $3 where owner = $1 and key = $2"

GAP = "sequence_gap"
FORK = "source_restored"


class Superseded(Exception):
    """Another consumer has moved a partition's offset: everything here rolls back."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one partition of one topic, as read from `expected` on."""

    topic: str
    partition: int
    expected: int
    records: Sequence["ConsumerRecord[bytes, bytes]"]

    @property
    def place(self) -> TopicPartition:
        """The partition of the topic."""
        return TopicPartition(self.topic, self.partition)

    @property
    def next_offset(self) -> int:
        """Where the next batch begins."""
        return int(self.records[-1].offset) + 1


@dataclass(slots=True)
class Standing:
    """Where a stream stands with this service."""

    sequence: int = 0
    incarnation: int = 1
    parked: str | None = None


@dataclass(slots=True)
class Claimed:
    """A batch sorted into what to apply now, what is kept, and whose gap may be closed now."""

    apply: list[Received] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    mended: set[UUID] = field(default_factory=set)


async def claim(conn: Connection, batches: Sequence[Batch]) -> Claimed:
    """The events to apply now, each partition's in order: no repeats, no parked admissions.

    The batches are of one topic and of a partition each. Moves their stored offsets by
    compare-and-set first. Records that cannot be applied are kept as dead letters in this
    transaction. Raises Superseded when one of the offsets is not what its batch expects.
    """
    topic = batches[0].topic
    owner = owner_of(topic)
    read_records = [_try_to_read(owner, record) for batch in batches for record in batch.records]
    keys = {r.key for r in read_records if r.key is not None}
    moved = await conn.fetchval(
        _MOVE_AND_HOLD,
        topic,
        [batch.partition for batch in batches],
        [batch.expected for batch in batches],
        [batch.next_offset for batch in batches],
        list(keys),
    )
    if moved != len(batches):
        raise Superseded
    standings = await standings_of(conn, owner, keys)
    claimed = sort(read_records, standings)
    await dead_letters.keep(conn, claimed.letters)
    await advance(conn, owner, claimed.apply)
    return claimed


async def standings_of(conn: Connection, owner: str, keys: Iterable[UUID]) -> dict[UUID, Standing]:
    """The last sequence applied and the parking of each key."""
    rows = await conn.fetch(_STANDING, owner, list(keys))
    return {
        r["key"]: Standing(r["sequence"] or 0, r["incarnation"] or 1, r["reason"]) for r in rows
    }


async def advance(conn: Connection, owner: str, applied: Sequence[Received]) -> None:
    """Remember the last sequence of each stream in `applied`."""
    last = {r.key: r for r in applied}
    if last:
        await conn.execute(
            _ADVANCE,
            owner,
            list(last),
            [r.sequence for r in last.values()],
            [r.incarnation for r in last.values()],
        )


async def stand_before(conn: Connection, event: Received) -> None:
    """`event` was claimed but could not be applied: its stream stands just before it."""
    await conn.execute(_STAND_BEFORE, event.owner, event.key, event.sequence - 1)


def sort(records: Sequence["Received | Letter"], standings: dict[UUID, Standing]) -> Claimed:
    """Decide for each record in turn: apply, drop as a repeat, or keep as a dead letter.

    A record whose sequence leaves a gap parks its admission; so does one that cannot be read.
    """
    out = Claimed()
    for record in records:
        if isinstance(record, Letter):
            _park(out, standings, record)
            continue
        standing = standings.setdefault(record.key, Standing())
        reason = verdict(record, standing)
        if reason is None:
            standing.sequence, standing.incarnation = record.sequence, record.incarnation
            out.apply.append(record)
        elif reason:
            if standing.parked == GAP and record.sequence == standing.sequence + 1:
                out.mended.add(record.key)
            _park(out, standings, Letter.of(record, reason))
    return out


def verdict(record: Received, standing: Standing) -> str | None:
    """None: apply. Empty: a repeat. Else the reason it is kept."""
    if record.incarnation > standing.incarnation and record.sequence <= standing.sequence:
        return FORK
    if record.sequence <= standing.sequence:
        return ""
    if standing.parked:
        return dead_letters.BEHIND
    if record.sequence > standing.sequence + 1:
        return GAP
    return None


def _park(out: Claimed, standings: dict[UUID, Standing], letter: Letter) -> None:
    if letter.key is not None:
        standing = standings.setdefault(letter.key, Standing())
        if standing.parked:
            letter = letter.behind()
        standing.parked = standing.parked or letter.reason
    out.letters.append(letter)


def _try_to_read(owner: str, record: "ConsumerRecord[bytes, bytes]") -> "Received | Letter":
    try:
        return read(owner, record.partition, record.offset, record.value, list(record.headers))
    except Unreadable as unreadable:
        return Letter.unreadable(record, unreadable.reason)
