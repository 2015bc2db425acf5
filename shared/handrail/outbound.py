"""Calls to addresses that someone else chose: never into our own network unless it is allowed."""

import asyncio
import functools
import socket
import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

import httpcore

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_NAT64 = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))
_LOOPBACK_NAMES = {"localhost": "127.0.0.1"}


GONE = 410
# An address that cannot be written in a request is a ValueError.
_NOT_REACHED = (
    httpcore.ConnectError,
    httpcore.ConnectTimeout,
    httpcore.UnsupportedProtocol,
    ssl.SSLError,
    ValueError,
)
_NOT_ANSWERED = (
    TimeoutError,
    OSError,
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a try. `reached`: it may have been read, whatever was answered."""

    trouble: str | None
    reached: bool


class ForbiddenAddress(Exception):
    """The name leads to an address that nobody outside may have us call."""


def networks(written: str) -> tuple[Network, ...]:
    """Networks as written in a setting, separated by commas. Raises ValueError."""
    return tuple(ip_network(part.strip()) for part in written.split(",") if part.strip())


def may_call(address: Address, allowed: Iterable[Network] = ()) -> bool:
    """Whether an address is public, or in a network that is allowed."""
    inner = _inner(address)
    if any(one in network for one in (address, inner) for network in allowed):
        return True
    return all(_is_public(one) for one in (address, inner))


def checked(addresses: Sequence[str], allowed: Iterable[Network] = ()) -> Sequence[str]:
    """The addresses of one name, if every one may be called. Raises ForbiddenAddress."""
    if not addresses or not all(may_call(ip_address(one), allowed) for one in addresses):
        raise ForbiddenAddress
    return addresses


def can_be_named(url: str, allowed: Iterable[Network] = ()) -> bool:
    """Whether an address may be entered: TLS, or this machine itself where that is allowed."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username or parts.password or parts.fragment:
        return False
    if parts.scheme == "mllps":
        return port is not None
    if parts.scheme == "https":
        return True
    try:
        literal = ip_address(_LOOPBACK_NAMES.get(host, host))
    except ValueError:
        return False
    is_plain = parts.scheme == "http" or (parts.scheme == "mllp" and port is not None)
    return is_plain and literal.is_loopback and may_call(literal, allowed)


@dataclass
class Guarded(httpcore.AsyncNetworkBackend):
    """Resolves a name once, checks every address, and connects to one that was checked."""

    allowed: Sequence[Network] = ()
    inner: httpcore.AsyncNetworkBackend = field(default_factory=httpcore.AnyIOBackend)

    async def connect_tcp(  # the library's own signature
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # the same
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection. Raises ForbiddenAddress, httpcore.ConnectError or ConnectTimeout."""
        addresses = checked(await _resolve(host, port), self.allowed)
        for address in addresses[:-1]:
            try:
                return await self.inner.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self.inner.connect_tcp(
            addresses[-1], port, timeout, local_address, socket_options
        )


@functools.cache
def authorities(_protocol: Literal["http", "mllp"] = "http") -> ssl.SSLContext:
    """Whom this machine trusts; read once, as that takes 40 ms in which nothing else runs.

    One for each protocol: HTTP's clients write its name into theirs.
    """
    return ssl.create_default_context()


def client(allowed: Sequence[Network] = ()) -> httpcore.AsyncConnectionPool:
    """A client that follows no redirect, reads no proxy setting and calls only what it may."""
    return httpcore.AsyncConnectionPool(
        ssl_context=authorities(),
        max_connections=100,
        keepalive_expiry=5,
        network_backend=Guarded(allowed),
    )


async def post(
    pool: httpcore.AsyncConnectionPool,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    seconds: float,
) -> Outcome:
    """Send, and say what became of it; the answer's body is not read. No address can raise."""
    try:
        status = await _status(pool, url, body, headers, seconds)
    except ForbiddenAddress:
        return Outcome("address_forbidden", reached=False)
    except _NOT_REACHED as error:
        return Outcome(type(error).__name__.lower(), reached=False)
    except _NOT_ANSWERED as error:
        return Outcome(type(error).__name__.lower(), reached=True)
    if status == GONE:
        return Outcome("gone", reached=True)
    return Outcome(None if 200 <= status < 300 else f"http_{status}", reached=True)


async def _status(
    pool: httpcore.AsyncConnectionPool,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    seconds: float,
) -> int:
    limits = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
    sent: list[tuple[bytes | str, bytes | str]] = [*headers.items()]
    sent += [("host", urlsplit(url).netloc), ("content-length", str(len(body)))]
    async with (
        asyncio.timeout(seconds),
        pool.stream(
            "POST", url.encode("ascii"), headers=sent, content=body, extensions={"timeout": limits}
        ) as answer,
    ):
        return int(answer.status)


async def addresses(host: str, port: int, allowed: Iterable[Network] = ()) -> Sequence[str]:
    """The addresses of a name, each checked. Raises ForbiddenAddress or OSError."""
    try:
        return checked(await _resolve(host, port), allowed)
    except httpcore.ConnectError as error:
        raise OSError from error


async def _resolve(host: str, port: int) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError from error
    return list(dict.fromkeys(str(where[4][0]).partition("%")[0] for where in found))


def _is_public(address: Address) -> bool:
    is_old_local = isinstance(address, IPv6Address) and address.is_site_local
    return address.is_global and not address.is_multicast and not is_old_local


def _inner(address: Address) -> Address:
    """The IPv4 address inside one of IPv6 that leads to it."""
    if isinstance(address, IPv4Address):
        return address
    if any(address in network for network in _NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)
