"""Whether each of a subscriber's rows may be told at this moment, one after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from handrail import sites
from handrail.outbox import Connection
from intake import store
from intake.disclosures import messages, spoken
from intake.disclosures.backport.kept import Kept
from intake.disclosures.messages import Allowed
from intake.facts import Admission
from intake.rules import disclosure
from intake.rules.disclosure import Recipient

_ERASED = """
select admission_id from admissions where admission_id = any($1::uuid[]) and erased_at is not null
"""
_LAW = "select state from site_laws where site_id = $1"


@dataclass(frozen=True, slots=True)
class Decided:
    """One row of the queue, and what of it may be told. No admission: nothing of it may."""

    row: Any
    told: Allowed
    admission: Admission | None = None

    @property
    def part2(self) -> bool:
        """Whether 42 CFR Part 2 holds for it."""
        assert self.admission
        return disclosure.subject_of(self.admission, None).law == "part2"


async def decisions(
    conn: Connection, held: Any, rows: Sequence[Any], kept: Kept | None = None
) -> Iterator[Decided]:
    """The rows in their order. `held` is the subscriber, `kept` its Subscription if it has one."""
    ids = {row["admission_id"] for row in rows}
    known = await store.some(conn, ids)
    erased = {row["admission_id"] for row in await conn.fetch(_ERASED, list(ids))}
    site = (await sites.known(conn)).get(held["site_id"])
    state = await conn.fetchval(_LAW, held["site_id"])

    def decide(row: Any) -> Decided:
        admission = known.get(row["admission_id"])
        if admission is None or admission.site_id != held["site_id"] or site is None:
            return Decided(row, _nothing("not_of_this_site"))
        if row["admission_id"] in erased:
            return Decided(row, _nothing("erased"))
        if site.clock != "wall":
            return Decided(row, _nothing("recorded_history"))
        if why := _not_spoken(held, row, kept):
            return Decided(row, _nothing(why))
        recipient = Recipient(held["recipient_class"], held["recipient"], held["purpose"])
        subject, classes = disclosure.subject_of(admission, state), held["data_classes"]
        day, at = site.day_of(held["now"]), held["now"]
        told = messages.allowed(row["type"], subject, recipient, classes, day=day, at=at)
        return Decided(row, told, admission)

    return map(decide, rows)


def _not_spoken(held: Any, row: Any, kept: Kept | None) -> str | None:
    """Why this subscriber's way of being told has no words for it."""
    if spoken.is_spoken(held["url"]) and not spoken.has_words(row["type"]):
        return "no_hl7_message"
    if kept and not kept.takes(row["type"], row["admission_id"], held["subject_key"]):
        return "not_subscribed"
    return None


def _nothing(why: str) -> Allowed:
    return Allowed((), (), why)


def about(held: Any, row: Any) -> dict[str, Any]:
    """What the ledger says of a row, whatever became of it."""
    names = ("recipient_class", "recipient", "purpose")
    return {name: held[name] for name in names} | {
        "type": row["type"],
        "delivery_id": row["delivery_id"],
    }


def about_told(held: Any, one: Decided, sequence: int) -> dict[str, Any]:
    """What the ledger says of a row that is told."""
    return about(held, one.row) | {
        "sequence": sequence,
        "classes": list(one.told.classes),
        "reason": one.told.reason,
        "consents": [messages.scope_of(consent) for consent in one.told.consents],
        "table": disclosure.TABLE.version,
    }
