"""What the page's forms ask for, as the care team's commands; and whether somebody was faster."""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from alerts import desk, work
from alerts.commands import AnyCommand
from alerts.page import store
from alerts.page.access import TOLD, Member
from alerts.rules import Ladder
from handrail import receipts, sight
from handrail.outbox import Connection
from handrail.receipts import Rejected, Result

SOURCE = "page"
ACTS = ("acknowledge", "assign", "snooze", "record_outreach", "undo_outreach", "resolve")
_COMMAND: TypeAdapter[AnyCommand] = TypeAdapter(AnyCommand)
_NAME = re.compile(r"[a-z0-9][a-z0-9_.+-]{0,63}")
# What people change; a new miss or an escalation does not make their work void.
_SEEN = ("acknowledged_at", "assigned_role", "assigned_to", "snoozed_until", "attempts", "ending")


class Changed(Exception):
    """Somebody else changed the concern since this page was made."""


def seen(row: dict[str, Any]) -> str:
    """A mark of a concern's state as people made it."""
    words = "|".join(str(row[name]) for name in _SEEN)
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def name_of(member: Member) -> str | None:
    """Their identifier, where it is no name or address of a person."""
    return member.subject if _NAME.fullmatch(member.subject) else None


async def act(
    conn: Connection, member: Member, concern_id: UUID, fields: dict[str, str], ladder: Ladder
) -> Result:
    """Carry out one form. Raises Changed, Rejected, or ValidationError for a field we do not know."""
    held = await desk.lock(conn, concern_id)
    rows = await store.concerns(conn, [concern_id])
    if held is None or not rows or not store.is_in_scope(rows[0], member):
        raise Rejected("concern_unknown", "There is nothing here that you may see.")
    # What follows may hang on more than they see: attempts under a merged person's other admission.
    await sight.see_all_until_commit(conn)
    key = fields.get("key", "")[:64]
    if (SOURCE, key) in await receipts.find(conn, [(SOURCE, key)]):
        return Result(key=key, status="duplicate")
    if fields.get("seen") != seen(rows[0]):
        raise Changed
    now = datetime.now(UTC)
    recorded = None
    if held.site.clock == "replay":
        # A recorded history goes on at noon of its next day.
        recorded = now = held.site.end_of(held.site.closed_through) + timedelta(hours=12)
    command = _COMMAND.validate_python(
        {
            **_asked(member, fields, now),
            "source": SOURCE,
            "key": key,
            "concern_id": concern_id,
            "occurred_at": now,
            "recorded_at": recorded,
        }
    )
    return (await work.take(conn, [command], now, ladder))[0]


def _asked(member: Member, fields: dict[str, str], now: datetime) -> dict[str, Any]:
    do = fields.get("do", "")
    wanted: dict[str, Any] = {name: fields[name] for name in _FIELDS.get(do, ()) if name in fields}
    if do == "assign" and fields.get("role") == "me":
        role = (TOLD[member.role] or ("list",))[0]
        return {"do": do, "role": role, "member": name_of(member)}
    if do == "snooze":
        hours = fields.get("hours", "")
        wanted["until"] = now + timedelta(hours=int(hours) if hours.isdigit() else 0)
    return {"do": do, **wanted}


_FIELDS = {
    "assign": ("role",),
    "snooze": ("reason",),
    "record_outreach": ("channel", "outcome", "party"),
    "undo_outreach": ("outreach_id",),
    "resolve": ("ending",),
}

__all__ = ["ACTS", "Changed", "ValidationError", "act", "name_of", "seen"]
