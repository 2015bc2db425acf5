"""The event loop of a service: uvloop, with asyncio's manners where a connection is lost."""

import ssl
from asyncio import BaseProtocol, BaseTransport
from collections.abc import Callable
from typing import Any

import uvloop


class Outgoing:
    """A transport that takes what is written to a connection just lost, and drops it.

    uvloop raises a bare RuntimeError between the loss and `connection_lost`; asyncio does not, and
    asyncpg and aiokafka reckon with asyncio: a reset would look like a mistake of ours.
    """

    def __init__(self, transport: Any) -> None:
        """Around uvloop's own."""
        self.real, self._write, self._is_closing = transport, transport.write, transport.is_closing

    def __getattr__(self, name: str) -> Any:
        """All else is uvloop's."""
        return getattr(self.real, name)

    def write(self, data: bytes) -> None:
        """Send, or drop once the connection is closed."""
        if not self._is_closing():
            self._write(data)

    def writelines(self, parts: list[bytes]) -> None:
        """The same, several at once."""
        if not self._is_closing():
            self.real.writelines(parts)


class Loop(uvloop.Loop):
    """uvloop's; who connects is told of a transport that does not raise."""

    async def create_connection(
        self, protocol_factory: Callable[[], BaseProtocol], *where: Any, **how: Any
    ) -> tuple[Any, Any]:
        """As asyncio's."""

        def make() -> BaseProtocol:
            protocol = protocol_factory()
            told = protocol.connection_made

            def connection_made(transport: BaseTransport) -> None:
                told(Outgoing(transport))  # type: ignore[arg-type]  # it has a transport's methods

            protocol.connection_made = connection_made  # type: ignore[method-assign]
            return protocol

        transport, protocol = await super().create_connection(make, *where, **how)
        return Outgoing(transport), protocol

    async def start_tls(
        self, transport: Any, protocol: BaseProtocol, sslcontext: ssl.SSLContext, **how: Any
    ) -> Any:
        """As asyncio's."""
        real = transport.real if isinstance(transport, Outgoing) else transport
        secured = await super().start_tls(real, protocol, sslcontext, **how)
        return Outgoing(secured)
