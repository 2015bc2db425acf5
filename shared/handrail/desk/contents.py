"""What a kept message says, sealed with a key of its own that goes when the message does."""

import contextlib
import time
from collections.abc import Collection
from uuid import UUID

import asyncpg
from cryptography.fernet import InvalidToken

from handrail.desk import store
from handrail.desk.sealing import Seal
from handrail.outbox import Connection
from handrail.personal.cipher import VERSION, CannotBeOpened
from handrail.personal.vault import FIRST, Vault
from handrail.receipts import Rejected
from handrail.transient import TRANSIENT

COLUMN = "hl7_messages.body"
# What is about nobody who is known here is not found when a person is erased.
NOBODYS_DAYS = 30
TIDY_SECONDS = 3600.0


class Contents:
    """Seals and opens; the key's holder is the message."""

    def __init__(self, vault: Vault, before: Seal) -> None:
        """`before` opens what the release before sealed."""
        self._vault, self._before = vault, before
        self._tidied = -TIDY_SECONDS

    async def put(self, conn: Connection, message_id: UUID, raw: bytes, whom: UUID | None) -> None:
        """Keep what a message says, and whom it is about; nothing where there was no room for it."""
        if not await store.is_there(conn, message_id):
            return
        [sealed] = await self._vault.seal(COLUMN, [(message_id, raw)])
        await store.put_content(conn, message_id, sealed, whom)

    async def open(self, message_id: UUID, sealed: bytes) -> bytes:
        """What it says. Raises Rejected."""
        try:
            if sealed[:1] != VERSION:
                return self._before.open(sealed)
            [raw] = await self._vault.open(COLUMN, [(message_id, sealed)])
        except (InvalidToken, CannotBeOpened):
            text = "It was changed, or sealed under another key."
            raise Rejected("message_sealed", text, "message_id") from None
        if raw is None:
            raise Rejected("message_unknown", "Its content was erased.", "message_id")
        return raw

    async def close(self, messages: Collection[UUID]) -> None:
        """Their contents are gone: so are the keys, also for who holds a copy of the data."""
        # A key that stays for once opens nothing that is there.
        with contextlib.suppress(*TRANSIENT):
            await self._vault.drop(messages)

    async def tidy(self, pool: asyncpg.Pool) -> None:
        """Now and then: seal anew what the release before sealed; let go what is nobody's."""
        if time.monotonic() - self._tidied < TIDY_SECONDS:
            return
        after = FIRST
        while rows := await store.sealed_before(pool, VERSION[0], after):
            for message_id, sealed in rows:
                await self._seal_anew(pool, message_id, sealed)
            after = rows[-1][0]
        await self.close(await store.forget_nobodys(pool, NOBODYS_DAYS))
        self._tidied = time.monotonic()

    async def _seal_anew(self, pool: asyncpg.Pool, message_id: UUID, was: bytes) -> None:
        try:
            raw = self._before.open(was)
        except InvalidToken:
            # Of another HANDRAIL_HL7_KEY, which may come back.
            return
        [sealed] = await self._vault.seal(COLUMN, [(message_id, raw)])
        await store.seal_anew(pool, message_id, was, sealed)
