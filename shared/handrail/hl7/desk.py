"""Takes one message: answers it, and applies it once, in the order of its time, or keeps it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
from cryptography.fernet import InvalidToken
from pydantic import ValidationError

from handrail import edges, metrics
from handrail.hl7 import answers, reading, store
from handrail.hl7.reading import FAULT, KIND, REPEATED, TYPE, UNKNOWN, Message, Refusal
from handrail.hl7.sealing import Seal
from handrail.hl7.store import Sender
from handrail.outbox import Connection
from handrail.receipts import EARLY, Rejected
from handrail.sites import zone_of
from handrail.telemetry import log
from handrail.transient import TRANSIENT
from handrail.webhooks import pause_after

LOOK_SECONDS = 5.0
# What has not come by then is for people to look at.
MOST_TRIES = 30
TAKEN = frozenset({"applied", "older"})
NOBODY = "unknown"


@dataclass(frozen=True, slots=True)
class Letter:
    """A message of a known sender, as a service's own part sees it."""

    message: Message
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


Apply: TypeAlias = Callable[[Connection, Letter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Part:
    """What a service does with messages: `subject` says what one is about, for their order."""

    kind: str
    events: frozenset[str]
    subject: Callable[[Letter], bytes]
    apply: Apply
    moment: Callable[[Message, ZoneInfo], datetime]
    look_up: Callable[[Letter], Awaitable[Any]] | None = None


@dataclass(slots=True)
class Desk:
    """One service's desk for messages."""

    pool: asyncpg.Pool
    seal: Seal
    part: Part
    committed: Callable[[], None] = lambda: None
    _rung: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, raw: bytes) -> bytes:
        """The acknowledgement of a message, whatever it is."""
        message: Message | None = None
        control = ""
        try:
            control = reading.control_of(raw)
            message = reading.read(raw)
            refusal, state = await self._take(message, raw)
        except Refusal as found:
            refusal, state = found, "refused"
            await self._keep_broken(raw, found)
        except TRANSIENT as error:
            log.warning("hl7.bad_moment", error=type(error).__name__)
            refusal, state = _later("Not now; send it again soon."), "bad_moment"
        except Exception as error:  # noqa: BLE001  # a message is answered whatever happens
            log.error("hl7.bug", error=type(error).__name__)
            refusal, state = _later("This is our mistake; nothing was changed."), "bug"
        metrics.HL7.labels(state).inc()
        return answers.answer(message, control, refusal)

    async def _take(self, message: Message, raw: bytes) -> tuple[Refusal | None, str]:
        async with self.pool.acquire() as conn:
            sender = await store.sender(conn, message.application, message.facility)
        if sender is None:
            text = "This sender is not entered here."
            return Refusal(UNKNOWN, ("MSH", 1, 3), text, answer="AR"), "sender_unknown"
        control = self.seal.name(sender.source, "control", message.control)
        letter = self._letter(message, sender, control)
        letter = await self._looked_up(letter)

        async def enter(conn: Connection) -> tuple[Refusal | None, str, bool]:
            digest = self.seal.name("body", raw.decode("latin-1"))
            kind = self._kind(message)
            row = await store.enter(
                conn, sender.source, control, digest=digest, kind=kind, body=self.seal.close(raw)
            )
            if row["state"] in TAKEN and row["digest"] == digest:
                return None, "repeated", False
            if row["digest"] != digest:
                text = "Another message had this identifier."
                return Refusal(REPEATED, ("MSH", 1, 10), text), "refused", False
            return await self._try(conn, row, letter)

        refusal, state, rings = await self._commit(enter)
        if rings:
            self._rung.set()
        is_hidden = sender.is_outside and refusal is not None and refusal.answer == "AE"
        return (None if is_hidden else refusal), state

    async def _commit(
        self, act: Callable[[Connection], Awaitable[tuple[Refusal | None, str, bool]]]
    ) -> tuple[Refusal | None, str, bool]:
        return await edges.in_one_transaction(self.pool, self.committed, act)

    async def _try(
        self, conn: Connection, row: Any, letter: Letter
    ) -> tuple[Refusal | None, str, bool]:
        """Apply, or keep. What was refused has changed nothing but its own row."""
        subject: bytes | None = None
        try:
            at, subject = self._placed(letter)
            letter = _dated(letter, at)
            async with conn.transaction():
                if at < await store.newest(conn, subject):
                    await store.settle(conn, row["message_id"], "older", subject)
                    return None, "older", False
                await self._applied(conn, letter)
                await store.heard(conn, subject, at)
        except Refusal as refusal:
            segment, _, number = refusal.place
            waits = refusal.error == UNKNOWN and row["tries"] < MOST_TRIES
            await store.keep(
                conn,
                row["message_id"],
                (refusal.error, refusal.code, f"{segment}-{number}"),
                subject=subject,
                again_in=pause_after(row["tries"] + 1) if waits else None,
            )
            return refusal, "kept", False
        await store.settle(conn, row["message_id"], "applied", subject)
        return None, "applied", await store.hurry(conn, subject)

    def _placed(self, letter: Letter) -> tuple[datetime, bytes]:
        message = letter.message
        if message.kind != self.part.kind:
            text = f"Only {self.part.kind} is taken here."
            raise Refusal(KIND, ("MSH", 1, 9), text, answer="AR")
        if message.event not in self.part.events and not letter.sender.is_outside:
            text = "This event is not taken."
            raise Refusal(reading.EVENT, ("MSH", 1, 9), text, answer="AR")
        at = self.part.moment(message, letter.zone)
        if at > letter.now + EARLY:
            raise Refusal(TYPE, ("MSH", 1, 7), "It has not happened yet.")
        return at, self.part.subject(letter)

    async def _applied(self, conn: Connection, letter: Letter) -> None:
        try:
            await self.part.apply(conn, letter)
        except Rejected as rejected:
            raise reading.refused(rejected) from None
        except (ValidationError, asyncpg.DataError):
            text = "A value cannot be used."
            raise Refusal(TYPE, ("MSH", 1, 9), text) from None

    async def _looked_up(self, letter: Letter) -> Letter:
        if self.part.look_up is None or letter.message.kind != self.part.kind:
            return letter
        found = await self.part.look_up(letter)
        return Letter(**{name: getattr(letter, name) for name in _PARTS} | {"known": found})

    def _letter(self, message: Message, sender: Sender, control: bytes) -> Letter:
        now = datetime.now(UTC)
        return Letter(message, sender, self.seal, control.hex(), now, now)

    def _kind(self, message: Message) -> str:
        known = message.kind == self.part.kind and message.event in self.part.events
        return f"{message.kind}^{message.event}" if known else "other"

    async def _keep_broken(self, raw: bytes, refusal: Refusal) -> None:
        """Of a message that cannot be read only its bytes tell it from another."""
        digest = self.seal.name("body", raw.decode("latin-1"))
        segment, _, number = refusal.place

        async def enter(conn: Connection) -> tuple[Refusal | None, str, bool]:
            row = await store.enter(
                conn, NOBODY, digest, digest=digest, kind="unreadable", body=self.seal.close(raw)
            )
            why = (refusal.error, "", f"{segment}-{number}")
            await store.keep(conn, row["message_id"], why, subject=None, again_in=None)
            return None, "kept", False

        try:
            await self._commit(enter)
        except Exception as error:  # noqa: BLE001  # it is answered all the same
            log.warning("hl7.not_kept", error=type(error).__name__)

    async def redrive(self, message_id: UUID) -> dict[str, Any]:
        """Try a kept message again. Raises Rejected where none of that name is kept."""
        letter = await self._kept(message_id)
        letter = await self._looked_up(letter)

        async def again(conn: Connection) -> tuple[Refusal | None, str, bool]:
            row = await store.hold(conn, message_id)
            if row is None or row["state"] != "kept":
                return None, row["state"] if row else "dropped", False
            return await self._try(conn, row, letter)

        refusal, state, rings = await self._commit(again)
        if rings:
            self._rung.set()
        return {"state": state, "error": refusal.error if refusal else None}

    async def content(self, message_id: UUID) -> bytes:
        """A kept message as it was sent. Raises Rejected."""
        async with self.pool.acquire() as conn:
            row = await store.hold(conn, message_id)
        if row is None or row["body"] is None:
            raise Rejected("message_unknown", "No kept message has that identifier.", "message_id")
        try:
            return self.seal.open(row["body"])
        except InvalidToken:
            text = "It was sealed under another HANDRAIL_HL7_KEY."
            raise Rejected("message_sealed", text, "message_id") from None

    async def _kept(self, message_id: UUID) -> Letter:
        try:
            message = reading.read(await self.content(message_id))
        except Refusal as refusal:
            raise Rejected("message_unreadable", refusal.detail, "message_id") from None
        async with self.pool.acquire() as conn:
            sender = await store.sender(conn, message.application, message.facility)
        if sender is None:
            raise Rejected("sender_unknown", "Enter the sender first.", "message_id")
        control = self.seal.name(sender.source, "control", message.control)
        return self._letter(message, sender, control)

    async def run(self) -> None:
        """Try again, for ever, what waits for something that may still come."""
        while True:
            self._rung.clear()
            with contextlib.suppress(*TRANSIENT):
                for message_id in await store.due(self.pool):
                    await self._once_more(message_id)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._rung.wait(), LOOK_SECONDS)

    async def _once_more(self, message_id: UUID) -> None:
        try:
            await self.redrive(message_id)
        except Rejected:
            await self.pool.execute(
                "update hl7_messages set next_try_at = null where message_id = $1", message_id
            )


_PARTS = ("message", "sender", "seal", "key", "at", "now")


def _dated(letter: Letter, at: datetime) -> Letter:
    return Letter(
        **{name: getattr(letter, name) for name in _PARTS} | {"at": at, "known": letter.known}
    )


def _later(detail: str) -> Refusal:
    return Refusal(FAULT, ("MSH", 1, 10), detail)
