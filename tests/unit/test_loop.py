"""What is written to a connection that the other side has just reset: dropped, as asyncio does."""

import asyncio

import pytest
import uvloop

from handrail.loop import Loop


async def _write_until_told(steps: int = 50) -> type[BaseException] | None:
    """Write to a connection that is reset, and go on; what was raised before the reader was told."""

    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        writer.transport.abort()

    async with await asyncio.start_server(reset, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"x")
        for _ in range(steps):
            await asyncio.sleep(0.001)
            try:
                writer.write(b"x")
            except RuntimeError as error:
                return type(error)
        with pytest.raises(ConnectionError):
            await writer.drain()
        assert reader.at_eof() or reader.exception()
    return None


def test_uvloop_alone_raises_what_nobody_reckons_with() -> None:
    assert uvloop.run(_write_until_told()) is RuntimeError


def test_our_loop_drops_it_and_tells_the_reader() -> None:
    assert uvloop.run(_write_until_told(), loop_factory=Loop) is None
