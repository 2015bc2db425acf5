"""Who may send, and what is kept for review."""

from typing import Annotated, Any
from uuid import UUID

import asyncpg
import orjson
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from handrail import edges, sites
from handrail.desk import store
from handrail.desk.desk import Desk
from handrail.desk.store import Sender
from handrail.events.base import Code, SiteId
from handrail.outbox import Connection
from handrail.receipts import Rejected

Named = Annotated[str, StringConstraints(max_length=180, pattern=r"^[^\x00-\x1f\x7f]*$")]


# A sender that speaks both HL7 v2 and FHIR names the same thing in both.
Systems = Annotated[
    dict[Annotated[str, StringConstraints(max_length=250)], Named],
    Field(max_length=100, description="Which system of FHIR is which authority of HL7 v2."),
]
# No message has such a name in MSH-3: it is not printable.
_NO_HL7 = "\x1f"


class SenderWords(BaseModel):
    """A system that may send. Each service adds how its own words are to be taken."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    application: Named | None = Field(
        default=None, description="MSH-3, its first component; None where it speaks no HL7 v2."
    )
    facility: Named = Field(default="", description="MSH-4, its first component.")
    client: Annotated[Named, Field(min_length=1)] | None = Field(
        default=None, description="The client_id of its tokens, where it speaks FHIR."
    )
    site_id: SiteId
    time_zone: str = Field(description="IANA zone; moments without an offset are of it.")
    is_outside: bool = Field(
        default=False,
        description="Another organisation: it is answered AA whether a person is known or not.",
    )

    @field_validator("time_zone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        sites.zone_of(name)
        return name


async def put_sender(
    pool: asyncpg.Pool, source: str, wanted: SenderWords, terms: BaseModel
) -> None:
    """Enter a sender under your own code, or change it. Raises Rejected."""
    if wanted.application is None and wanted.client is None:
        raise Rejected("sender_unnamed", "Give application and facility, or client.", "client")
    about = wanted.model_dump(include=set(SenderWords.model_fields) - {"client", "application"})
    entered = Sender(
        source=source,
        application=source + _NO_HL7 if wanted.application is None else wanted.application,
        terms=terms.model_dump_json(),
        **about,
    )

    async def put(conn: Connection) -> None:
        try:
            async with conn.transaction():
                await store.put_sender(conn, entered, wanted.client)
        except asyncpg.UniqueViolationError:
            text = "Another sender has these two names, or this client."
            raise Rejected("sender_taken", text, "application") from None

    await edges.in_one_transaction(pool, lambda: None, put)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    named = None if row["application"].endswith(_NO_HL7) else row["application"]
    return row | {"application": named, "terms": orjson.loads(row["terms"])}


def routes(desk: Desk) -> APIRouter:
    """Senders, and what is kept of their messages."""
    router = APIRouter(prefix="/v1/hl7", tags=["hl7"])

    @router.get("/messages")
    async def get_messages(
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    ) -> list[dict[str, Any]]:
        """What is kept for review, oldest first: the error and its place, not the content."""
        async with desk.pool.acquire() as conn:
            return await store.kept(conn, limit)

    @router.get("/messages/{message_id}/content", response_class=Response)
    async def get_content(message_id: UUID) -> Response:
        """One kept message as it was sent; for whoever may know the person."""
        raw, media_type = await desk.content(message_id)
        return Response(raw, media_type=media_type)

    @router.post("/messages/{message_id}/redrive")
    async def post_redrive(message_id: UUID) -> dict[str, Any]:
        """Try a kept message again."""
        return await desk.redrive(message_id)

    @router.delete("/messages/{message_id}")
    async def delete_message(message_id: UUID) -> dict[str, UUID]:
        """Give a kept message up for good."""
        await desk.drop(message_id)
        return {"message_id": message_id}

    @router.get("/senders")
    async def get_senders() -> list[dict[str, Any]]:
        """Who may send, and how their words are taken."""
        async with desk.pool.acquire() as conn:
            rows = await store.senders(conn)
        return [_shown(row) for row in rows]

    return router


__all__ = ["Code", "SenderWords", "put_sender", "routes"]
