"""A topic that ends before a running service's position: it says so, and reads on once it may.

`./handrail drill --scene topic` deletes one.
"""

from tests.integration.kit import TOPIC, Kit, admission, fact
from tests.parts import until


async def test_a_topic_that_goes_back_under_a_running_feed_is_noticed_and_may_come_back(
    kit: Kit,
) -> None:
    async with kit.feeding() as feed:
        await until(lambda: _is(bool(feed.expected)), "it has its partitions")
        await _move_positions(kit, 1000)
        for tp in feed.expected:
            feed.expected[tp] += 1000
        await until(lambda: _is(feed.trouble == "topic_went_back"), "the trouble is told")

        await _move_positions(kit, -1000)
        await kit.relayed(fact(admission(), "a"))
        await kit.has_seen("a")
        await until(lambda: _is(feed.trouble is None), "it is well again")


async def _is(so: bool) -> bool:  # noqa: FBT001  # an answer
    return so


async def _move_positions(kit: Kit, by: int) -> None:
    await kit.pool.execute(
        "update inbox_offsets set next_offset = next_offset + $1 where topic = $2", by, TOPIC
    )
