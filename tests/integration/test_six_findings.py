"""How this stack fails, found by running it: each finding has a test that it cannot hurt us."""

import asyncio
import json
import logging
from collections.abc import Sequence

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from handrail import failpoints, inbox, outbox
from handrail.envelope import Received
from handrail.inbox import Batch, Superseded
from handrail.outbox import Connection
from handrail.topics import partition_of
from tests.integration.kit import TOPIC, Kit, admission, fact, headers, remember
from tests.parts import until

CANARY = "canary-5550100"


async def test_finding_1_a_record_that_cannot_be_read_is_kept_and_holds_up_nobody_else(
    kit: Kit,
) -> None:
    broken, fine = admission(), admission()
    await kit.send(broken, fact(broken, "a"), [("ce_type", b"\xff\xfe")])
    await kit.send(broken, b"not json", headers(2))
    await kit.relayed(fact(fine, "b"))

    async with kit.feeding():
        await kit.has_seen("b")

    assert await kit.letters() == [("bad_header", "parked"), ("behind_a_parked_event", "behind")]
    assert await kit.parked() == [broken]


async def test_finding_1_nothing_is_taken_for_done_before_it_is_committed(kit: Kit) -> None:
    key, tries = admission(), 0

    async def fails_twice(conn: Connection, events: Sequence[Received]) -> None:
        nonlocal tries
        await remember(conn, events)
        tries += 1
        if tries < 3:
            raise OSError

    await kit.relayed(fact(key, "a"), fact(key, "b"))
    async with kit.feeding(fails_twice):
        await kit.has_seen("a", "b")

    assert tries == 3
    assert await kit.letters() == []


