"""Listens for messages by MLLP: who may connect, how long and how much."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from hl7.mllp import InvalidBlockError, start_hl7_server
from opentelemetry.trace import SpanKind

from handrail import metrics, telemetry
from handrail.hl7 import answers
from handrail.hl7.reading import TYPE, Refusal
from handrail.hl7.settings import Hl7Settings
from handrail.telemetry import log

MESSAGE_LIMIT = 1024 * 1024
# From its first byte on, a message has so long to come, and its answer so long to be taken.
MESSAGE_SECONDS = 30.0
TAKE_SECONDS = 10.0
# At an end, a message that has begun is still taken and answered for so long.
FINISH_SECONDS = 5.0
_TOO_LARGE = Refusal(TYPE, ("MSH", 1, 1), "A message may have 1 MiB.", answer="AR")
_NOT_FRAMED = Refusal(TYPE, ("MSH", 1, 1), "A block begins with VT, ends with FS CR.", answer="AR")


@dataclass
class Listener:
    """Runs for ever; each connection is served one message after the other."""

    settings: Hl7Settings
    answer: Callable[[bytes], Awaitable[bytes]]
    port: int = 0
    _open: set[asyncio.Task[None]] = field(default_factory=set)
    _amid: set[asyncio.Task[None]] = field(default_factory=set)
    _is_ending: bool = False

    async def run(self) -> None:
        """Listen until cancelled."""
        server = await start_hl7_server(
            self._connected, limit=MESSAGE_LIMIT, ssl=self.settings.tls(), **self._place()
        )
        self.port = server.sockets[0].getsockname()[1]
        log.info("mllp.listening", port=self.port)
        try:
            await asyncio.Event().wait()
        finally:
            server.close()
            await self._let_go()

    def _place(self) -> dict[str, Any]:
        if self.settings.mllp_fd is not None:
            return {"sock": socket.socket(fileno=self.settings.mllp_fd)}
        return {"host": self.settings.mllp_host, "port": self.settings.mllp_port or 0}

    async def _let_go(self) -> None:
        """Close what is between messages; what is amid one has a moment to be answered."""
        self._is_ending = True
        for task in self._open - self._amid:
            task.cancel()
        if self._amid:
            await asyncio.wait(set(self._amid), timeout=FINISH_SECONDS)
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def _connected(self, reader: Any, writer: Any) -> None:
        if len(self._open) >= self.settings.mllp_connections or not self._may(writer):
            metrics.HL7.labels("turned_away").inc()
            writer.transport.abort()
            return
        task = asyncio.create_task(self._serve(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        task.add_done_callback(self._amid.discard)

    def _may(self, writer: Any) -> bool:
        peer = writer.get_extra_info("peername")
        try:
            address = ip_address(str(peer[0]).partition("%")[0])
        except (ValueError, TypeError, IndexError):
            return False
        mapped = getattr(address, "ipv4_mapped", None) or address
        return any(mapped in network for network in self.settings.networks())

    async def _serve(self, reader: Any, writer: Any) -> None:
        """Until it closes, is silent too long, or sends what is no block."""
        ours = asyncio.current_task()
        assert ours is not None
        try:
            while not self._is_ending:
                self._amid.discard(ours)
                raw = await self._next(reader, ours)
                if raw is None:
                    return
                reply = answers.answer(None, "", raw) if isinstance(raw, Refusal) else b""
                writer.writeblock(reply or await self._answered(raw))
                await asyncio.wait_for(writer.drain(), TAKE_SECONDS)
                if isinstance(raw, Refusal):
                    return
        except (OSError, TimeoutError):
            return
        except Exception as error:  # noqa: BLE001  # one connection's trouble is nobody else's
            log.error("mllp.failed", error=type(error).__name__)
        finally:
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), TAKE_SECONDS)

    async def _answered(self, raw: bytes) -> bytes:
        """The answer to a message, which is the root of a trace as an HTTP call is."""
        about: telemetry.Attributes = {telemetry.PROTOCOL: "mllp"}
        with telemetry.span("receive hl7", SpanKind.SERVER, None, about) as span:
            reply = await self.answer(raw)
            span.set_attribute(telemetry.HL7_ANSWER, answers.code_of(reply))
            return reply

    async def _next(self, reader: Any, ours: asyncio.Task[None]) -> Any:
        """The next message; a Refusal for what is none; None when there are no more."""
        first = await asyncio.wait_for(reader.read(1), self.settings.mllp_idle_seconds)
        if not first:
            return None
        self._amid.add(ours)
        # The library reads a block with its first byte.
        reader._buffer[:0] = first  # noqa: SLF001  # there is no way to look without taking
        try:
            return await asyncio.wait_for(reader.readblock(), MESSAGE_SECONDS)
        except asyncio.IncompleteReadError:
            return None
        except InvalidBlockError:
            return _NOT_FRAMED
        except ValueError:
            return _TOO_LARGE
