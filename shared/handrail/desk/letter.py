"""What a system sent, as the desk and a service's own part see it, and why it may be refused."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from handrail.desk.sealing import Seal
from handrail.desk.store import Kept, Sender
from handrail.outbox import Connection
from handrail.receipts import EARLY
from handrail.sites import zone_of

# HL7's table 0357, which the desk keeps for every dialect.
SEQUENCE, MISSING, TYPE, VALUE = 100, 101, 102, 103
KIND, EVENT, PROCESSING, VERSION, UNKNOWN, REPEATED, FAULT = 200, 201, 202, 203, 204, 205, 207


class Refusal(Exception):
    """What cannot be taken. It names a code of table 0357 and a place, no content."""

    def __init__(self, error: int, where: str, detail: str, *, code: str = "") -> None:
        """`where` is the place in the dialect's own words; `code` is ours, where a rule refused."""
        super().__init__(error)
        self.error, self.where, self.detail, self.code = error, where, detail, code


@dataclass(frozen=True, slots=True)
class Letter:
    """One statement of a known sender."""

    # Of the dialect's own kind.
    message: Any
    sender: Sender
    seal: Seal
    key: str
    at: datetime
    now: datetime
    # What was looked up elsewhere, before the transaction.
    known: Any = None

    @property
    def zone(self) -> ZoneInfo:
        """The sender's zone: moments without an offset are local."""
        return zone_of(self.sender.time_zone)

    def name(self, kind: str, identifier: tuple[str, str]) -> bytes:
        """The keyed name of one of the sender's identifiers."""
        return self.seal.name(self.sender.source, kind, *identifier)

    def is_early(self, at: datetime) -> bool:
        """Whether that has not happened yet, however fast the sender's clock may be."""
        return at > self.now + EARLY


@dataclass(frozen=True, slots=True)
class Envelope:
    """What came at once, and takes effect at once or not at all.

    `control` is the keyed name of the sender's own identifier of it, `kind` is told in the list,
    `whom` finds the person it is about, where that is known.
    """

    sender: Sender
    kind: str
    control: bytes
    raw: bytes
    letters: Sequence[Letter]
    whom: Callable[[Connection], Awaitable[UUID | None]] | None = None


class Dialect(Protocol):
    """A way of speaking: how letters are read, ordered and carried out."""

    name: str
    media_type: str

    def placed(self, letter: Letter) -> tuple[datetime, bytes]:
        """When it was said, and the name of what it is about. Raises Refusal."""

    async def apply(self, conn: Connection, letter: Letter) -> None:
        """Carry out what it says. Raises Refusal."""

    async def reopened(self, raw: bytes, kept: Kept) -> Envelope:
        """A kept one, read again and looked up again. Raises Refusal or Rejected."""
