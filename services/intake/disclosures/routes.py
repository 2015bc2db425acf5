"""The routes of subscribers, of whose law a site is under, and of the ledger."""

from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from handrail import edges
from handrail.edges import Committed
from handrail.events.base import Code, SiteId
from handrail.outbound import Network
from handrail.receipts import Day
from intake.disclosures import ledger, subscribers
from intake.disclosures.subscribers import Subscriber
from intake.disclosures.topics import Topics, is_topic, name_of
from intake.store import people

# 45 CFR 164.528; 42 CFR 2.25 asks for three.
YEARS = 6


class Law(BaseModel):
    """A state of the table."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    state: Code


def routes(
    pool: asyncpg.Pool,
    committed: Committed,
    key: bytes,
    allowed: tuple[Network, ...],
    topics: Topics,
) -> APIRouter:
    """Subscribers: entered, removed, tried again, replayed."""
    router = APIRouter(prefix="/v1", tags=["disclosures"])

    @router.get("/subscribers")
    async def get_subscribers(site_id: SiteId | None = None) -> list[dict[str, Any]]:
        """Each subscriber: what waits since when, the last number taken, and what is wrong."""
        return await subscribers.listed(pool, site_id)

    @router.put("/subscribers/{subscriber_id}")
    async def put_subscriber(subscriber_id: UUID, wanted: Subscriber) -> dict[str, Any]:
        """Enter a subscriber under your own identifier; its secret is shown this once."""
        secret = await edges.in_one_transaction(
            pool,
            committed,
            lambda conn: subscribers.put(
                conn, subscriber_id, wanted, key=key, allowed=allowed, topics=topics
            ),
        )
        topic = name_of(subscriber_id) if is_topic(wanted.url) else None
        return {"subscriber_id": subscriber_id, "secret": secret, "topic": topic}

    @router.delete("/subscribers/{subscriber_id}")
    async def delete_subscriber(subscriber_id: UUID) -> dict[str, UUID]:
        """Tell it nothing any more; what waits is dropped."""
        await edges.in_one_transaction(
            pool, committed, lambda conn: subscribers.remove(conn, subscriber_id, key)
        )
        return {"subscriber_id": subscriber_id}

    @router.post("/subscribers/{subscriber_id}/retry")
    async def post_retry(subscriber_id: UUID) -> dict[str, UUID]:
        """Try at once, also one that was disabled."""
        await edges.in_one_transaction(
            pool, committed, lambda conn: subscribers.send_again(conn, subscriber_id, key)
        )
        return {"subscriber_id": subscriber_id}

    @router.post("/subscribers/{subscriber_id}/replay")
    async def post_replay(
        subscriber_id: UUID, first: Annotated[int, Query(ge=1, le=2**62)]
    ) -> dict[str, int]:
        """Send again from this number on, as far as it may still be told."""
        count = await edges.in_one_transaction(
            pool, committed, lambda conn: subscribers.replay(conn, subscriber_id, first, key)
        )
        return {"messages": count}

    @router.post("/subscribers/{subscriber_id}/secret")
    async def post_secret(subscriber_id: UUID) -> dict[str, str]:
        """A new secret, shown this once: an old one signs beside it for a day, a password ends."""
        secret = await edges.in_one_transaction(
            pool, committed, lambda conn: subscribers.rotate(conn, subscriber_id, key, topics)
        )
        return {"secret": secret}

    @router.get("/subscribers/{subscriber_id}/subjects/{admission_id}")
    async def get_subject(subscriber_id: UUID, admission_id: UUID) -> dict[str, UUID]:
        """The name by which this subscriber knows the admission."""
        async with pool.acquire() as conn:
            return {"subject": await subscribers.subject(conn, subscriber_id, admission_id)}

    return router


def ledger_routes(pool: asyncpg.Pool, committed: Committed, key: bytes) -> APIRouter:
    """The law of a site, and the ledger of what was told."""
    router = APIRouter(prefix="/v1", tags=["disclosures"])

    @router.put("/sites/{site_id}/law")
    async def put_law(site_id: SiteId, law: Law) -> Law:
        """Whose law the site is under, from now on."""
        await edges.in_one_transaction(
            pool, committed, lambda conn: subscribers.set_law(conn, site_id, law.state, key)
        )
        return law

    @router.get("/patients/{patient_id}/disclosures")
    async def get_disclosures(patient_id: UUID, since: Day | None = None) -> list[dict[str, Any]]:
        """The accounting of disclosures of all of a person's admissions, for six years."""
        first = since or date.today() - timedelta(days=YEARS * 366)  # noqa: DTZ011
        async with pool.acquire() as conn:
            found = await people.admissions_of(conn, patient_id)
            return await ledger.accounting(conn, [row["admission_id"] for row in found], first)

    @router.get("/audit/verify")
    async def get_verify(number: int | None = None, seen: str | None = None) -> dict[str, Any]:
        """Follow the ledger's whole chain; `number` and `seen` are what an earlier look ended with."""
        anchor = (number, seen) if number and seen else None
        async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read"):
            return await ledger.verify(conn, key, anchor)

    return router
