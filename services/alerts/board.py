"""The concerns and alerts as tables: written set-wise, as a batch has told them."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from alerts.telling import AlertRow, ConcernRow, Firing, Pause, Suppression
from handrail.outbox import Connection
from handrail.writes import of_rows, write

_CONCERNS = """
insert into concerns as c (
    concern_id, admission_id, site_id, spell, level, kind, reasons, opened_on, owner_role,
    ending, closed_on, closed_at, due_at, escalate_at, policy_version, table_version
)
select t.concern_id, t.admission_id, t.site_id, t.spell, t.level, t.kind,
    string_to_array(t.reasons, e'\\n'), t.opened_on, t.owner_role, t.ending, t.closed_on,
    case when t.ending is not null then now() end, t.due_at, t.escalate_at, t.policy_version,
    t.table_version
from unnest(
    $1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::smallint[], $6::text[], $7::text[],
    $8::date[], $9::text[], $10::text[], $11::date[], $12::timestamptz[], $13::timestamptz[],
    $14::text[], $15::text[]
) as t (
    concern_id, admission_id, site_id, spell, level, kind, reasons, opened_on, owner_role, ending,
    closed_on, due_at, escalate_at, policy_version, table_version
)
on conflict (concern_id) do update set
    level = excluded.level, kind = excluded.kind, opened_on = excluded.opened_on,
    reasons = case when excluded.reasons = '{}' then c.reasons else excluded.reasons end,
    owner_role = excluded.owner_role, ending = excluded.ending, closed_on = excluded.closed_on,
    closed_at = case when excluded.ending is null then null
        else coalesce(c.closed_at, excluded.closed_at) end,
    acknowledged_at = case when excluded.level < c.level then null else c.acknowledged_at end,
    escalations = case when excluded.level < c.level then 0 else c.escalations end,
    snoozed_until = case when excluded.level < c.level then null else c.snoozed_until end,
    next_step = case when excluded.level < c.level then 'call' else c.next_step end,
    due_at = case when excluded.due_at is null or excluded.level >= c.level then c.due_at
        else excluded.due_at end,
    escalate_at = case when excluded.due_at is null or excluded.level >= c.level
        then c.escalate_at else excluded.escalate_at end,
    policy_version = excluded.policy_version, table_version = excluded.table_version
"""
_ALERTS = """
insert into alerts as a (
    alert_id, concern_id, admission_id, site_id, level, kind, reasons, tells, day, traceparent,
    held, policy_version, table_version
)
select t.alert_id, t.concern_id, t.admission_id, t.site_id, t.level, t.kind,
    string_to_array(t.reasons, e'\\n'), string_to_array(t.tells, ' '), t.day, t.traceparent, t.held,
    t.policy_version, t.table_version
from unnest(
    $1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::smallint[], $6::text[], $7::text[],
    $8::text[], $9::date[], $10::text[], $11::bool[], $12::text[], $13::text[]
) as t (
    alert_id, concern_id, admission_id, site_id, level, kind, reasons, tells, day, traceparent,
    held, policy_version, table_version
)
on conflict (alert_id) do update set
    kind = case when a.held then a.kind else excluded.kind end,
    reasons = case when a.held then a.reasons else excluded.reasons end,
    day = case when a.held then a.day else excluded.day end,
    held = a.held or excluded.held, withdrawn_at = null
"""
_WITHDRAW = """
update alerts set withdrawn_at = now() where alert_id = any($1::uuid[]) and withdrawn_at is null
"""
_TAKE_BACK = """
update alerts a set withdrawn_at = now()
where a.concern_id = any($1::uuid[]) and a.withdrawn_at is null
    and (a.concern_id, a.level) not in (select * from unnest($2::uuid[], $3::smallint[]))
returning a.alert_id, a.concern_id, a.level
"""
_RESTORE = """
update alerts a set withdrawn_at = null
from unnest($1::uuid[], $2::smallint[]) as t (concern_id, level)
where a.concern_id = t.concern_id and a.level = t.level and a.withdrawn_at is not null
"""
_PAUSE = """
update concerns as c set paused = t.reason, due_at = t.due_at, escalate_at = t.escalate_at
from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[])
    as t (admission_id, reason, due_at, escalate_at)
where c.admission_id = t.admission_id and c.closed_at is null and c.level > 0
"""
_FIRINGS = """
insert into firings (concern_id, level, admission_id, site_id, rule, day, pushed)
select * from unnest($1::uuid[], $2::smallint[], $3::uuid[], $4::text[], $5::text[], $6::date[],
    $7::bool[])
on conflict do nothing
"""
_SUPPRESS = """
insert into suppressions as s (admission_id, started_on, reason, site_id, ended_on)
select * from unnest($1::uuid[], $2::date[], $3::text[], $4::text[], $5::date[])
on conflict (admission_id, started_on, reason) do update set ended_on = excluded.ended_on
"""


async def save_concerns(conn: Connection, rows: Iterable[ConcernRow]) -> None:
    """Write concerns; endings go before openings, since one admission has one open at most."""
    ordered = sorted(rows, key=lambda r: (r.ending is None, r.admission_id, r.spell))
    written = (
        (
            r.concern_id,
            r.admission_id,
            r.site_id,
            r.spell,
            r.level,
            r.kind,
            "\n".join(r.reasons),
            r.opened_on,
            r.owner_role,
            r.ending,
            r.closed_on,
            r.due_at,
            r.escalate_at,
            r.policy_version,
            r.table_version,
        )
        for r in ordered
    )
    await write(conn, of_rows(_CONCERNS, written))


async def save_alerts(
    conn: Connection, rows: Iterable[AlertRow], withdrawn: Sequence[UUID]
) -> None:
    """Write alerts, and take some back."""
    written = (
        (
            r.alert_id,
            r.concern_id,
            r.admission_id,
            r.site_id,
            r.level,
            r.kind,
            "\n".join(r.reasons),
            " ".join(r.tells),
            r.day,
            r.traceparent,
            r.held,
            r.policy_version,
            r.table_version,
        )
        for r in rows
    )
    await write(conn, of_rows(_ALERTS, written))
    if withdrawn:
        await conn.execute(_WITHDRAW, list(withdrawn))


async def weigh_alerts(
    conn: Connection, concerns: Mapping[UUID, Sequence[int]]
) -> list[tuple[UUID, UUID, int]]:
    """Of each concern the alerts of these levels hold, and no others.

    Gives those that are taken back: (alert, concern, level).
    """
    if not concerns:
        return []
    pairs = [(concern_id, level) for concern_id, levels in concerns.items() for level in levels]
    holding = [i for i, _ in pairs], [level for _, level in pairs]
    await conn.execute(_RESTORE, *holding)
    rows = await conn.fetch(_TAKE_BACK, list(concerns), *holding)
    return sorted((r["alert_id"], r["concern_id"], r["level"]) for r in rows)


async def save_pauses(conn: Connection, pauses: Sequence[Pause]) -> None:
    """Stop, or begin afresh, what is due for open concerns below safety."""
    await write(conn, of_rows(_PAUSE, pauses))


async def save_firings(conn: Connection, firings: Sequence[Firing]) -> None:
    """Each rise of a level whose day is over: the first of a concern and level counts."""
    await write(conn, of_rows(_FIRINGS, firings))


async def save_suppressions(conn: Connection, spells: Sequence[Suppression]) -> None:
    """Log when absence was expected, and why."""
    await write(conn, of_rows(_SUPPRESS, {spell[:3]: spell for spell in spells}.values()))
