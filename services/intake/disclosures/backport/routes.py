"""The routes by which a registered subscriber makes its Subscriptions, and asks how they stand."""

from collections.abc import Sequence
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Depends, Query, Request, Response

from handrail import edges, sight
from handrail.access.table import Caller
from handrail.edges import Committed
from handrail.fhir.asked import Asked
from handrail.fhir.outcome import answer
from handrail.fhir.parameters import Parameters
from handrail.fhir.routes import BASE, base_of, etag_of, for_caller, require
from handrail.fhir.scopes import Interaction
from handrail.outbound import Network
from handrail.outbox import Connection
from handrail.receipts import Rejected
from intake.disclosures.backport import events, fetched, made, shown
from intake.disclosures.backport.asked import Subscription, wanted
from intake.disclosures.backport.kept import TOLD
from intake.disclosures.backport.made import Asking

KIND = "Subscription"
_Ids = Annotated[list[str] | None, Query(alias="id", max_length=made.MOST)]
_Statuses = Annotated[list[str] | None, Query(alias="status", max_length=4)]
_Number = Annotated[str | None, Query(max_length=20)]
_Content = Annotated[str | None, Query(max_length=20)]
# What a subscriber may be told is decided by consents, whatever the programme.
_BY_CONSENT = [Depends(sight.see_all)]


def routes(
    pool: asyncpg.Pool, committed: Committed, key: bytes, allowed: tuple[Network, ...]
) -> APIRouter:
    """Made, replaced and ended by whom they are; read by the routes that all kinds have."""
    router = APIRouter(prefix=f"{BASE}/{KIND}", tags=["fhir"], dependencies=_BY_CONSENT)

    def asking(request: Request, interaction: Interaction) -> Asking:
        client = require(request, KIND, interaction).client
        return Asking(client, base_of(request), key, allowed)

    @router.post("", status_code=201)
    async def post_subscription(request: Request, said: Subscription) -> Response:
        """Make a Subscription: `requested` until its address has answered the handshake."""
        by, asked = asking(request, "create"), wanted(said)
        new = await edges.in_one_transaction(
            pool, committed, lambda conn: made.make(conn, by, asked)
        )
        return await _shown(pool, by, str(new), 201)

    @router.put("/{resource_id}")
    async def put_subscription(request: Request, resource_id: str, said: Subscription) -> Response:
        """Replace what it asks for; `off` ends it for now, `requested` begins again."""
        by, asked = asking(request, "update"), wanted(said)
        await edges.in_one_transaction(
            pool, committed, lambda conn: made.change(conn, resource_id, by, asked)
        )
        return await _shown(pool, by, resource_id, 200)

    @router.delete("/{resource_id}", status_code=204)
    async def delete_subscription(request: Request, resource_id: str) -> Response:
        """End it: nothing is sent any more, and what waits is dropped."""
        by = asking(request, "delete")
        await edges.in_one_transaction(
            pool, committed, lambda conn: made.remove(conn, resource_id, by)
        )
        return Response(status_code=204)

    _add_status(router, pool)
    _add_events(router, pool, committed, key)
    return router


def told_routes(pool: asyncpg.Pool, committed: Committed, key: bytes) -> APIRouter:
    """What was told of, read by the subscriber that was told."""
    router = APIRouter(prefix=TOLD, tags=["fhir"], dependencies=_BY_CONSENT)

    @router.get("/Appointment/{resource_id}")
    async def get_seat(request: Request, resource_id: str) -> Response:
        """A seat that a notification named, as it was told last."""
        client = require(request, "Appointment", "read").client
        return answer(
            await edges.in_one_transaction(
                pool, committed, lambda conn: fetched.seat(conn, client, resource_id, key)
            )
        )

    @router.get("/EpisodeOfCare/{resource_id}")
    async def get_stay(request: Request, resource_id: str) -> Response:
        """A stay that a notification named, as it is now."""
        client = require(request, "EpisodeOfCare", "read").client
        return answer(
            await edges.in_one_transaction(
                pool, committed, lambda conn: fetched.stay(conn, client, resource_id, key)
            )
        )

    return router


def _add_status(router: APIRouter, pool: asyncpg.Pool) -> None:
    async def status(caller: Caller, ids: Sequence[str], codes: Sequence[str]) -> Response:
        asked = Asked(ids=tuple(ids) or None, statuses=tuple(codes) or None, limit=made.MOST)
        async with pool.acquire() as conn:
            return answer(await events.statuses(conn, for_caller(asked, caller)))

    @router.get("/$status")
    async def get_statuses(request: Request, ids: _Ids = None, codes: _Statuses = None) -> Response:
        """How Subscriptions stand: all that you may see, or those of these ids and statuses."""
        return await status(require(request, KIND, "search"), ids or (), codes or ())

    @router.post("/$status")
    async def post_statuses(request: Request, said: Parameters) -> Response:
        """The same, asked in a body."""
        return await status(require(request, KIND, "search"), said.all("id"), said.all("status"))

    @router.get("/{resource_id}/$status")
    async def get_status(request: Request, resource_id: str) -> Response:
        """How one Subscription stands."""
        return await status(require(request, KIND, "read"), (resource_id,), ())

    @router.post("/{resource_id}/$status")
    async def post_status(request: Request, resource_id: str) -> Response:
        """The same."""
        return await status(require(request, KIND, "read"), (resource_id,), ())


def _add_events(router: APIRouter, pool: asyncpg.Pool, committed: Committed, key: bytes) -> None:
    async def told(
        caller: Caller, resource_id: str, numbers: events.Range, content: str | None
    ) -> Response:
        async def act(conn: Connection) -> Any:
            asked = for_caller(Asked(ids=(resource_id,), limit=1), caller)
            found = [row for row in await shown.rows(conn, asked) if row["topic"]]
            if not found:
                raise Rejected("subscription_unknown", "There is no such one of yours.", "id")
            return await events.events(conn, found[0], numbers, content, key)

        return answer(await edges.in_one_transaction(pool, committed, act))

    @router.get("/{resource_id}/$events")
    async def get_events(
        request: Request,
        resource_id: str,
        eventsSinceNumber: _Number = None,  # noqa: N803  # the guide's name
        eventsUntilNumber: _Number = None,  # noqa: N803  # the same
        content: _Content = None,
    ) -> Response:
        """What it was told under these numbers and may still be told; each is a row of the ledger."""
        caller = require(request, KIND, "read")
        numbers = events.range_of(eventsSinceNumber, eventsUntilNumber)
        return await told(caller, resource_id, numbers, content)

    @router.post("/{resource_id}/$events")
    async def post_events(request: Request, resource_id: str, said: Parameters) -> Response:
        """The same, asked in a body."""
        caller = require(request, KIND, "read")
        numbers = events.range_of(said.last("eventsSinceNumber"), said.last("eventsUntilNumber"))
        return await told(caller, resource_id, numbers, said.last("content"))


async def _shown(pool: asyncpg.Pool, by: Asking, made_id: str, status: int) -> Response:
    async with pool.acquire() as conn:
        [found] = await shown.subscriptions(conn, Asked(ids=(made_id,), client=by.client, limit=1))
    headers = {"location": f"{by.base}/{KIND}/{made_id}", "etag": etag_of(found)}
    said = answer(found, headers=headers)
    said.status_code = status
    return said
