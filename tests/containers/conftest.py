"""Handrail from its images, started once by Compose for all tests here."""

from collections.abc import Iterator

import pytest

from tests.containers.composed import Composed, images
from tests.containers.daemon import running_daemon
from tests.journeys.conftest import clinic
from tests.parts import System, temporary_home

__all__ = ["clinic"]


@pytest.fixture(scope="session")
def composed() -> Iterator[Composed]:
    """Up from nothing."""
    with running_daemon(), temporary_home() as home:
        handrail = Composed.of(home, images())
        with handrail:
            yield handrail


@pytest.fixture(scope="session")
def system(composed: Composed) -> System:
    return composed.system()


@pytest.fixture(scope="session")
def demo(composed: Composed) -> str:
    """The demo's clinic, played by its container once all services are healthy. Gives its site."""
    words = ("operate", "simulate", "--patients", "20", "--days", "14")
    said = composed.compose("run", "--rm", "--no-deps", "-T", "demo", *words)
    assert "Played 14 days at harbor-7" in said
    return "harbor-7"
