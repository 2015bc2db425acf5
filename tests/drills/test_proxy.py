"""The bad network of a drill does what it says."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from operate.drill.proxy import DOWN, UP, Proxy


@asynccontextmanager
async def echoing() -> AsyncIterator[tuple[Proxy, list[bytes]]]:
    """A proxy before a server that says back what it hears, and what the server has heard."""
    heard: list[bytes] = []

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(100):
                heard.append(data)
                writer.write(data)
        writer.close()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server, asyncio.timeout(20):
        proxy = Proxy(server.sockets[0].getsockname()[1])
        await proxy.start()
        try:
            yield proxy, heard
        finally:
            await proxy.stop()


@asynccontextmanager
async def connected(
    proxy: Proxy,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def test_a_good_network_carries_both_ways_and_its_end() -> None:
    async with echoing() as (proxy, _), connected(proxy) as (reader, writer):
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        writer.write_eof()
        assert await reader.read() == b""


async def test_what_is_reset_or_refused_is_closed_at_once() -> None:
    async with echoing() as (proxy, _), connected(proxy) as (reader, writer):
        writer.write(b"hello")
        await reader.readexactly(5)
        assert proxy.reset_one(random.Random(1))
        with pytest.raises(ConnectionError):
            await reader.readexactly(1)

        proxy.is_refusing = True
        async with connected(proxy) as (refused, _):
            with pytest.raises(ConnectionError):
                await refused.readexactly(1)


@pytest.mark.parametrize(("way", "arrives"), [(UP, []), (DOWN, [b"hello"])])
async def test_one_way_may_be_lost_while_the_connection_stands(
    way: str, arrives: list[bytes]
) -> None:
    async with echoing() as (proxy, heard), connected(proxy) as (reader, writer):
        writer.write(b"first")
        await reader.readexactly(5)
        proxy.lose(way)
        writer.write(b"hello")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readexactly(5), 0.2)
        assert heard[1:] == arrives

        proxy.heal()
        assert await reader.readexactly(5) == b"hello"
