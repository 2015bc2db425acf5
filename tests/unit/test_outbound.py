"""Which addresses may be called, and which may be entered: a table of attacks."""

from ipaddress import ip_address

import httpcore
import pytest

from handrail import outbound
from handrail.outbound import ForbiddenAddress, Guarded, can_be_named, may_call, networks

INSIDE = """
127.0.0.1 127.1.2.3 0.0.0.0 10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.254
192.168.0.1 169.254.169.254 169.254.170.2 100.64.0.1 100.127.255.254 192.0.0.1
192.0.2.1 198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1
255.255.255.255 ::1 :: fe80::1 fc00::1 fd00:ec2::254 ff02::1 2001:db8::1
::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:7f00:1 64:ff9b::7f00:1
64:ff9b::a9fe:a9fe 64:ff9b:1::a00:1 2002:7f00:1:: 2002:a00:1:: 2002:a9fe:a9fe::
2001:0:0:0:0:0:80ff:fffe fec0::1 100::1
"""
OUTSIDE = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", INSIDE.split())
def test_nothing_inside_is_called(address: str) -> None:
    assert not may_call(ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE)
def test_the_open_network_is(address: str) -> None:
    assert may_call(ip_address(address))


def test_what_is_allowed_is_called_and_nothing_beside_it() -> None:
    allowed = networks("127.0.0.0/8, 10.2.0.0/16")

    may = ("127.0.0.1", "10.2.3.4", "::ffff:10.2.0.1")
    assert all(may_call(ip_address(address), allowed) for address in may)
    assert not any(may_call(ip_address(a), allowed) for a in ("10.3.0.1", "::1", "192.168.0.1"))


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("https://hospital.example/hook", True),
        ("https://hospital.example:8443/hook?a=b", True),
        ("http://hospital.example/hook", False),
        ("http://10.0.0.1/", False),
        ("http://127.0.0.1:9000/hook", True),
        ("http://localhost:9000/hook", True),
        ("http://[::1]:9000/", False),
        ("http://127.0.0.1.nip.io/", False),
        ("https://user@hospital.example/", False),
        ("https://user:word@hospital.example/", False),
        ("https://hospital.example/#part", False),
        ("https:///nowhere", False),
        ("https://hospital.example:port/", False),
        ("ftp://hospital.example/", False),
        ("file:///etc/passwd", False),
        ("gopher://127.0.0.1:6379/_x", False),
        ("hospital.example", False),
        ("", False),
    ],
)
def test_an_address_is_entered_with_tls_or_is_this_machine(url: str, may: bool) -> None:  # noqa: FBT001
    assert can_be_named(url, networks("127.0.0.0/8")) is may
    if url.startswith("http:"):
        assert not can_be_named(url)


# Every way to write 127.0.0.1 that a resolver takes, and a name of it.
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "::1", "0"]
)  # fmt: skip
async def test_what_a_name_leads_to_is_checked_before_the_connection(host: str) -> None:
    with pytest.raises((ForbiddenAddress, httpcore.ConnectError)):
        await Guarded().connect_tcp(host, 9, timeout=5)


def test_one_address_inside_is_enough_to_refuse_a_name() -> None:
    assert outbound.checked(["8.8.8.8", "1.1.1.1"]) == ["8.8.8.8", "1.1.1.1"]
    for addresses in (["8.8.8.8", "169.254.169.254"], ["::1", "8.8.8.8"], []):
        with pytest.raises(ForbiddenAddress):
            outbound.checked(addresses)


@pytest.mark.parametrize(
    ("url", "trouble"),
    [
        ("https://hospital.example/\u00e4", "unicodeencodeerror"),
        ("gopher://hospital.example/", "unsupportedprotocol"),
        ("http://127.0.0.1:9/", "address_forbidden"),
        ("http://10.0.0.1/", "address_forbidden"),
    ],
)
async def test_no_address_raises_it_is_told_and_was_not_reached(url: str, trouble: str) -> None:
    async with outbound.client() as calling:
        told = await outbound.post(calling, url, b"{}", {}, 5)

    assert told == outbound.Outcome(trouble, reached=False)
