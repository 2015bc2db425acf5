"""The HTTP server of a service: on a socket it is handed or makes, with an end that cuts off nobody."""

import asyncio
import contextlib
import socket

import uvicorn
from fastapi import FastAPI

from handrail.settings import Settings

# How long a client has, once we are to end, to hear `connection: close` on its next answer.
LEAVE_SECONDS = 1.0
# Longer than clients and proxies keep an idle connection (often 5 to 60 s): whoever closes first must
# not be we, under a request that is on its way.
IDLE_SECONDS = 75


class Server(uvicorn.Server):
    """Takes no new connection, lets those that are there go by themselves, and then closes.

    Before that it stays for `leave_seconds`: whoever sends requests to several instances finds out.
    """

    leave_seconds = 0.0

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End. uvicorn alone would close what idles at once, under a request on its way."""
        await asyncio.sleep(self.leave_seconds)
        for server in self.servers:
            server.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_SECONDS):
                while self.server_state.connections:  # noqa: ASYNC110  # uvicorn sets no event
                    await asyncio.sleep(0.02)
        await super().shutdown(sockets)


def make(app: FastAPI, settings: Settings) -> Server:
    """A server that has not begun."""
    config = uvicorn.Config(
        app,
        host=settings.http_host,
        port=settings.http_port,
        log_config=None,
        access_log=False,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=5,
        server_header=False,
    )
    server = Server(config)
    server.leave_seconds = settings.http_leave_seconds
    return server


def handed(settings: Settings) -> list[socket.socket] | None:
    """The listening socket this process was started with, if it was."""
    if settings.http_fd is None:
        return None
    return [socket.socket(fileno=settings.http_fd)]
