"""What a service hears takes effect once and in order, and a bad record holds up only its own."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from handrail import inbox
from handrail.envelope import Received
from handrail.events.attendance import ScreenResulted
from handrail.outbox import Connection
from tests.integration.kit import TOPIC, WAITS, Kit, admission, fact, headers, remember
from tests.parts import until


async def send_numbered(kit: Kit, key: UUID, *sequences: int, incarnation: int = 1) -> None:
    for n in sequences:
        await kit.send(key, fact(key, f"n{n}"), headers(n, incarnation=incarnation))


async def test_a_repeat_from_the_sender_is_dropped_by_its_sequence(kit: Kit) -> None:
    key = admission()
    await send_numbered(kit, key, 1, 2, 1, 2, 2, 3)

    async with kit.feeding():
        await kit.has_seen("n1", "n2", "n3")

    assert await kit.letters() == []


async def test_a_gap_holds_up_its_admission_and_heals_by_itself(kit: Kit) -> None:
    key, other = admission(), admission()
    async with kit.feeding():
        await send_numbered(kit, key, 1, 3, 4)
        await send_numbered(kit, other, 1)
        assert await kit.has_letters(2) == [
            (inbox.GAP, "parked"),
            ("behind_a_parked_event", "behind"),
        ]
        await kit.has_seen("n1", key=other)
        assert await kit.marks(key) == ["n1"]

        await send_numbered(kit, key, 2)

        await kit.has_seen("n1", "n2", "n3", "n4", key=key)
    assert {state for _, state in await kit.letters()} == {"applied"}
    assert await kit.parked() == []


async def test_an_unknown_type_parks_its_admission_until_an_operator_gives_it_up(kit: Kit) -> None:
    key = admission()
    async with kit.feeding() as feed:
        await send_numbered(kit, key, 1)
        await kit.send(key, fact(key, "new"), headers(2, "attendance.session_moved.v7"))
        await send_numbered(kit, key, 3, 4)
        await kit.has_letters(3)

        still = await feed.applier.redrive(key)
        assert still == {"applied": 0, "dropped": 0, "left": 3}
        assert await kit.parked() == [key]

        given_up = await feed.applier.redrive(key, drop_unreadable=True)
        assert given_up == {"applied": 2, "dropped": 1, "left": 0}
        await kit.has_seen("n1", "n3", "n4", key=key)

        await send_numbered(kit, key, 5)
        await kit.has_seen("n1", "n3", "n4", "n5", key=key)
    assert await kit.parked() == []


async def test_a_record_of_a_newer_release_is_played_back_once_it_is_known(kit: Kit) -> None:
    key, known = admission(), False

    async def learns(conn: Connection, events: Sequence[Received]) -> None:
        for event in events:
            if not known and marks_of(event) == ("n2",):
                raise NotImplementedError
        await remember(conn, events)

    async with kit.feeding(learns) as feed:
        await send_numbered(kit, key, 1, 2, 3)
        assert await kit.has_letters(2) == [
            ("handler_failed_NotImplementedError", "parked"),
            ("behind_a_parked_event", "behind"),
        ]
        known = True

        assert await feed.applier.redrive(key) == {"applied": 2, "dropped": 0, "left": 0}
        assert await feed.applier.redrive(key) == {"applied": 0, "dropped": 0, "left": 0}
        await send_numbered(kit, key, 4)
        await kit.has_seen("n1", "n2", "n3", "n4")


async def test_a_mistake_in_a_handler_parks_one_admission_of_a_batch(kit: Kit) -> None:
    bad, *good = (admission() for _ in range(6))

    async def trips(conn: Connection, events: Sequence[Received]) -> None:
        await remember(conn, events)
        if any(event.key == bad for event in events):
            raise ZeroDivisionError

    await kit.relayed(*(fact(key, f"n{n}") for n in range(5) for key in (bad, *good)))
    async with kit.feeding(trips):
        for key in good:
            await kit.has_seen("n0", "n1", "n2", "n3", "n4", key=key)

    assert await kit.marks(bad) == []
    assert await kit.parked() == [bad]
    assert [state for _, state in await kit.letters()] == ["parked"] + ["behind"] * 4


async def test_a_redrive_waits_for_a_batch_that_keeps_a_record_behind(kit: Kit) -> None:
    key = admission()
    async with kit.feeding() as feed:
        await kit.send(key, b"not json", headers(1))
        await kit.has_letters(1)
    await send_numbered(kit, key, 1)
    batch = inbox.Batch(TOPIC, 0, *await behind(kit))

    async with kit.pool.acquire() as conn, conn.transaction():
        await inbox.claim(conn, [batch])
        redriven = asyncio.create_task(feed.applier.redrive(key, drop_unreadable=True))

        async def waits() -> bool:
            return bool(await kit.pool.fetchval(WAITS))

        await until(waits, "the redrive waits")

    assert await redriven == {"applied": 1, "dropped": 1, "left": 0}
    assert await kit.marks(key) == ["n1"]
    assert await kit.parked() == []


async def behind(kit: Kit) -> tuple[int, list["ConsumerRecord[bytes, bytes]"]]:
    """The position of partition 0, and the records from there on."""
    expected = await kit.pool.fetchval(
        "select next_offset from inbox_offsets where topic = $1 and partition = 0", TOPIC
    )
    found = [r for r in await kit.records() if r.partition == 0 and r.offset >= expected]
    return expected, found


async def test_a_source_restored_to_an_earlier_point_is_noticed(kit: Kit) -> None:
    key = admission()
    async with kit.feeding():
        await send_numbered(kit, key, 1, 2)
        await kit.has_seen("n1", "n2")
        await send_numbered(kit, key, 2, incarnation=2)

        assert await kit.has_letters(1) == [(inbox.FORK, "parked")]
    assert await kit.marks() == ["n1", "n2"]


async def test_the_position_comes_from_the_database_whatever_kafka_remembers(kit: Kit) -> None:
    keys = [admission(partition) for partition in range(8)]
    await kit.relayed(*(fact(key, "a") for key in keys))
    kafka = AIOKafkaConsumer(
        bootstrap_servers=kit.broker.address,
        group_id="handrail-forgetful",
        enable_auto_commit=False,
    )
    await kafka.start()
    places = [TopicPartition(TOPIC, partition) for partition in range(8)]
    kafka.assign(places)
    await kafka.commit(await kafka.end_offsets(places))
    await kafka.stop()

    async with kit.feeding(group="forgetful"):
        for key in keys:
            await kit.has_seen("a", key=key)


async def test_a_consumer_goes_on_where_its_database_was_restored_to(kit: Kit) -> None:
    key = admission()
    await kit.relayed(fact(key, "a"), fact(key, "b"))
    async with kit.feeding(group="same"):
        await kit.has_seen("a", "b")
    await kit.pool.execute("truncate seen, inbox_streams")
    for tp, offset in kit.began.items():
        await kit.pool.execute(
            "update inbox_offsets set next_offset = $3 where topic = $1 and partition = $2",
            tp.topic,
            tp.partition,
            offset,
        )

    async with kit.feeding(group="same"):
        await kit.has_seen("a", "b")


async def test_a_topic_that_went_back_stops_the_feed_and_touches_nothing(kit: Kit) -> None:
    key = admission()
    await kit.pool.execute(
        "update inbox_offsets set next_offset = next_offset + 1000 where topic = $1", TOPIC
    )
    await kit.relayed(fact(key, "a"))

    async with kit.feeding() as feed:

        async def is_told() -> bool:
            return feed.trouble == "topic_went_back"

        await until(is_told, "the trouble is told")
    assert await kit.marks() == []


async def test_a_partition_is_applied_by_a_handful_of_statements(kit: Kit) -> None:
    """A batch of 500 events costs no more statements of the kit than one of 5."""
    keys = [admission() for _ in range(500)]
    await kit.relayed(*(fact(key, "a") for key in keys[:5]))
    few = await statements_for(kit)
    await kit.relayed(*(fact(key, "b") for key in keys))
    many = await statements_for(kit)

    assert many <= few <= 8


async def statements_for(kit: Kit) -> int:
    """How many statements it takes to claim what waits on partition 0."""
    expected, records = await behind(kit)
    said: list[object] = []
    async with kit.pool.acquire() as conn, conn.transaction():
        conn.add_query_logger(said.append)
        claimed = await inbox.claim(conn, [inbox.Batch(TOPIC, 0, expected, records)])
        conn.remove_query_logger(said.append)
    assert len(claimed.apply) == len(records) > 0
    return len(said)


def marks_of(event: Received) -> tuple[str, ...]:
    assert isinstance(event.event, ScreenResulted)
    return event.event.positives
