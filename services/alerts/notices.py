"""Notices as rows: who is told of a change, when, and what became of it. On the database's clock."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from alerts import routing, teams
from alerts.rota import Rota, on_call
from alerts.routing import Device, Member
from handrail.outbox import Connection
from handrail.webhooks import RETRY_DAYS, pause_after
from handrail.writes import of_rows, write

LEASE_SECONDS = 60
AT_ONCE = 20

# `sent` and `tried` ones are told that it is taken back; the others never hear of it.
_DEVICES = """
select receiver_id, site_id, role, member, digest from receivers
where site_id = any($1::text[]) and active order by receiver_id
"""
_TELL = """
insert into notices (receiver_id, concern_id, change, urgent, due_at, send_at, wanted_at)
select told.*, told.send_at from unnest(
    $1::uuid[], $2::uuid[], $3::text[], $4::boolean[], $5::timestamptz[], $6::timestamptz[]
) as told (receiver_id, concern_id, change, urgent, due_at, send_at)
"""
_UNSAID = """
update notices set dropped_at = now(), trouble = 'concern_closed'
where concern_id = any($1::uuid[]) and sent_at is null and dropped_at is null and tries = 0
"""
_TAKE_BACK = """
insert into notices (receiver_id, concern_id, change, urgent, send_at)
select distinct receiver_id, concern_id, 'withdrawn', false, now() from notices
where concern_id = any($1::uuid[]) and change in ('raised', 'escalated')
    and (sent_at is not null or tries > 0)
"""
_CLAIM = """
with due as (
    select notice_id from notices n
    where sent_at is null and dropped_at is null and send_at <= now() and urgent = $1
    order by send_at limit $2 for update skip locked
), claimed as (
    update notices n set tries = tries + 1, send_at = now() + $3 * interval '1 second'
    from due where n.notice_id = due.notice_id
    returning n.*
)
select c.notice_id, c.receiver_id, c.concern_id, c.change, c.urgent, c.due_at, c.tries,
    c.created_at, r.kind, r.address, r.secret, r.site_id, r.role,
    (
        select a.traceparent from alerts a where a.concern_id = c.concern_id
        order by a.raised_at desc limit 1
    ) as traceparent,
    (not r.active or c.change in ('raised', 'escalated')
        and (k.closed_at is not null or k.paused is not null and not c.urgent)) as is_over
from claimed c join receivers r using (receiver_id) left join concerns k using (concern_id)
"""
_SENT = """
with done as (
    update notices set sent_at = now(), trouble = null where notice_id = any($1::uuid[])
    returning receiver_id
)
update receivers set last_sent_at = now(), trouble = null
where receiver_id in (select receiver_id from done)
"""
_OVER = """
update notices set dropped_at = now(), trouble = 'concern_closed'
where notice_id = any($1::uuid[])
"""
_FAILED = """
with failed as (
    update notices n set trouble = t.trouble,
        send_at = now() + t.pause * interval '1 second',
        dropped_at = case when created_at + $4 * interval '1 day' < now() then now() end
    from unnest($1::uuid[], $2::text[], $3::float8[]) as t (notice_id, trouble, pause)
    where n.notice_id = t.notice_id returning n.receiver_id, t.trouble
)
update receivers r set trouble = f.trouble, active = r.active and f.trouble <> 'gone'
from failed f where r.receiver_id = f.receiver_id
"""
_DIGESTS = """
select r.receiver_id, r.site_id from receivers r
where r.active and r.digest and r.next_digest_at <= now()
order by r.next_digest_at limit 100 for update skip locked
"""
_ADD_DIGEST = """
insert into notices (receiver_id, change, urgent, send_at) values ($1, 'digest', false, now())
"""
_NEXT_DIGEST = "update receivers set next_digest_at = $2 where receiver_id = $1"
_COUNTS = """
select count(*) filter (where level = 0) as now, count(*) filter (where level = 1) as today,
    count(*) filter (where level = 2) as soon
from concerns c
where site_id = $1 and closed_at is null and paused is null
    and (snoozed_until is null or snoozed_until <= now())
