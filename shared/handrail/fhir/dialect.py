"""FHIR R4 at the desk: resources of other systems are read, and taken as HL7 messages are."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
from pydantic import ValidationError

from handrail.desk import store
from handrail.desk.desk import Desk, Outcome
from handrail.desk.letter import TYPE, Envelope, Letter, Refusal
from handrail.desk.store import Kept, Sender
from handrail.fhir import bundles, reading
from handrail.fhir.bundles import Bundle
from handrail.fhir.outcome import MEDIA_TYPE
from handrail.fhir.reading import Document, Statement
from handrail.fhir.words import Resource
from handrail.outbox import Connection
from handrail.receipts import Rejected

BUNDLE = "Bundle"


@dataclass(frozen=True, slots=True)
class Part:
    """What a service does with one kind of resource.

    `names` are the keyed names of what it is about, its own first; `shown` is what is held of it;
    `whom` is the person it is about, where that is not what was looked up.
    """

    names: Callable[[Letter], list[bytes]]
    apply: Callable[[Connection, Letter], Awaitable[None]]
    shown: Callable[[Connection, Letter], Awaitable[Resource | None]]
    look_up: Callable[[Letter], Awaitable[Any]] | None = None
    whom: Callable[[Connection, Letter], Awaitable[UUID | None]] | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an envelope, and what is held now, by where it stood; new is what was not."""

    outcome: Outcome
    shown: Mapping[str, Resource | None] = field(default_factory=dict)
    new: frozenset[str] = frozenset()


class Fhir:
    """A dialect of the desk; parts are applied in their order, as an Encounter needs its Appointment."""

    name = "fhir"
    media_type = MEDIA_TYPE

    def __init__(self, desk: Desk, parts: Mapping[str, Part]) -> None:
        """The desk knows it from now on."""
        self.desk, self.parts = desk, parts
        desk.dialects[self.name] = self

    async def sender(self, client: str) -> Sender | None:
        """Who sends with tokens of this client."""
        async with self.desk.pool.acquire() as conn:
            return await store.sender_of_client(conn, client)

    async def take(self, sender: Sender, document: Document, kind: str) -> Taken:
        """Take one resource. Raises Refusal where it cannot be read."""
        said = [Statement(kind, reading.resource(document, kind, kind), kind)]
        return await self._take(await self._envelope(sender, document, said))

    async def take_together(self, sender: Sender, document: Document, bundle: Bundle) -> Taken:
        """Take all that is in a Bundle, or nothing. Raises Refusal where it cannot be read."""
        said = [bundle.statement(one) for one in bundle.entries if one.kind]
        return await self._take(await self._envelope(sender, document, said, bundle))

    async def take_one_of(self, sender: Sender, bundle: Bundle, number: int) -> Taken:
        """Take one entry of a batch. Raises Refusal where it cannot be read."""
        entry = bundle.entries[number]
        said = [bundle.statement(entry)]
        return await self._take(await self._envelope(sender, entry.document, said))

    async def _take(self, envelope: Envelope) -> Taken:
        before = await self._shown(envelope.letters)
        outcome = await self.desk.take(self, envelope)
        if outcome.refusal:
            return Taken(outcome)
        shown = await self._shown(envelope.letters)
        new = {where for where, found in shown.items() if found and not before[where]}
        return Taken(outcome, shown, frozenset(new))

    async def _shown(self, letters: Sequence[Letter]) -> dict[str, Resource | None]:
        async with self.desk.pool.acquire() as conn:
            return {
                one.message.where: await self.parts[one.message.kind].shown(conn, one)
                for one in letters
            }

    async def _envelope(
        self,
        sender: Sender,
        document: Document,
        said: Sequence[Statement],
        bundle: Bundle | None = None,
    ) -> Envelope:
        raw, now, seal = reading.written(document), datetime.now(UTC), self.desk.seal
        order = list(self.parts)
        sorted_ = sorted(said, key=lambda one: order.index(one.kind))
        bare = [Letter(one, sender, seal, "", now, now) for one in sorted_]
        control = await self._control(sender, raw, bare, bundle)
        letters = [
            await self._looked_up(replace(one, key=f"{control.hex()}:{number}"))
            for number, one in enumerate(bare)
        ]
        kind = BUNDLE if bundle else said[0].kind

        async def whom(conn: Connection) -> UUID | None:
            # A Bundle about several is nobody's.
            known = {await self._whom(conn, one) for one in letters} - {None}
            return known.pop() if len(known) == 1 else None

        return Envelope(sender, kind, control, raw, letters, whom)

    async def _control(
        self, sender: Sender, raw: bytes, letters: Sequence[Letter], bundle: Bundle | None
    ) -> bytes:
        """A Bundle has an identifier; what has none is known by its content.

        Without lastUpdated the same content may be said again after something else was.
        """
        seal = self.desk.seal
        if bundle and bundle.name:
            return seal.name(sender.source, BUNDLE, *bundle.name)
        parts = [seal.name("body", raw.decode("latin-1")).hex()]
        async with self.desk.pool.acquire() as conn:
            for letter in letters:
                if letter.message.said_at is None:
                    heard = await store.last_heard(conn, self._subject(letter))
                    parts.append(str(heard and heard.timestamp()))
        return seal.name(sender.source, "control", *parts)

    async def _looked_up(self, letter: Letter) -> Letter:
        look_up = self.parts[letter.message.kind].look_up
        return replace(letter, known=await look_up(letter)) if look_up else letter

    async def _whom(self, conn: Connection, letter: Letter) -> UUID | None:
        part = self.parts[letter.message.kind]
        if part.whom:
            return await part.whom(conn, letter)
        return letter.known if isinstance(letter.known, UUID) else None

    def _subject(self, letter: Letter) -> bytes:
        return self.parts[letter.message.kind].names(letter)[0]

    def placed(self, letter: Letter) -> tuple[datetime, bytes]:
        """When its sender last changed it; else when it was heard."""
        statement: Statement = letter.message
        at = statement.said_at or letter.at
        if letter.is_early(at):
            text = "It has not happened yet."
            raise Refusal(TYPE, statement.path("meta.lastUpdated"), text)
        return at, self._subject(letter)

    async def apply(self, conn: Connection, letter: Letter) -> None:
        """Have the service's part carry it out."""
        statement: Statement = letter.message
        try:
            await self.parts[statement.kind].apply(conn, letter)
        except Rejected as rejected:
            raise reading.refused(rejected, statement.where) from None
        except (ValidationError, asyncpg.DataError):
            raise Refusal(TYPE, statement.where, "A value cannot be used.") from None

    async def reopened(self, raw: bytes, kept: Kept) -> Envelope:
        """A kept one, as old as it is."""
        envelope = await self._read_again(raw, kept.source)
        letters = [replace(one, at=kept.heard_at) for one in envelope.letters]
        return replace(envelope, letters=letters)

    async def _read_again(self, raw: bytes, source: str) -> Envelope:
        async with self.desk.pool.acquire() as conn:
            sender = await store.sender_of_source(conn, source)
        if sender is None:
            raise Rejected("sender_unknown", "Enter the sender first.", "message_id")
        document = reading.parsed(raw)
        kind = str(document.get("resourceType"))
        if kind == BUNDLE:
            bundle = bundles.opened(document, self.parts)
            said = [bundle.statement(one) for one in bundle.entries if one.kind]
            return await self._envelope(sender, document, said, bundle)
        if kind not in self.parts:
            raise Refusal(TYPE, kind, "This kind of resource is not taken here.")
        said = [Statement(kind, reading.resource(document, kind, kind), kind)]
        return await self._envelope(sender, document, said)
