"""A topic that ends before a running service's position: it says so, and reads on once it may.

`./handrail drill --scene topic` deletes one.
"""

from aiokafka import TopicPartition

from handrail.feed import Feed
from handrail.topics import PARTITIONS
from tests.integration.kit import TOPIC, Kit, admission, fact
from tests.parts import until


async def test_a_topic_that_goes_back_under_a_running_feed_is_noticed_and_may_come_back(
    kit: Kit,
) -> None:
    async with kit.feeding() as feed:
        await kit.relayed(fact(admission(), "first"))
        await kit.has_seen("first")
        await until(lambda: _has_all(feed), "it took everything, and moves no position")
        await _move_positions(kit, 1000)
        for tp in feed.expected:
            feed.expected[tp] += 1000
        await until(lambda: _is(feed.trouble == "topic_went_back"), "the trouble is told")

        await _move_positions(kit, -1000)
        await kit.relayed(fact(admission(), "a"))
        await kit.has_seen("first", "a")
        await until(lambda: _is(feed.trouble is None), "it is well again")


async def test_what_is_anothers_by_now_is_left_to_them(kit: Kit) -> None:
    async with kit.feeding() as feed:
        # A transaction that began before a rebalance and was refused after it puts this back.
        feed.unplaced.add(TopicPartition(TOPIC, PARTITIONS))
        await feed.place()
        assert not feed.unplaced


async def _is(so: bool) -> bool:  # noqa: FBT001  # an answer
    return so


async def _has_all(feed: Feed) -> bool:
    return bool(feed.expected) and not any((await feed.lag()).values())


async def _move_positions(kit: Kit, by: int) -> None:
    await kit.pool.execute(
        "update inbox_offsets set next_offset = next_offset + $1 where topic = $2", by, TOPIC
    )
