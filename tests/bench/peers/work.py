"""What every peer does with a batch, with the same durability: three statements and a commit.

Move the offset, keep the events once, count per admission. A peer ends when it has taken as many
events as it was told.
"""

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
from contract import tell

TABLES = """
drop table if exists peer_offsets, peer_events, peer_counts;
create table peer_offsets (partition int primary key, next_offset bigint not null);
create table peer_events (
    key uuid, sequence bigint, type text not null, body bytea not null,
    primary key (key, sequence)
);
create table peer_counts (key uuid primary key, events bigint not null);
"""
_MOVE = """
insert into peer_offsets (partition, next_offset) values ($1, $2)
on conflict (partition) do update set next_offset = excluded.next_offset
"""
_KEEP = """
insert into peer_events (key, sequence, type, body)
select * from unnest($1::uuid[], $2::bigint[], $3::text[], $4::bytea[])
on conflict do nothing
"""
_COUNT = """
insert into peer_counts as c (key, events) select * from unnest($1::uuid[], $2::bigint[])
on conflict (key) do update set events = c.events + excluded.events
"""


@dataclass
class Peer:
    """Counts what is taken, and the time from the first event on."""

    wanted: int
    taken: int = 0
    began: float = field(default=0.0)

    async def apply(self, conn: Any, partition: int, records: list[Any]) -> bool:
        """Apply the records of one partition in one transaction; True when all are taken."""
        self.began = self.began or time.perf_counter()
        bodies = [json.loads(record.value) for record in records]
        headers = [dict(record.headers) for record in records]
        keys = [
            UUID(body.get("admission_id") or record.key.decode())
            for body, record in zip(bodies, records, strict=True)
        ]
        async with conn.transaction():
            await conn.execute(_MOVE, partition, records[-1].offset + 1)
            await conn.execute(
                _KEEP,
                keys,
                [int(h["ce_sequence"]) for h in headers],
                [h["ce_type"].decode() for h in headers],
                [record.value for record in records],
            )
            counts = Counter(keys)
            ordered = sorted(counts)
            await conn.execute(_COUNT, ordered, [counts[key] for key in ordered])
        self.taken += len(records)
        return self.taken >= self.wanted

    def tell(self) -> None:
        """Print the result for the bench."""
        tell(self.taken, time.perf_counter() - self.began)


async def pool_for(url: str) -> asyncpg.Pool:
    """A pool on a database with empty tables."""
    pool = await asyncpg.create_pool(url, min_size=1, max_size=4)
    await pool.execute(TABLES)
    return pool
