"""One running Handrail for all journeys; each is a site of its own."""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import Browser

from handrail.outbound import authorities
from tests.journeys.browser import running_chromium
from tests.journeys.clinic import Clinic
from tests.parts import System, running_system


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    # Subscribers of these tests listen on loopback, which no installation allows by itself.
    with running_system(HANDRAIL_EGRESS_ALLOW="127.0.0.0/8") as running:
        yield running


@pytest.fixture
async def clinic(system: System) -> AsyncIterator[Clinic]:
    """A site nobody has heard of yet."""
    async with httpx.AsyncClient(timeout=20, trust_env=False, verify=authorities()) as client:
        yield Clinic(system, client, f"site-{uuid4().hex[:12]}")


@pytest.fixture(scope="session")
async def one_chromium() -> AsyncIterator[Browser]:
    async with running_chromium() as browser:
        yield browser


@pytest.fixture
async def chromium(one_chromium: Browser) -> AsyncIterator[Browser]:
    """A browser with nobody's cookies; its windows are closed after each test."""
    yield one_chromium
    for context in one_chromium.contexts:
        await context.close()
