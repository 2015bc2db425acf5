"""A listener that ends answers the message it is amid, and hands its place over."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from handrail.hl7.listener import Listener
from handrail.hl7.settings import Hl7Settings
from operate import rolling
from tests.journeys.second import free_port

VT, FS_CR = b"\x0b", b"\x1c\r"


async def test_a_message_that_has_begun_is_answered_at_the_end_and_the_next_goes_to_the_next() -> (
    None
):
    with rolling.listen(free_port()) as place:
        port = place.getsockname()[1]
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def slowly(raw: bytes) -> bytes:
            begun.set()
            await go_on.wait()
            return b"old " + raw

        async def at_once(raw: bytes) -> bytes:
            return b"new " + raw

        old, new = (_listening(place.dup().detach(), answer) for answer in (slowly, at_once))
        ending = asyncio.create_task(old.run())
        reader, writer = await _say(port, b"one")
        idle, other = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.wait_for(begun.wait(), 10)

        ending.cancel()
        assert await asyncio.wait_for(idle.read(), 10) == b""
        starting = asyncio.create_task(new.run())
        later, last = await _say(port, b"two")
        assert await asyncio.wait_for(later.readuntil(FS_CR), 10) == VT + b"new two" + FS_CR
        go_on.set()
        assert await asyncio.wait_for(reader.read(), 10) == VT + b"old one" + FS_CR

        starting.cancel()
        for task in (ending, starting):
            with pytest.raises(asyncio.CancelledError):
                await task
        for one in (writer, other, last):
            one.close()


def _listening(fd: int, answer: Callable[[bytes], Awaitable[bytes]]) -> Listener:
    return Listener(Hl7Settings(mllp_fd=fd), answer)


async def _say(port: int, words: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(VT + words + FS_CR)
    await writer.drain()
    return reader, writer
