"""A small fetch is one transaction for all its partitions, unless one of them stands in the way."""

from collections.abc import Sequence
from uuid import UUID

from aiokafka import TopicPartition

from handrail.applying import Applier, Apply
from handrail.envelope import Received
from handrail.feed import SMALL, Feed
from handrail.outbox import Connection
from handrail.topics import PARTITIONS
from tests.integration.kit import TOPIC, Kit, admission, fact, remember

_TRANSACTIONS = "select count(distinct xmin::text) from seen"
_ANOTHER_MOVED_ON = """
update inbox_offsets set next_offset = next_offset + 1 where topic = $1 and partition = $2
"""


async def told_to_each(kit: Kit, *marks: str) -> list[UUID]:
    """These marks, told of an admission on each partition."""
    keys = [admission(partition) for partition in range(PARTITIONS)]
    await kit.relayed(*(fact(key, mark) for mark in marks for key in keys))
    return keys


async def take(kit: Kit, apply: Apply = remember) -> Feed:
    """A feed that has taken all of this test's records, once."""
    feed = Feed("several", (TOPIC,), Applier(kit.pool, apply))
    feed.expected = {tp: at for tp, at in kit.began.items() if tp.topic == TOPIC}
    await feed.take(await kit.records())
    return feed


async def test_a_small_fetch_is_one_transaction_and_a_large_one_is_four(kit: Kit) -> None:
    keys = await told_to_each(kit, "a", "b")
    feed = await take(kit)

    assert await kit.pool.fetchval(_TRANSACTIONS) == 1
    assert [await kit.marks(key) for key in keys] == [["a", "b"]] * PARTITIONS
    assert feed.applied == 2 * PARTITIONS

    await kit.pool.execute("truncate seen")
    kit.began = kit.began | feed.expected
    many = [f"n{n}" for n in range(SMALL // PARTITIONS + 1)]
    keys = await told_to_each(kit, *many)
    await take(kit)

    assert await kit.pool.fetchval(_TRANSACTIONS) == 4
    assert [await kit.marks(key) for key in keys] == [many] * PARTITIONS


async def test_a_partition_that_another_has_moved_holds_up_no_other(kit: Kit) -> None:
    keys = await told_to_each(kit, "a")
    await kit.pool.execute(_ANOTHER_MOVED_ON, TOPIC, 3)
    feed = await take(kit)

    seen = [await kit.marks(key) for key in keys]
    assert seen == [[] if partition == 3 else ["a"] for partition in range(PARTITIONS)]
    places = [TopicPartition(TOPIC, partition) for partition in range(PARTITIONS)]
    moved = [feed.expected[place] - kit.began[place] for place in places]
    assert moved == [0 if partition == 3 else 1 for partition in range(PARTITIONS)]


async def test_an_event_that_cannot_be_applied_holds_up_its_admission_alone(kit: Kit) -> None:
    keys = await told_to_each(kit, "a")
    bad = keys[5]

    async def trips(conn: Connection, events: Sequence[Received]) -> None:
        await remember(conn, events)
        if any(event.key == bad for event in events):
            raise ZeroDivisionError

    await take(kit, trips)

    assert [await kit.marks(key) for key in keys] == [[] if key == bad else ["a"] for key in keys]
    assert await kit.letters() == [("handler_failed_ZeroDivisionError", "parked")]
    assert await kit.parked() == [bad]
