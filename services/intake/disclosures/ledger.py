"""The ledger of what was told outside: it only grows, and each row holds the hash of the last."""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import orjson
from pydantic import Field, SecretStr

from handrail.outbox import Connection
from handrail.settings import FromEnvironment
from handrail.writes import of_rows, write

BATCH = 5000
# What an accounting of disclosures lists.
TOLD = frozenset({"delivered", "unconfirmed", "told_in_emergency"})

_HEAD = "select number, hash from ledger_head for update"
_APPEND = """
insert into ledger (number, admission_id, subscriber_id, entry, hash)
select * from unnest($1::bigint[], $2::uuid[], $3::uuid[], $4::text[], $5::text[])
"""
_MOVE = "update ledger_head set number = $1, hash = $2"
_READ = """
select number, admission_id, subscriber_id, entry, hash from ledger
where number > $1 order by number limit $2
"""
_OF = """
select number, entry from ledger where admission_id = any($1::uuid[]) order by number
"""


class LedgerSettings(FromEnvironment):
    """The key of the chain lies outside the database."""

    audit_key: SecretStr = Field(min_length=16, description="A secret; never changed.")

    def key(self) -> bytes:
        """The key."""
        return self.audit_key.get_secret_value().encode()


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened: `what`, to whose records, to which subscriber, and the rest."""

    what: str
    subscriber_id: UUID | None
    admission_id: UUID | None
    about: dict[str, Any]

    def text(self, now: datetime) -> str:
        """The canonical words that are hashed."""
        row = {
            "what": self.what,
            "at": now.astimezone(UTC).isoformat(),
            "subscriber_id": self.subscriber_id,
            "admission_id": self.admission_id,
            **self.about,
        }
        # The database driver's own UUID is not the one that orjson knows.
        return orjson.dumps(row, default=str, option=orjson.OPT_SORT_KEYS).decode()


async def append(conn: Connection, key: bytes, entries: Sequence[Entry], now: datetime) -> None:
    """Write entries in the caller's transaction, one after the other for everybody."""
    if not entries:
        return
    head = await conn.fetchrow(_HEAD)
    assert head is not None
    number, last, rows = head["number"], head["hash"], []
    for entry in entries:
        number, text = number + 1, entry.text(now)
        last = link(key, last, number, text)
        rows.append((number, entry.admission_id, entry.subscriber_id, text, last))
    await write(conn, of_rows(_APPEND, rows))
    await conn.execute(_MOVE, number, last)


def link(key: bytes, last: str, number: int, text: str) -> str:
    """The hash of one row: HMAC-SHA256 over the one before it, its number and its words."""
    return hmac.new(key, f"{last}\n{number}\n{text}".encode(), hashlib.sha256).hexdigest()


async def verify(conn: Connection, key: bytes, anchor: tuple[int, str] | None) -> dict[str, Any]:
    """Follow the whole chain. `anchor` is a number and hash that were seen at an earlier time."""
    trouble: dict[str, Any] | None = None
    number, last = 0, ""
    while trouble is None and (rows := await conn.fetch(_READ, number, BATCH)):
        for row in rows:
            reason = _wrong(key, row, number, last)
            if reason:
                trouble = {"number": number + 1, "reason": reason}
                break
            number, last = row["number"], row["hash"]
            if anchor and number == anchor[0] and last != anchor[1]:
                trouble = {"number": number, "reason": "rewritten_since_the_last_look"}
                break
    head = await conn.fetchrow("select number, hash from ledger_head")
    if trouble is None and (head is None or (head["number"], head["hash"]) != (number, last)):
        trouble = {"number": number + 1, "reason": "end_cut_off"}
    if trouble is None and anchor and anchor[0] > number:
        trouble = {"number": number + 1, "reason": "end_cut_off"}
    return {"rows": number, "hash": last, "trouble": trouble}


def _wrong(key: bytes, row: Any, number: int, last: str) -> str | None:
    if row["number"] != number + 1:
        return "row_missing"
    if not hmac.compare_digest(link(key, last, row["number"], row["entry"]), row["hash"]):
        return "row_changed"
    said = orjson.loads(row["entry"])
    for name in ("admission_id", "subscriber_id"):
        if said[name] != (str(row[name]) if row[name] else None):
            return "row_changed"
    return None


async def accounting(
    conn: Connection, admissions: Iterable[UUID], since: date
) -> list[dict[str, Any]]:
    """What was told of these admissions since a day: when, to whom, what, why."""
    found = [orjson.loads(row["entry"]) for row in await conn.fetch(_OF, list(admissions))]
    return [
        entry for entry in found if entry["what"] in TOLD and entry["at"][:10] >= since.isoformat()
    ]
