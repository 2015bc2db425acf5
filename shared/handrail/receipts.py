"""Commands are taken once by the caller's own key, however often they are sent."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from handrail.events.base import Code
from handrail.outbox import Connection
from handrail.sites import Site
from handrail.writes import Write, of_rows

# How far a sender's clock may run ahead of ours.
EARLY = timedelta(minutes=5)

# One by one (`offset 0`): where the server has not counted the table yet, it would read all
# receipts of a source for a few keys.
_FIND = """
select t.source, t.key, r.subject
from unnest($1::text[], $2::text[]) as t (source, key)
cross join lateral (
    select subject from receipts r where r.source = t.source and r.key = t.key offset 0
) r
"""
_ENTER = """
insert into receipts (source, key, subject)
select * from unnest($1::text[], $2::text[], $3::uuid[])
"""

SourceKey = Annotated[
    str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")
]
# Days and moments that can be reckoned with: everything near the ends of the calendar is a slip.
Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2199, 12, 31))]
Instant = Annotated[AwareDatetime, Field(ge=datetime(1900, 1, 1, tzinfo=UTC))]


class Command(BaseModel):
    """What every command carries: who says it and under which key, and when it happened."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    source: Code = Field(default="api", description="The sending system.")
    key: SourceKey = Field(description="The sender's own key; the same key is taken once.")
    occurred_at: Instant
    recorded_at: Instant | None = Field(
        default=None, description="Only for sites on replay time; else the present moment."
    )

    def receipt(self) -> tuple[str, str]:
        """What its receipt is filed under."""
        return self.source, self.key


class Result(BaseModel):
    """What became of one command."""

    key: str
    status: Literal["applied", "duplicate", "rejected"]
    subject: UUID | None = None
    code: str | None = None
    field: str | None = None
    detail: str | None = None


class Rejected(Exception):
    """A command that cannot be done. The detail names no person and repeats no input."""

    def __init__(self, code: str, detail: str, field: str | None = None) -> None:
        """`code` is stable, `detail` says what to do, `field` is the command's field."""
        super().__init__(code)
        self.code, self.detail, self.field = code, detail, field

    def result(self, key: str) -> Result:
        """The result for the command with this key."""
        return Result(
            key=key, status="rejected", code=self.code, field=self.field, detail=self.detail
        )


async def find(
    conn: Connection, names: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], UUID | None]:
    """The receipts there already are, of these (source, key).

    Asked after all that the commands are decided by was read: who sees what the first sending of a
    command did, which was under way at the same time, has to see its receipt as well.
    """
    asked = list(set(names))
    if not asked:
        return {}
    sources, keys = zip(*asked, strict=True)
    rows = await conn.fetch(_FIND, list(sources), list(keys))
    return {(row["source"], row["key"]): row["subject"] for row in rows}


async def refusal(conn: Connection, command: Command, rejected: Rejected) -> Result:
    """Why it is refused; or that it is a repeat, where its first sending was committed meanwhile."""
    found = await find(conn, [command.receipt()])
    if command.receipt() in found:
        return Result(key=command.key, status="duplicate", subject=found[command.receipt()])
    return rejected.result(command.key)


def entered(taken: Iterable[tuple[str, str, UUID | None]]) -> Write | None:
    """These receipts. Raises asyncpg.UniqueViolationError when one was taken meanwhile."""
    return of_rows(_ENTER, taken)


@dataclass(frozen=True, slots=True)
class Moment:
    """When the system knew of a command, and in which open local day that counts."""

    recorded_at: datetime
    recorded_day: date


def moment_of(site: Site, command: Command, now: datetime) -> Moment:
    """The moment of `command` at `site`: the present one, or the stated one on replay time.

    Raises Rejected when it lies in the future, in a closed replay day, or is stated where the
    wall clock rules.
    """
    if site.clock == "replay":
        if command.recorded_at is None:
            raise Rejected(
                "recorded_at_missing", "A site on replay time needs recorded_at.", "recorded_at"
            )
        if site.day_of(command.recorded_at) <= site.closed_through:
            raise Rejected("day_closed", "That day is closed; send it in order.", "recorded_at")
        recorded_at = command.recorded_at
    else:
        if command.recorded_at is not None:
            raise Rejected(
                "recorded_at_not_allowed", "Only a replay states recorded_at.", "recorded_at"
            )
        recorded_at = now
    if command.occurred_at > recorded_at + EARLY:
        raise Rejected("in_the_future", "It has not happened yet.", "occurred_at")
    return Moment(recorded_at, site.recorded_day(recorded_at))