async def test_finding_2_no_content_and_no_key_gets_into_logs_or_spans(
    kit: Kit, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    before = trace._TRACER_PROVIDER
    trace._TRACER_PROVIDER = provider
    key, fine = admission(), admission()
    sampled = ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    caplog.set_level(logging.DEBUG)
    try:
        await kit.send(key, json.dumps({"name": CANARY}).encode(), [*headers(1), sampled])
        await kit.send(key, fact(key, CANARY), [*headers(2, f"x.{CANARY}.v1"), sampled])
        await kit.send(fine, fact(fine, CANARY), [*headers(1), sampled])
        async with kit.feeding(_refuse):
            await kit.has_letters(3)
    finally:
        trace._TRACER_PROVIDER = before

    spans = [span.to_json() for span in kept.get_finished_spans()]
    said = [caplog.text, *capfd.readouterr(), *spans]
    assert "feed.batch_refused" in caplog.text
    assert any("process attendance.events" in span for span in spans)
    assert not any(word in text for text in said for word in (CANARY, str(key), str(fine)))


async def test_finding_3_each_admission_keeps_its_order_and_its_partition(kit: Kit) -> None:
    keys = [admission(partition) for partition in (0, 0, 1, 5)]
    events = [fact(keys[n % 4], f"n{n}") for n in range(200)]

    await kit.relayed(*events)

    records = await kit.records()
    assert len(records) == 200
    for key in keys:
        mine = [r for r in records if r.key == str(key).encode()]
        assert [json.loads(r.value)["positives"] for r in mine] == [
            list(e.positives) for e in events if e.admission_id == key
        ]
        assert {r.partition for r in mine} == {partition_of(key)}
        assert [dict(r.headers)["ce_sequence"] for r in mine] == [b"%d" % n for n in range(1, 51)]


async def test_finding_4_the_relay_goes_on_after_a_record_the_broker_refused(kit: Kit) -> None:
    large, small = admission(), admission()
    long = [f"code-{n}-{'x' * 50}" for n in range(32)]
    await _limit_records(kit, "1000")
    try:
        await kit.stage(fact(large, *long), fact(small, "a"))
        with pytest.raises(KafkaError):
            await kit.relay.turn()
        await kit.relay._stumble(KafkaError(), 0)
        assert await kit.pending() == 2
    finally:
        await _limit_records(kit, "1048588")

    await kit.relayed(fact(large, "b"), fact(small, "c"))
    assert await kit.pending() == 0
    async with kit.feeding():
        await kit.has_seen("a", "c", key=small)
        await kit.has_seen(*long, "b", key=large)


async def test_finding_4_an_event_that_was_sent_but_not_crossed_off_takes_effect_once(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = admission()
    await kit.stage(fact(key, "a"), fact(key, "b"))
    with monkeypatch.context() as broken:
        broken.setattr(failpoints, "hit", _die_after_send)
        with pytest.raises(ConnectionError):
            await kit.relay.turn()
    await kit.relayed(fact(key, "c"))

    assert len(await kit.records()) == 5
    async with kit.feeding():
        await kit.has_seen("a", "b", "c")


async def test_finding_5_an_open_transaction_holds_up_nobody_and_turns_no_order_round(
    kit: Kit,
) -> None:
    slow, other = admission(), admission()
    async with kit.pool.acquire() as conn:
        open_one = conn.transaction()
        await open_one.start()
        await outbox.stage(conn, [fact(slow, "first")])
        later = asyncio.create_task(kit.stage(fact(slow, "second")))
        await kit.relayed(fact(other, "free"))
        assert [json.loads(r.value)["positives"] for r in await kit.records()] == [["free"]]
        assert not later.done()
        await open_one.commit()
    await later
    await kit.relayed()

    async with kit.feeding():
        await kit.has_seen("first", "second", key=slow)


async def test_finding_5_many_writers_to_few_admissions_leave_no_hole_and_no_turn(
    kit: Kit,
) -> None:
    keys = [admission(partition) for partition in range(4)]
    writes = [kit.stage(*(fact(key, f"w{n}") for key in keys[n % 3 :])) for n in range(40)]

    await asyncio.gather(*writes, kit.relay.turn())
    await kit.relayed()

    rows = await kit.pool.fetch("select key, sequence from outbox order by id")
    sent = [r.key.decode() for r in await kit.records()]
    for key in keys:
        sequences = [row["sequence"] for row in rows if row["key"] == key]
        assert sequences == list(range(1, len(sequences) + 1))
        assert sent.count(str(key)) == len(sequences)


async def test_finding_6_of_two_that_hold_the_same_batch_only_one_takes_effect(kit: Kit) -> None:
    key = admission()
    await kit.relayed(fact(key, "a"))
    records = await kit.records()
    batch = Batch(TOPIC, 0, records[0].offset, records)

    async def work() -> str:
        async with kit.pool.acquire() as conn, conn.transaction():
            claimed = await inbox.claim(conn, [batch])
            await remember(conn, claimed.apply)
        return "done"

    outcomes = await asyncio.gather(work(), work(), return_exceptions=True)

    assert sorted(str(type(o).__name__) for o in outcomes) == ["Superseded", "str"]
    assert any(isinstance(o, Superseded) for o in outcomes)
    assert await kit.marks() == ["a"]


async def test_finding_6_two_consumers_of_the_same_partitions_apply_each_event_once(
    kit: Kit,
) -> None:
    keys = [admission(partition) for partition in range(8)]
    async with kit.feeding(group="old-owner") as old, kit.feeding(group="new-owner") as new:
        for n in range(20):
            await kit.relayed(*(fact(key, f"n{n}") for key in keys))
        expected = [f"n{n}" for n in range(20)]
        for key in keys:
            await kit.has_seen(*expected, key=key)

        async def both_at_the_end() -> bool:
            return not sum([*(await old.lag()).values(), *(await new.lag()).values()])

        await until(both_at_the_end, "both consumers at the end")

    assert len(await kit.marks()) == 160
    assert old.applied + new.applied == 160


async def _limit_records(kit: Kit, size: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kit.broker.address)
    await admin.start()
    config = {"max.message.bytes": size, "retention.ms": "-1"}
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, TOPIC, config)])
    await admin.close()


async def _refuse(_conn: Connection, _events: Sequence[Received]) -> None:
    raise ValueError(CANARY)


def _die_after_send(name: str) -> None:
    if name == "relay.after_send":
        raise ConnectionError
