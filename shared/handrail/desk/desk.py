"""Takes what came: applies it once, in the order of its time, or keeps it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import asyncpg

from handrail import edges, sight
from handrail.desk import store
from handrail.desk.contents import Contents
from handrail.desk.letter import REPEATED, UNKNOWN, Dialect, Envelope, Refusal
from handrail.desk.sealing import Seal
from handrail.desk.store import Kept
from handrail.outbox import Connection
from handrail.receipts import Rejected
from handrail.telemetry import log
from handrail.transient import TRANSIENT
from handrail.webhooks import pause_after

LOOK_SECONDS = 5.0
# What has not come by then is for people to look at.
MOST_TRIES = 30
TAKEN = frozenset({"applied", "older"})
NOBODY = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an envelope; `refusal` says why it was kept."""

    state: str
    refusal: Refusal | None = None
    # Something that waits may go on now.
    rings: bool = False


@dataclass(slots=True)
class Desk:
    """One service's desk for what other systems send."""

    pool: asyncpg.Pool
    seal: Seal
    contents: Contents
    committed: Callable[[], None] = lambda: None
    dialects: dict[str, Dialect] = field(default_factory=dict)
    _rung: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, dialect: Dialect, envelope: Envelope) -> Outcome:
        """Apply it, know it again, or keep it. Raises what the database raises."""
        digest = self._digest(envelope.raw)

        async def enter(conn: Connection) -> Outcome:
            row = await store.enter(
                conn,
                (dialect.name, envelope.sender.source, envelope.control),
                digest=digest,
                kind=envelope.kind,
            )
            if row.state in TAKEN and row.digest == digest:
                return Outcome("repeated")
            if row.digest != digest:
                refusal = Refusal(REPEATED, "", "Another message had this identifier.")
                return Outcome("refused", refusal)
            outcome = await self._try(conn, row, dialect, envelope)
            if outcome.state != "applied" and row.is_empty:
                whom = await envelope.whom(conn) if envelope.whom else None
                await self.contents.put(conn, row.message_id, envelope.raw, whom)
            return outcome

        return await self._commit(enter)

    async def _commit(self, act: Callable[[Connection], Awaitable[Outcome]]) -> Outcome:
        # Whose stays a sender may change hangs on its site; who redrives a message sees none of it.
        with sight.seeing(None):
            outcome = await edges.in_one_transaction(self.pool, self.committed, act)
        if outcome.rings:
            self._rung.set()
        return outcome

    async def _try(
        self, conn: Connection, row: Kept, dialect: Dialect, envelope: Envelope
    ) -> Outcome:
        """Apply, or keep. What was refused has changed nothing but its own row."""
        subject: bytes | None = None
        applied: list[bytes] = []
        try:
            async with conn.transaction():
                for letter in envelope.letters:
                    subject = None
                    at, subject = dialect.placed(letter)
                    if at < await store.newest(conn, subject):
                        continue
                    await dialect.apply(conn, replace(letter, at=at))
                    await store.heard(conn, subject, at)
                    applied.append(subject)
        except Refusal as refusal:
            waits = refusal.error == UNKNOWN and row.tries < MOST_TRIES
            await store.keep(
                conn,
                row.message_id,
                (refusal.error, refusal.code, refusal.where),
                subject=subject,
                again_in=pause_after(row.tries + 1) if waits else None,
            )
            return Outcome("kept", refusal)
        state = "applied" if applied or not envelope.letters else "older"
        await store.settle(conn, row.message_id, state, subject)
        return Outcome(state, rings=await store.hurry(conn, applied))

    def _digest(self, raw: bytes) -> bytes:
        return self.seal.name("body", raw.decode("latin-1"))

    async def keep_broken(self, dialect: Dialect, raw: bytes, refusal: Refusal) -> None:
        """Of what cannot be read only its bytes tell it from another."""
        digest = self._digest(raw)

        async def enter(conn: Connection) -> Outcome:
            row = await store.enter(
                conn,
                (dialect.name, NOBODY, digest),
                digest=digest,
                kind="unreadable",
            )
            why = (refusal.error, "", refusal.where)
            await store.keep(conn, row.message_id, why, subject=None, again_in=None)
            if row.is_empty:
                await self.contents.put(conn, row.message_id, raw, None)
            return Outcome("kept")

        try:
            await self._commit(enter)
        except Exception as error:  # noqa: BLE001  # it is answered all the same
            log.warning("hl7.not_kept", error=type(error).__name__)

    async def redrive(self, message_id: UUID) -> dict[str, Any]:
        """Try a kept message again. Raises Rejected where none of that name is kept."""
        kept, raw = await self._opened(message_id)
        dialect = self.dialects[kept.protocol]
        try:
            envelope = await dialect.reopened(raw, kept)
        except Refusal as refusal:
            raise Rejected("message_unreadable", refusal.detail, "message_id") from None

        async def again(conn: Connection) -> Outcome:
            row = await store.hold(conn, message_id)
            if row is None or row.state != "kept":
                return Outcome(row.state if row else "dropped")
            return await self._try(conn, row, dialect, envelope)

        outcome = await self._commit(again)
        if outcome.state in ("applied", "dropped"):
            await self.contents.close([message_id])
        error = outcome.refusal.error if outcome.refusal else None
        return {"state": outcome.state, "error": error}

    async def content(self, message_id: UUID) -> tuple[bytes, str]:
        """A kept message as it was sent, and its media type. Raises Rejected."""
        kept, raw = await self._opened(message_id)
        return raw, self.dialects[kept.protocol].media_type

    async def _opened(self, message_id: UUID) -> tuple[Kept, bytes]:
        async with self.pool.acquire() as conn:
            row = await store.hold(conn, message_id)
        if row is None or row.body is None or row.protocol not in self.dialects:
            raise Rejected("message_unknown", "No kept message has that identifier.", "message_id")
        return row, await self.contents.open(message_id, row.body)

    async def drop(self, message_id: UUID) -> None:
        """Give a kept message up for good. Raises Rejected."""
        async with self.pool.acquire() as conn:
            if not await store.drop(conn, message_id):
                text = "No kept message has that identifier."
                raise Rejected("message_unknown", text, "message_id")
        await self.contents.close([message_id])

    async def run(self) -> None:
        """Try again, for ever, what waits for something that may still come."""
        while True:
            self._rung.clear()
            with contextlib.suppress(*TRANSIENT):
                await self.contents.tidy(self.pool)
                for message_id in await store.due(self.pool):
                    await self._once_more(message_id)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._rung.wait(), LOOK_SECONDS)

    async def _once_more(self, message_id: UUID) -> None:
        try:
            await self.redrive(message_id)
        except Rejected:
            await store.rest(self.pool, message_id)
