"""A TCP relay that stands for a bad network: it delays, resets, refuses, or loses one direction."""

import asyncio
import contextlib
import random
import socket
import struct
from dataclasses import dataclass, field

from operate.home import HOST

CHUNK = 65536
UP, DOWN = "up", "down"


@dataclass
class Proxy:
    """Relays connections to `target`, a port of this machine; what is set holds for all at once."""

    target: int
    port: int = 0
    delay: float = 0.0
    is_refusing: bool = False
    _open: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = field(default_factory=set)
    _flows: dict[str, asyncio.Event] = field(default_factory=dict)
    _server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; `port` is known afterwards."""
        self._flows = {UP: asyncio.Event(), DOWN: asyncio.Event()}
        self.heal()
        self._server = await asyncio.start_server(self._serve, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close everything."""
        if self._server:
            self._server.close()
            self.heal()
            self.reset()
            while self._open:  # noqa: ASYNC110  # streams set no event
                await asyncio.sleep(0.01)

    def lose(self, direction: str) -> None:
        """Let nothing more through in one direction; connections stay open."""
        self._flows[direction].clear()

    def heal(self) -> None:
        """Be a good network again."""
        self.delay, self.is_refusing = 0.0, False
        for flow in self._flows.values():
            flow.set()

    def reset(self) -> None:
        """Cut every connection."""
        for pair in self._open:
            _reset(*pair)

    def reset_one(self, dice: random.Random) -> bool:
        """Cut one connection. False when there is none."""
        if self._open:
            _reset(*dice.choice(list(self._open)))
        return bool(self._open)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_refusing:
            _reset(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self.target)
        except OSError:
            _reset(writer)
            return
        pair = (writer, far_writer)
        self._open.add(pair)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, far_writer, UP))
                group.create_task(self._pump(far_reader, writer, DOWN))
        finally:
            self._open.discard(pair)
            for one in pair:
                one.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: str
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                await self._flows[direction].wait()
                if self.delay:
                    await asyncio.sleep(self.delay)
                writer.write(data)
                await writer.drain()
        # One side has ended: the other has nobody to talk to.
        writer.close()


def _reset(*writers: asyncio.StreamWriter) -> None:
    """End connections as a router does that has forgotten them, and not politely."""
    for writer in writers:
        taken = writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
