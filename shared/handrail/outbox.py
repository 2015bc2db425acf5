"""What a service says: events staged in the transaction that makes them true."""

from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias
from uuid import UUID, uuid4

import asyncpg

from handrail.events import AdmissionEvent, Event, SiteEvent
from handrail.telemetry import current_traceparent
from handrail.topics import partition_of, shard_of, site_stream
from handrail.writes import Write, write

Connection: TypeAlias = (
    "asyncpg.pool.PoolConnectionProxy[asyncpg.Record] | asyncpg.Connection[asyncpg.Record]"
)

# The rows of `streams` are locked in key order before any id is drawn, so that two transactions
# cannot deadlock and so that within one stream id order is commit order.
_STAGE = """
with streams as (
    insert into outbox_streams as s (key, sequence)
    select key, n from unnest($1::uuid[], $2::bigint[]) as t (key, n)
    order by key
    on conflict (key) do update set sequence = s.sequence + excluded.sequence
    returning s.key, s.sequence
), staged as (
    insert into outbox
        (shard, partition, key, sequence, event_id, type, occurred_at, data, traceparent)
    select t.shard, t.partition, t.key, s.sequence - t.back, t.event_id, t.type, t.occurred_at,
        t.data, t.traceparent
    from unnest(
        $3::smallint[], $4::smallint[], $5::uuid[], $6::bigint[], $7::uuid[], $8::text[],
        $9::timestamptz[], $10::bytea[], $11::text[]
    ) with ordinality
        as t (shard, partition, key, back, event_id, type, occurred_at, data, traceparent, place)
    join streams s using (key)
    order by t.place
    returning id, shard, partition
)
insert into outbox_pending (id, shard, partition) select id, shard, partition from staged
"""


async def stage(
    conn: Connection, events: Sequence[Event], causes: Sequence[str | None] | None = None
) -> None:
    """Stage `events` in this order, in the caller's transaction, with one statement.

    `causes` are the traceparents of what led to each event; the current span where left out.
    Raises asyncpg.CheckViolationError for an event of more than 256 KiB.
    """
    await write(conn, staged(events, causes))


def staged(events: Sequence[Event], causes: Sequence[str | None] | None = None) -> Write | None:
    """The same as a write that goes last among others."""
    if not events:
        return None
    keys = [_key_of(event) for event in events]
    back = Counter(keys)
    counts = dict(back)
    behind = []
    for key in keys:
        back[key] -= 1
        behind.append(back[key])
    partitions = [
        event.partition if isinstance(event, SiteEvent) else partition_of(key)
        for event, key in zip(events, keys, strict=True)
    ]
    if causes is None:
        causes = [current_traceparent()] * len(events)
    arguments = (
        list(counts),
        list(counts.values()),
        [shard_of(partition) for partition in partitions],
        partitions,
        keys,
        behind,
        [uuid4() for _ in events],
        [event.type for event in events],
        [event.occurred_at for event in events],
        [event.__pydantic_serializer__.to_json(event) for event in events],
        list(causes),
    )
    return Write(_STAGE, arguments)


def _key_of(event: Event) -> UUID:
    if isinstance(event, AdmissionEvent):
        return event.admission_id
    if isinstance(event, SiteEvent):
        return site_stream(event.site_id, event.partition)
    raise TypeError(f"{event.type} belongs to no stream")
