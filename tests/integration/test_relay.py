"""Of two relays only one sends; what one leaves behind the next one finishes."""

import time
from uuid import UUID

import asyncpg
import pytest

from handrail import outbox, relay
from handrail.relay import BATCH, LeaseLost, Relay
from tests.integration.kit import Kit, admission, fact
from tests.parts import until


async def test_only_the_holder_of_the_lease_sends(kit: Kit) -> None:
    other = Relay("attendance", kit.pool, kit.broker.address)
    key = admission()
    await kit.relay.turn()
    await kit.stage(fact(key, "a"))

    assert await other.turn() == 0
    assert await kit.relay.turn() == 1
    await other.close()


async def test_a_relay_that_was_frozen_past_its_lease_crosses_nothing_off(kit: Kit) -> None:
    key, other = admission(), Relay("attendance", kit.pool, kit.broker.address)
    await kit.relay.turn()
    await kit.stage(fact(key, "a"))
    await kit.pool.execute("update relay_leases set expires_at = now() - interval '1 s'")
    await other._hold_leases()
    assert other.epochs

    sent_in_vain = await kit.relay.turn()

    assert sent_in_vain == 1
    assert await kit.pending() == 1
    assert await other.turn() == 1
    assert await kit.pending() == 0
    await other.close()
    async with kit.feeding():
        await kit.has_seen("a")


async def test_a_lease_from_a_clock_that_went_back_is_not_waited_for(kit: Kit) -> None:
    """The database's clock was two hours ahead; whoever took the lease then is gone."""
    await kit.stage(fact(admission(), "a"))
    gone = Relay("attendance", kit.pool, kit.broker.address)
    assert await gone.turn() == 1
    await kit.stage(fact(admission(), "b"))
    await kit.pool.execute("update relay_leases set expires_at = expires_at + interval '2 h'")

    assert await kit.relay.turn() == 1
    assert await kit.pool.fetchval("select bool_and(epoch > 1) from relay_leases")
    await gone.close()


SWEPT = "select vacuum_count from pg_stat_user_tables where relname = 'outbox_pending'"
PENDING = """
select p.id, p.shard, o.partition, o.key, o.sequence, o.event_id, o.type, o.occurred_at, o.data,
    o.traceparent, o.staged_at
from outbox_pending p join outbox o using (id)
"""


async def test_a_relay_that_finds_its_lease_taken_does_not_send(kit: Kit) -> None:
    await kit.relay.turn()
    await kit.stage(fact(admission(), "a"))
    rows = await kit.pool.fetch(PENDING)
    kit.relay._renewed = time.monotonic() - 60
    await kit.pool.execute("update relay_leases set holder = gen_random_uuid(), epoch = epoch + 1")

    with pytest.raises(LeaseLost):
        await kit.relay._send(await kit.relay._ready_producer(), rows)

    assert await kit.records() == []


async def test_a_relay_renews_its_lease_on_the_way_through_a_slow_batch(kit: Kit) -> None:
    await kit.relay.turn()
    await kit.stage(fact(admission(), "a"))
    rows = await kit.pool.fetch(PENDING)
    kit.relay._renewed = time.monotonic() - 60
    await kit.pool.execute("update relay_leases set expires_at = now() - interval '1 s'")

    await kit.relay._send(await kit.relay._ready_producer(), rows)

    assert len(await kit.records()) == 1
    assert await kit.pool.fetchval("select bool_and(expires_at > now()) from relay_leases")


async def test_what_was_staged_before_a_restart_is_sent_after_it(kit: Kit) -> None:
    key = admission()
    await kit.stage(*(fact(key, f"n{n}") for n in range(BATCH + 5)))
    assert await kit.relay.turn() == BATCH
    await kit.pool.execute("update relay_leases set expires_at = now() - interval '1 s'")

    successor = Relay("attendance", kit.pool, kit.broker.address)
    assert await successor.turn() == 5
    await successor.close()

    assert [r.offset for r in await kit.records()] == sorted(r.offset for r in await kit.records())
    assert await kit.pending() == 0
    assert await kit.pool.fetchval("select count(*) from outbox") == BATCH + 5


async def test_what_was_crossed_off_is_swept_up(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "SWEEP", 3)
    await kit.pool.execute("alter table outbox_pending set (autovacuum_enabled = false)")
    await kit.stage(*(fact(admission(), "a") for _ in range(4)))
    assert await kit.relay.turn() == 4
    await kit.stage(fact(admission(), "b"))
    assert await kit.relay.turn() == 1

    async def swept() -> int:
        return int(await kit.pool.fetchval(SWEPT))

    assert await until(swept, "the queue was vacuumed") == 1


async def test_the_backlog_says_how_much_waits_and_how_long(kit: Kit) -> None:
    assert await kit.relay.backlog() == (0, 0.0)
    await kit.stage(fact(admission(), "a"), fact(admission(), "b"))
    await kit.pool.execute("update outbox_pending set staged_at = staged_at - interval '1 minute'")

    count, seconds = await kit.relay.backlog()

    assert count == 2
    assert 60 <= seconds < 120


async def test_a_rolled_back_use_case_says_nothing(kit: Kit) -> None:
    key = admission()
    with pytest.raises(RuntimeError):
        await _stage_and_fail(kit, key)
    await kit.relayed(fact(key, "b"))

    records = await kit.records()
    assert [dict(r.headers)["ce_sequence"] for r in records] == [b"1"]


async def test_an_event_of_more_than_256_kib_is_refused_before_it_is_committed(kit: Kit) -> None:
    key = admission()
    large = fact(key).model_copy(update={"positives": ("x" * 300_000,)})

    with pytest.raises(asyncpg.CheckViolationError):
        await kit.stage(large)

    assert await kit.pending() == 0


async def _stage_and_fail(kit: Kit, key: UUID) -> None:
    async with kit.pool.acquire() as conn, conn.transaction():
        await outbox.stage(conn, [fact(key, "a")])
        raise RuntimeError
