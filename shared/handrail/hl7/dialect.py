"""HL7 v2 at the desk: a message is read, taken and answered, whatever it is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
from pydantic import ValidationError

from handrail import metrics
from handrail.desk import store
from handrail.desk.desk import Desk
from handrail.desk.letter import Envelope, Letter
from handrail.desk.letter import Refusal as Refused
from handrail.desk.store import Kept, Sender
from handrail.hl7 import answers, reading
from handrail.hl7.reading import FAULT, KIND, TYPE, UNKNOWN, Message, Refusal
from handrail.outbox import Connection
from handrail.receipts import Rejected
from handrail.telemetry import log
from handrail.transient import TRANSIENT


@dataclass(frozen=True, slots=True)
class Part:
    """What a service does with messages: `subject` says what one is about, for their order."""

    kind: str
    events: frozenset[str]
    subject: Callable[[Letter], bytes]
    apply: Callable[[Connection, Letter], Awaitable[None]]
    moment: Callable[[Message, ZoneInfo], datetime]
    look_up: Callable[[Letter], Awaitable[Any]] | None = None
    # The person a message is about, where one is known.
    whom: Callable[[Connection, Letter], Awaitable[UUID | None]] | None = None


class Hl7:
    """A dialect of the desk."""

    name = "hl7"
    media_type = answers.MEDIA_TYPE

    def __init__(self, desk: Desk, part: Part) -> None:
        """The desk knows it from now on."""
        self.desk, self.part = desk, part
        desk.dialects[self.name] = self

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
            await self.desk.keep_broken(self, raw, found)
        except TRANSIENT as error:
            log.warning("hl7.bad_moment", error=type(error).__name__)
            refusal, state = _later("Not now; send it again soon."), "bad_moment"
        except Exception as error:  # noqa: BLE001  # a message is answered whatever happens
            log.error("hl7.bug", error=type(error).__name__)
            refusal, state = _later("This is our mistake; nothing was changed."), "bug"
        metrics.HL7.labels(state).inc()
        return answers.answer(message, control, refusal)

    async def _take(self, message: Message, raw: bytes) -> tuple[Refusal | None, str]:
        sender = await self._sender(message)
        if sender is None:
            text = "This sender is not entered here."
            return Refusal(UNKNOWN, ("MSH", 1, 3), text, answer="AR"), "sender_unknown"
        outcome = await self.desk.take(self, await self._envelope(message, sender, raw))
        refusal = _as_ours(outcome.refusal)
        is_hidden = sender.is_outside and refusal is not None and refusal.answer == "AE"
        return (None if is_hidden else refusal), outcome.state

    async def _sender(self, message: Message) -> Sender | None:
        async with self.desk.pool.acquire() as conn:
            return await store.sender(conn, message.application, message.facility)

    async def _envelope(self, message: Message, sender: Sender, raw: bytes) -> Envelope:
        control = self.desk.seal.name(sender.source, "control", message.control)
        now = datetime.now(UTC)
        letter = Letter(message, sender, self.desk.seal, control.hex(), now, now)
        if self.part.look_up and message.kind == self.part.kind:
            letter = replace(letter, known=await self.part.look_up(letter))
        whom = partial(self._whom, letter=letter)
        return Envelope(sender, self._kind(message), control, raw, (letter,), whom)

    async def _whom(self, conn: Connection, letter: Letter) -> UUID | None:
        if self.part.whom is None:
            return letter.known if isinstance(letter.known, UUID) else None
        try:
            return await self.part.whom(conn, letter)
        except Refusal:
            return None

    def _kind(self, message: Message) -> str:
        known = message.kind == self.part.kind and message.event in self.part.events
        return f"{message.kind}^{message.event}" if known else "other"

    def placed(self, letter: Letter) -> tuple[datetime, bytes]:
        """When the message's own moment was, and the name of its visit, person or appointment."""
        message: Message = letter.message
        if message.kind != self.part.kind:
            text = f"Only {self.part.kind} is taken here."
            raise Refusal(KIND, ("MSH", 1, 9), text, answer="AR")
        if message.event not in self.part.events and not letter.sender.is_outside:
            text = "This event is not taken."
            raise Refusal(reading.EVENT, ("MSH", 1, 9), text, answer="AR")
        at = self.part.moment(message, letter.zone)
        if letter.is_early(at):
            raise Refusal(TYPE, ("MSH", 1, 7), "It has not happened yet.")
        return at, self.part.subject(letter)

    async def apply(self, conn: Connection, letter: Letter) -> None:
        """Have the service's part carry it out."""
        try:
            await self.part.apply(conn, letter)
        except Rejected as rejected:
            raise reading.refused(rejected) from None
        except (ValidationError, asyncpg.DataError):
            text = "A value cannot be used."
            raise Refusal(TYPE, ("MSH", 1, 9), text) from None

    async def reopened(self, raw: bytes, _kept: Kept) -> Envelope:
        """A kept message; its sender may have been entered since."""
        message = reading.read(raw)
        sender = await self._sender(message)
        if sender is None:
            raise Rejected("sender_unknown", "Enter the sender first.", "message_id")
        return await self._envelope(message, sender, raw)


def _as_ours(refusal: Refused | None) -> Refusal | None:
    """The desk itself refuses only an identifier that another message had."""
    if refusal is None or isinstance(refusal, Refusal):
        return refusal
    return Refusal(refusal.error, ("MSH", 1, 10), refusal.detail)


def _later(detail: str) -> Refusal:
    return Refusal(FAULT, ("MSH", 1, 10), detail)
