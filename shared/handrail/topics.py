"""The topics, their owners and how a key finds its partition. Nothing else decides these."""

from functools import lru_cache
from uuid import UUID, uuid5

OWNERS: tuple[str, ...] = ("intake", "attendance", "alerts", "aftercare")

# Fixed for the life of an installation: another count would send an admission's next event
# to another partition and break its order. The same for all topics, so that one admission's
# four streams lie side by side.
PARTITIONS: int = 8

# How many relays may share one service's outbox. A shard owns the partitions p % SHARDS.
SHARDS: int = 2

_SITE_STREAMS = UUID("6f0f7b1e-52a4-4b0c-9c0e-7a3d1f2b9e11")


def topic_of(owner: str) -> str:
    """The topic that only `owner` writes."""
    return f"{owner}.events"


def owner_of(topic: str) -> str:
    """The service that writes `topic`."""
    return topic.removesuffix(".events")


def partition_of(key: UUID) -> int:
    """The partition of an admission: 0 <= p < PARTITIONS, the same in every topic."""
    return key.int % PARTITIONS


def shard_of(partition: int) -> int:
    """The outbox shard whose relay sends this partition."""
    return partition % SHARDS


@lru_cache(maxsize=1024)
def site_stream(site_id: str, partition: int) -> UUID:
    """The key of the `day_closed` events of one site on one partition."""
    return uuid5(_SITE_STREAMS, f"{site_id}/{partition}")