"""


@dataclass(frozen=True, slots=True)
class News:
    """One change of a concern, for those who stand for these roles when it is sent."""

    concern_id: UUID
    admission_id: UUID
    site_id: str
    roles: tuple[str, ...]
    change: str
    level: int
    due_at: datetime | None
    send_at: datetime
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Notice:
    """One claimed notice and where it goes."""

    notice_id: UUID
    receiver_id: UUID
    concern_id: UUID | None
    change: str
    urgent: bool
    due_at: datetime | None
    tries: int
    created_at: datetime
    kind: str
    address: str
    secret: str | None
    site_id: str
    role: str
    traceparent: str | None
    is_over: bool


async def tell(conn: Connection, news: Sequence[News]) -> None:
    """One notice for each receiver that each change goes to."""
    devices = await conn.fetch(_DEVICES, list({n.site_id for n in news})) if news else []
    if not devices:
        return
    is_named = any(device["member"] for device in devices)
    team = await teams.of(conn, (n.admission_id for n in news)) if is_named else {}
    rotas = await teams.rotas(conn, (n.site_id for n in news)) if is_named else {}
    rows = [
        (receiver_id, n.concern_id, n.change, n.level == 0, n.due_at, n.send_at)
        for n in news
        for receiver_id in _whom(n, devices, team.get(n.admission_id, ()), rotas)
    ]
    await write(conn, of_rows(_TELL, rows))


def _whom(
    one: News,
    devices: Sequence[Any],
    team: Iterable[Member],
    rotas: Mapping[str, Sequence[tuple[date, Rota]]],
) -> list[UUID]:
    """The receivers of one change, by who stands for its roles when it is sent."""
    here = [
        Device(d["receiver_id"], d["role"], d["member"])
        for d in devices
        if d["site_id"] == one.site_id and (one.level == 0 or not d["digest"])
    ]
    day = one.send_at.astimezone(one.zone).date()
    begun = [found for found in rotas.get(one.site_id, ()) if found[0] <= day]
    called = on_call(begun[-1][1], begun[-1][0], one.send_at, one.zone) if begun else None
    duty = routing.on_duty(team, day)
    return routing.receivers(here, one.roles, duty, called, must_reach=one.level == 0)


async def take_back(conn: Connection, concerns: Sequence[UUID]) -> None:
    """What was not sent is not sent; whoever may have heard is told that it is taken back."""
    if concerns:
        await conn.execute(_UNSAID, list(concerns))
        await conn.execute(_TAKE_BACK, list(concerns))


async def claim(conn: Connection, *, urgent: bool) -> list[Notice]:
    """Notices that are due, this try's own for a while; another try follows if it dies."""
    rows = await conn.fetch(_CLAIM, urgent, AT_ONCE, LEASE_SECONDS)
    return [Notice(**dict(row)) for row in rows]


async def settle(conn: Connection, tried: Sequence[tuple[Notice, str | None]]) -> None:
    """Note what became of each: None when it was sent, else what was wrong."""
    over = [notice.notice_id for notice, _ in tried if notice.is_over]
    sent = [n.notice_id for n, trouble in tried if trouble is None and not n.is_over]
    failed = [(n.notice_id, trouble, pause_after(n.tries)) for n, trouble in tried if trouble]
    if over:
        await conn.execute(_OVER, over)
    if sent:
        await conn.execute(_SENT, sent)
    if failed:
        columns = map(list, zip(*failed, strict=True))
        await conn.execute(_FAILED, *columns, RETRY_DAYS)


async def due_digests(conn: Connection) -> list[tuple[UUID, str]]:
    """Receivers whose digest is due, with their site; held."""
    return [(r["receiver_id"], r["site_id"]) for r in await conn.fetch(_DIGESTS)]


async def add_digest(conn: Connection, receiver_id: UUID, following: datetime) -> None:
    """A digest to be sent now, and when the next is due."""
    await conn.execute(_ADD_DIGEST, receiver_id)
    await conn.execute(_NEXT_DIGEST, receiver_id, following)


async def counts(conn: Connection, site_id: str) -> dict[str, int]:
    """How much waits at a site, by how soon; counts and nothing else."""
    row: Any = await conn.fetchrow(_COUNTS, site_id)
    return dict(row)
