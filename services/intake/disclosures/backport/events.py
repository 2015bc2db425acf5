"""`$status` and `$events`: how a Subscription stands, and what it was told, decided again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import orjson

from handrail.fhir.asked import Asked
from handrail.fhir.words import Resource
from handrail.outbox import Connection
from handrail.receipts import Rejected
from intake.disclosures import ledger
from intake.disclosures.backport import notified, shown
from intake.disclosures.backport.kept import Kept, kept
from intake.disclosures.backport.notified import Standing
from intake.disclosures.decided import Decided, about_told, decisions
from intake.disclosures.ledger import Entry

AT_ONCE = 100
_LAST = 2**62

# What is just being sent counts: it may be asked for before it is answered.
_HELD = """
select s.subscriber_id, s.site_id, s.recipient_class, s.recipient, s.purpose, s.data_classes,
    s.url, s.subject_key, s.last_sequence + count(d.id) as last_sequence, now() as now
from subscribers s
left join deliveries d
    on d.subscriber_id = s.subscriber_id and d.state = 'waiting' and d.trying and d.sequence is null
where s.subscriber_id = $1 group by s.subscriber_id
"""
_TOLD = """
select id, delivery_id, admission_id, type, data, coalesce(sequence, $4) as sequence
from deliveries
where subscriber_id = $1 and data is not null and (
    sequence between $2 and $3
    or (state = 'waiting' and trying and sequence is null and $4 between $2 and $3)
)
order by sequence limit $5
"""


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers of events, both ends included. Without a beginning, the newest before the end."""

    since: int | None
    until: int | None

    def within(self, last: int) -> tuple[int, int]:
        """The numbers that one answer covers."""
        until = min(self.until or last, last)
        since = max(until - AT_ONCE + 1, 1) if self.since is None else self.since
        return since, min(until, since + AT_ONCE - 1)


def range_of(since: str | None, until: str | None) -> Range:
    """What was asked for. Raises Rejected for what is no number."""
    return Range(_number(since, "eventsSinceNumber"), _number(until, "eventsUntilNumber"))


def _number(word: str | None, name: str) -> int | None:
    if word is None:
        return None
    if not (word.isascii() and word.isdecimal() and int(word[:20]) <= _LAST):
        raise Rejected("number_not_usable", "A whole number, from 1 on.", name)
    return int(word)


async def statuses(conn: Connection, asked: Asked) -> Resource:
    """`$status`: one for each Subscription the caller may see; those of other channels have none."""
    found = [row for row in await shown.rows(conn, asked) if row["topic"]]
    return {"resourceType": "Bundle", "id": str(uuid4()), "type": "searchset"} | (
        {"entry": [await _status(conn, row) for row in found]} if found else {}
    )


async def _status(conn: Connection, row: Any) -> Resource:
    mine = await kept(conn, row["subscriber_id"], row["url"])
    assert mine
    identity, stands = uuid4(), Standing(row["status"], row["last_sequence"], row["trouble"])
    said = notified.status_of(mine, "query-status", identity, stands)
    return {"fullUrl": f"urn:uuid:{identity}", "resource": said, "search": {"mode": "match"}}


async def events(
    conn: Connection, row: Any, asked: Range, content: str | None, key: bytes
) -> Resource:
    """`$events`: what it was told and may still be told, each with a row of the ledger.

    What may not be told any more is left out, so its number is missing. One answer covers 100
    numbers at most.
    """
    mine = await kept(conn, row["subscriber_id"], row["url"])
    held = await conn.fetchrow(_HELD, row["subscriber_id"])
    assert mine
    assert held
    mine = mine.with_content(content)
    last = held["last_sequence"]
    since, until = asked.within(last)
    rows = await conn.fetch(_TOLD, held["subscriber_id"], since, until, last, AT_ONCE)
    may = [one for one in await decisions(conn, held, rows, mine) if one.told.classes]
    await ledger.append(conn, key, _entries(held, may), held["now"])
    stands = Standing(row["status"], last)
    told = _told(mine, held, may)
    return notified.bundle(mine, "query-event", uuid4(), stands, held["now"], told)


def _entries(held: Any, may: Iterable[Decided]) -> list[Entry]:
    return [
        Entry(
            "delivered",
            held["subscriber_id"],
            one.row["admission_id"],
            about_told(held, one, one.row["sequence"]) | {"asked": "$events"},
        )
        for one in may
    ]


def _told(mine: Kept, held: Any, may: Sequence[Decided]) -> list[notified.Event]:
    key: bytes = held["subject_key"]
    return [
        notified.event(
            mine, one.row["sequence"], orjson.loads(one.row["data"]), key, one.told, part2=one.part2
        )
        for one in may
    ]
