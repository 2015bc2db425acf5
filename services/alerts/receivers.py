"""Who is told, and by which way: the receivers of each site and role, and how they are doing."""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from alerts import policies, store
from alerts.staffed import next_opening
from handrail import sites, webhooks
from handrail.events.alerts import Role
from handrail.events.base import SiteId
from handrail.outbox import Connection
from handrail.receipts import Rejected
from handrail.sites import zone_of

_LOOPBACK = ("127.0.0.1", "::1", "localhost")

_ADD = """
insert into receivers (
    receiver_id, site_id, role, member, kind, address, secret, digest, next_digest_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (receiver_id) do nothing returning secret
"""
_SAME = """
select 1 from receivers where receiver_id = $1 and site_id = $2 and role = $3
    and member is not distinct from $4 and kind = $5 and address = $6 and digest = $7 and active
"""
_STOP = "update receivers set active = false where receiver_id = $1 returning receiver_id"
_AGAIN = """
update notices set send_at = now(), dropped_at = null, created_at = now(), wanted_at = null
where receiver_id = $1 and sent_at is null
    and (dropped_at is null or trouble is distinct from 'concern_closed')
returning notice_id
"""
_LIST = """
select r.receiver_id, r.site_id, r.role, r.member, r.kind, r.digest, r.active, r.trouble,
    r.last_sent_at, count(n.notice_id) filter (where n.dropped_at is null) as waiting,
    min(n.created_at) filter (where n.dropped_at is null) as oldest_at,
    count(n.notice_id) filter (where n.dropped_at is not null
        and n.trouble is distinct from 'concern_closed') as given_up
from receivers r left join notices n on n.receiver_id = r.receiver_id and n.sent_at is null
where $1::text is null or r.site_id = $1
group by r.receiver_id order by r.site_id, r.role, r.receiver_id
"""
_STATUS = """
select count(*) as waiting, count(*) filter (where tries > 0) as retrying,
    greatest(0, extract(epoch from now() - min(coalesce(wanted_at, created_at))))::float8
        as oldest_seconds,
    (select count(*) from receivers where active) as receivers,
    (select count(*) from receivers where active and trouble is not null) as receivers_in_trouble,
    (select count(*) from notices where dropped_at is not null
        and trouble is distinct from 'concern_closed') as given_up
from notices where sent_at is null and dropped_at is null
"""


class Receiver(BaseModel):
    """Someone, or some system, that is told of a role's work at a site."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    site_id: SiteId
    role: Role
    member: UUID | None = Field(
        default=None,
        description="Whose it is, as care teams name staff: told only where they stand for the "
        "role, or are on call. Without it, it is the role's own and told of everybody.",
    )
    kind: Literal["webhook", "email"]
    address: Annotated[str, StringConstraints(min_length=3, max_length=500, pattern=r"^\S+$")]
    digest: bool = False

    @model_validator(mode="after")
    def _can_be_reached(self) -> "Receiver":
        """A web address with TLS (or this machine), or a mail address. Raises ValueError."""
        if self.kind == "email":
            name, at, host = self.address.rpartition("@")
            if not ((at and name and "." in host) or host == "localhost") or "," in self.address:
                raise ValueError("address: a mail address")
            return self
        parts = urlsplit(self.address)
        if parts.username or not (
            parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        ):
            raise ValueError("address: an https address, without a user name in it")
        return self


async def put(conn: Connection, receiver_id: UUID, wanted: Receiver) -> str | None:
    """Enter a receiver. Gives a webhook's signing secret, this once.

    Raises Rejected when the identifier is taken by a different one.
    """
    member = str(wanted.member) if wanted.member else None
    about = (receiver_id, wanted.site_id, wanted.role, member, wanted.kind, wanted.address)
    if await conn.fetchval(_SAME, *about, wanted.digest):
        return None
    secret = None
    if wanted.kind == "webhook":
        secret = webhooks.new_secret()
    first = None
    if wanted.digest:
        now = await store.now(conn)
        site = (await sites.known(conn)).get(wanted.site_id)
        policy = (await policies.load(conn, [wanted.site_id])).on(
            wanted.site_id, now.date().toordinal()
        )
        first = next_opening(now, policy, zone_of(site.time_zone if site else "UTC"))
    if not await conn.fetch(_ADD, *about, secret, wanted.digest, first):
        raise Rejected("receiver_taken", "That identifier is another receiver's.", "receiver_id")
    return secret


async def stop(conn: Connection, receiver_id: UUID) -> None:
    """Tell it nothing any more. Raises Rejected when there is none."""
    if await conn.fetchval(_STOP, receiver_id) is None:
        raise Rejected("receiver_unknown", "No receiver has that identifier.", "receiver_id")


async def send_again(conn: Connection, receiver_id: UUID) -> int:
    """Try at once what waits or was given up. Gives how many notices."""
    return len(await conn.fetch(_AGAIN, receiver_id))


async def listed(pool: asyncpg.Pool, site_id: str | None) -> list[dict[str, Any]]:
    """The receivers, what waits for each since when, and what is wrong. No address, no secret."""
    return [dict(row) for row in await pool.fetch(_LIST, site_id)]


async def status(pool: asyncpg.Pool) -> dict[str, Any]:
    """What waits to be told, for the service's status."""
    row = dict(await pool.fetchrow(_STATUS))
    return row | {"oldest_seconds": round(row["oldest_seconds"], 3)}
