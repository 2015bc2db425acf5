"""A changed policy or table that a site tries beside the one in force; it raises nothing."""

from datetime import date
from typing import Any

import msgspec
from pydantic import BaseModel, ConfigDict, model_validator

from alerts import progress
from alerts.policy import Policy
from alerts.risk.table import Table, load_table
from handrail.events.base import Code
from handrail.outbox import Connection
from handrail.receipts import Day, Rejected

_SET = """
insert into shadows (site_id, begins_on, body) values ($1, $2, $3)
on conflict (site_id) do update set begins_on = excluded.begins_on, body = excluded.body
where shadows.body <> excluded.body or shadows.begins_on <> excluded.begins_on
"""
_STANDS = "select body from shadows where site_id = $1"
_SAME = "select 1 from shadows where site_id = $1 and body = $2::jsonb"
_END = "delete from shadows where site_id = $1 returning site_id"


class Change(BaseModel):
    """What shall be tried: a policy, a table that was committed, or one that was not yet."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    policy: Policy | None = None
    table_version: Code | None = None
    table: dict[str, Any] | None = None


class Shadow(Change):
    """A change, and the first day it is tried on."""

    begins_on: Day

    @model_validator(mode="after")
    def _changes_something(self) -> "Shadow":
        """Raises ValueError where nothing would differ."""
        if self.policy is None and self.table_version is None and self.table is None:
            raise ValueError("give a policy, a table_version or a table")
        return self


async def put(conn: Connection, site_id: str, wanted: Shadow) -> None:
    """Try it from its day on, instead of what is tried now. The same again changes nothing.

    Raises Rejected for a table that cannot be read, or a day that is decided already.
    """
    body = wanted.model_dump_json()
    if await conn.fetchval(_SAME, site_id, body):
        return
    table_of(wanted)
    over: date | None = await progress.over_through(conn, site_id)
    if over is None:
        raise Rejected("site_unknown", "No day of that site is over yet.", "site_id")
    if wanted.begins_on <= over:
        detail = "Days up to then are decided; begin later, or ask POST /v1/shadow for the past."
        raise Rejected("day_closed", detail, "begins_on")
    await conn.execute(_SET, site_id, wanted.begins_on, body)


async def stands(conn: Connection, site_id: str) -> Shadow:
    """What the site tries now. Raises Rejected when it is nothing."""
    body = await conn.fetchval(_STANDS, site_id)
    if body is None:
        raise Rejected("shadow_unknown", "Nothing is tried at that site.", "site_id")
    return Shadow.model_validate_json(body)


async def end(conn: Connection, site_id: str) -> None:
    """Try it no more. Raises Rejected when nothing is tried."""
    if await conn.fetchval(_END, site_id) is None:
        raise Rejected("shadow_unknown", "Nothing is tried at that site.", "site_id")


def table_of(asked: Change) -> Table | None:
    """Raises Rejected when the table cannot be read or was never committed."""
    if asked.table is not None:
        try:
            table = msgspec.convert(asked.table, Table)
        except (msgspec.ValidationError, ValueError):
            detail = "The table does not have the form of a committed one."
            raise Rejected("table_not_readable", detail, "table") from None
        fits = all(len(t.points) == len(t.cuts) + 1 for t in table.terms)
        if not (fits and table.risk28 and len(table.risk28) == len(table.risk14)):
            raise Rejected("table_not_readable", "Points or risks are missing in it.", "table")
        return table
    if asked.table_version is None:
        return None
    try:
        return load_table(asked.table_version)
    except FileNotFoundError:
        detail = "No table of that version was committed."
        raise Rejected("table_unknown", detail, "table_version") from None
