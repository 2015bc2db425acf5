"""Records that could not be applied: kept with a reason, in order, until they are redriven."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import msgspec
from aiokafka import ConsumerRecord

from handrail import telemetry
from handrail.envelope import Received, Unreadable, headers_of, read
from handrail.outbox import Connection
from handrail.topics import owner_of, topic_of

BEHIND = "behind_a_parked_event"

_KEEP = """
insert into dead_letters (topic, partition, record_offset, key, sequence, type, reason, record, state)
select t.*, case when t.reason = $9 then 'behind' else 'parked' end
from unnest(
    $1::text[], $2::smallint[], $3::bigint[], $4::uuid[], $5::bigint[], $6::text[], $7::text[],
    $8::bytea[]
) as t (topic, partition, record_offset, key, sequence, type, reason, record)
on conflict (topic, partition, record_offset) do nothing
"""
_PARK = """
insert into parked_keys (key, reason)
select key, reason from unnest($1::uuid[], $2::text[]) as t (key, reason)
on conflict (key) do nothing
"""
_LIST = """
select id, topic, partition, record_offset, key, sequence, type, reason, state, attempts,
    first_seen_at
from dead_letters where state in ('parked', 'behind') order by id limit $1
"""
_COUNTS = """
select count(*) filter (where state = 'parked') as parked,
    count(*) filter (where state = 'behind') as behind,
    (select count(*) from parked_keys) as keys
from dead_letters where state in ('parked', 'behind')
"""
# A batch that keeps a record behind this admission holds the same row: see `inbox.claim`.
_HOLD = "select 1 from parked_keys where key = $1 for update"
_OF_KEY = """
select id, topic, partition, record_offset, reason, record
from dead_letters where key = $1 and state in ('parked', 'behind')
order by case when sequence is null then 0 else 1 end, topic, sequence, id
for update
"""
_SETTLE = """
update dead_letters set state = $2, settled_at = now(), attempts = attempts + 1
where id = any($1::bigint[])
"""
_TRIED = "update dead_letters set attempts = attempts + 1, reason = $2 where id = $1"
_UNPARK = "delete from parked_keys where key = $1"


class _Stored(msgspec.Struct, array_like=True):
    value: bytes | None
    headers: list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Letter:
    """One record that is kept instead of applied. `record` never enters a log."""

    topic: str
    partition: int
    offset: int
    key: UUID | None
    sequence: int | None
    type: str | None
    reason: str
    record: bytes

    @classmethod
    def unreadable(cls, record: "ConsumerRecord[bytes, bytes]", reason: str) -> "Letter":
        """A record that could not be read; its Kafka key names the admission, if it can."""
        stored = msgspec.msgpack.encode(_Stored(record.value, list(record.headers)))
        return cls(
            record.topic,
            record.partition,
            record.offset,
            _key_in(record.key),
            None,
            None,
            reason,
            stored,
        )

    @classmethod
    def of(cls, received: Received, reason: str) -> "Letter":
        """An event that was read but cannot be applied now."""
        event = received.event
        headers = headers_of(
            event_id=UUID(received.event_id),
            type_=event.type,
            time=event.occurred_at.isoformat(),
            sequence=received.sequence,
            incarnation=received.incarnation,
            # Whatever becomes of it is kept.
            trace=telemetry.kept(received.traceparent),
        )
        value = event.__pydantic_serializer__.to_json(event)
        return cls(
            topic_of(received.owner),
            received.partition,
            received.offset,
            received.key,
            received.sequence,
            event.type,
            reason,
            msgspec.msgpack.encode(_Stored(value, headers)),
        )

    def behind(self) -> "Letter":
        """The same record, kept behind one that is parked already."""
        return replace(self, reason=BEHIND)


async def keep(conn: Connection, letters: Sequence[Letter]) -> None:
    """Store `letters` and park their admissions, in the caller's transaction."""
    if not letters:
        return
    columns = zip(
        *(
            (x.topic, x.partition, x.offset, x.key, x.sequence, x.type, x.reason, x.record)
            for x in letters
        ),
        strict=True,
    )
    await conn.execute(_KEEP, *map(list, columns), BEHIND)
    parked = {x.key: x.reason for x in reversed(letters) if x.key is not None}
    await conn.execute(_PARK, list(parked), list(parked.values()))


async def waiting(conn: Connection, limit: int = 200) -> list[dict[str, object]]:
    """What is kept, oldest first, without its content."""
    return [dict(row) for row in await conn.fetch(_LIST, limit)]


async def counts(conn: Connection) -> dict[str, int]:
    """How many letters are parked and behind, and how many admissions are held up."""
    row = await conn.fetchrow(_COUNTS)
    return {name: int(row[name]) for name in ("parked", "behind", "keys")} if row else {}


async def redrive(
    conn: Connection,
    key: UUID,
    replay: Callable[[Received, bool], Awaitable[str | None]],
    *,
    drop_unreadable: bool = False,
) -> dict[str, int]:
    """Play the kept records of one admission back in order and let its later events through.

    `replay(event, after_a_dropped_one)` applies one event and gives None, or the reason it still
    cannot. Stops at the first that still fails and leaves the admission parked. With `drop_unreadable` a record that cannot
    be read is given up for good, which an operator decides and the row records.
    Returns the counts `applied`, `dropped`, `left`.
    """
    applied: list[int] = []
    dropped: list[int] = []
    await conn.execute(_HOLD, key)
    rows = await conn.fetch(_OF_KEY, key)
    for row in rows:
        try:
            received = _reread(row)
        except Unreadable as unreadable:
            if drop_unreadable:
                dropped.append(row["id"])
                continue
            await conn.execute(_TRIED, row["id"], unreadable.reason)
            break
        reason = await replay(received, bool(dropped))
        if reason:
            await conn.execute(_TRIED, row["id"], reason)
            break
        applied.append(row["id"])
    await conn.execute(_SETTLE, applied, "applied")
    await conn.execute(_SETTLE, dropped, "dropped")
    left = len(rows) - len(applied) - len(dropped)
    if not left:
        await conn.execute(_UNPARK, key)
    return {"applied": len(applied), "dropped": len(dropped), "left": left}


def _reread(row: Mapping[str, Any]) -> Received:
    stored = msgspec.msgpack.decode(row["record"], type=_Stored)
    return read(
        owner_of(row["topic"]),
        row["partition"],
        row["record_offset"],
        stored.value,
        stored.headers,
    )


def _key_in(raw: bytes | None) -> UUID | None:
    try:
        return UUID((raw or b"").decode("ascii"))
    except ValueError:
        return None
