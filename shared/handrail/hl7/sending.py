"""Sends one message by MLLP, to an address that someone else chose, and reads its answer."""

import asyncio
import contextlib
import ssl
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import hl7
from hl7.mllp import InvalidBlockError, open_hl7_connection

from handrail import outbound
from handrail.outbound import Network

ANSWER_LIMIT = 64 * 1024
TAKEN = frozenset({"AA", "CA"})
_CONNECT_SECONDS = 5.0


class NotReached(Exception):
    """No connection came about, so nothing was read."""


class NoAnswer(Exception):
    """What came back is no acknowledgement of this message."""


async def deliver(
    url: str, body: bytes, *, control: str, allowed: Sequence[Network], seconds: float
) -> str:
    """Send, and give MSA-1 of the answer.

    Raises ForbiddenAddress, NotReached, NoAnswer, TimeoutError or OSError.
    """
    reader, writer = await _connected(url, allowed)
    try:
        async with asyncio.timeout(seconds):
            writer.writeblock(body)
            await writer.drain()
            return _code(await reader.readblock(), control)
    except (asyncio.IncompleteReadError, InvalidBlockError, ValueError):
        raise NoAnswer from None
    finally:
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(writer.wait_closed(), 1)


async def _connected(url: str, allowed: Sequence[Network]) -> tuple[Any, Any]:
    """A connection to an address of the name; every one was checked."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 0
    tls = outbound.authorities("mllp") if parts.scheme == "mllps" else None
    last: Exception | None = None
    for address in await outbound.addresses(host, port, allowed):
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                return await open_hl7_connection(  # type: ignore[no-any-return]  # it has no types
                    address,
                    port,
                    limit=ANSWER_LIMIT,
                    ssl=tls,
                    server_hostname=host if tls else None,
                )
        except (OSError, TimeoutError, ssl.SSLError) as error:
            last = error
    raise NotReached from last


def _code(raw: bytes, control: str) -> str:
    try:
        answer = hl7.parse(raw.decode("latin-1"))
        code, about = (str(answer.extract_field("MSA", 1, field)) for field in (1, 2))
    except (LookupError, ValueError, TypeError, AttributeError, AssertionError, hl7.HL7Exception):
        raise NoAnswer from None
    if about != control:
        raise NoAnswer
    return code
