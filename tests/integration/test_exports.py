"""Exports as rows over a real database: made once, whoever dies, and gone when they are not wanted."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg

from alerts.bulk import exports
from alerts.bulk.exports import Exporter

NOW = datetime.now(UTC).date()


async def asked(pool: asyncpg.Pool, who: str = "me") -> UUID | None:
    async with pool.acquire() as conn, conn.transaction():
        return await exports.ask(conn, who, "https://here.example/fhir/R4/$export", NOW)


async def stands(pool: asyncpg.Pool, export_id: UUID, who: str = "me") -> Any:
    async with pool.acquire() as conn:
        return await exports.find(conn, export_id, who)


async def test_what_is_asked_for_is_made_in_its_order(pool: asyncpg.Pool) -> None:
    exporter = Exporter(pool)
    first, second = await asked(pool), await asked(pool)
    assert first
    assert second
    assert await exporter.make_one()
    states = [(await stands(pool, one))["state"] for one in (first, second)]
    assert states == ["done", "waiting"]
    assert await exporter.make_one()
    assert not await exporter.make_one()
    assert await stands(pool, second, "another") is None


async def test_one_that_nobody_finishes_is_tried_thrice_and_failed(pool: asyncpg.Pool) -> None:
    export_id = await asked(pool)
    assert export_id
    for _ in range(3):
        claimed = await pool.fetchrow(exports._CLAIM, 120, 3)
        assert claimed["export_id"] == export_id
        assert await pool.fetchrow(exports._CLAIM, 120, 3) is None
        await pool.execute("update exports set held_until = now() - interval '1 second'")
    assert not await Exporter(pool).make_one()
    await pool.execute(exports._FAILED, None, 3)

    assert (await stands(pool, export_id))["state"] == "failed"


async def test_who_was_away_for_long_changes_nothing_any_more(pool: asyncpg.Pool) -> None:
    export_id = await asked(pool)
    late = await pool.fetchrow(exports._CLAIM, 0, 3)
    exporter = Exporter(pool)
    assert await exporter.make_one()
    assert not await exporter._goes_on(late, 0, 1)
    await pool.execute(exports._DONE, late["export_id"], late["tries"], b"late", 1)

    async with pool.acquire() as conn:
        assert export_id
        assert await exports.lines(conn, export_id, "me") == b""


async def test_what_is_ended_is_not_made_and_after_a_day_all_is_gone(pool: asyncpg.Pool) -> None:
    ended, kept = await asked(pool), await asked(pool)
    assert ended
    assert kept
    async with pool.acquire() as conn:
        assert not await exports.drop(conn, ended, "another")
        assert await exports.drop(conn, ended, "me")
    exporter = Exporter(pool)
    assert await exporter.make_one()
    assert not await exporter.make_one()
    await pool.execute("update exports set asked_at = now() - interval '25 hours'")
    await pool.execute(exports._FORGET, exports.KEPT_HOURS)

    assert await stands(pool, kept) is None


async def test_three_wait_of_each_caller_and_no_more(pool: asyncpg.Pool) -> None:
    made = [await asked(pool) for _ in range(exports.AT_ONCE)]

    assert all(made)
    assert await asked(pool) is None
    assert await asked(pool, "another")
