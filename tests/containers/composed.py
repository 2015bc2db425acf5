"""Handrail by docker-compose.yml, as the command of either generation starts it."""

import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import pytest
from testcontainers.compose import DockerCompose

from operate.addresses import Addresses
from operate.home import SERVICES, Home
from tests.containers.daemon import docker
from tests.parts import System

ROOT = Path(__file__).parents[2]
OUTSIDE = "tests/containers/outside.yml"
FILES = ["docker-compose.yml", "docker-compose.override.yml", OUTSIDE]
BEHIND_THE_DOOR = ["docker-compose.yml", "deploy/door/compose.yml", OUTSIDE]
SKIPPED = 77
PATIENCE_SECONDS = 180
STAND_INS = {
    "PYTHON_IMAGE": "handrail-local/python",
    "POSTGRES_IMAGE": "handrail-local/postgres",
    "KAFKA_IMAGE": "handrail-local/kafka",
    "HAPROXY_IMAGE": "handrail-local/haproxy",
    "HANDRAIL_IMAGE": "handrail:local",
}


def images() -> dict[str, str]:
    """The images: those that the environment names, else the stand-ins, made now."""
    named = {name: os.environ[name] for name in STAND_INS if name in os.environ}
    if len(named) == len(STAND_INS):
        return named
    made = subprocess.run(
        [ROOT / "deploy" / "local-images" / "build"],
        check=False,
        capture_output=True,
        text=True,
    )
    if made.returncode == SKIPPED:
        pytest.skip(made.stderr.strip().splitlines()[-1])
    assert made.returncode == 0, made.stderr
    return STAND_INS


def command() -> list[str]:
    """Compose's command: Docker's plugin, or the program that was before it."""
    if docker("compose", "version").returncode == 0:
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    pytest.skip("there is no Compose: apt-get install docker-compose")


@dataclass
class Composed(DockerCompose):
    """One Handrail in containers, on ports of its own."""

    home: Home = field(kw_only=True)
    images: dict[str, str] = field(kw_only=True)
    files: list[str] = field(kw_only=True, default_factory=FILES.copy)

    @classmethod
    def of(cls, home: Home, images: dict[str, str]) -> "Composed":
        """Nothing is started yet. Ports are chosen as every home chooses them."""
        home.free_ports()
        return cls(ROOT, wait=False, home=home, images=images)

    def __post_init__(self) -> None:
        """Write down what the files leave open, where Compose finds it."""
        super().__post_init__()
        content = "".join(f"{name}={value}\n" for name, value in self.settings().items())
        (self.home.folder / "compose.env").write_text(content)

    def settings(self) -> dict[str, str]:
        """What the files leave open: images and ports."""
        ports = self.home.ports().items()
        return self.images | {f"HANDRAIL_PORT_{name.upper()}": str(port) for name, port in ports}

    @cached_property
    def compose_command_property(self) -> list[str]:
        """The words before each command."""
        words = [*command(), "--project-name", self.project]
        words += [word for file in self.files for word in ("--file", file)]
        return [*words, "--env-file", str(self.home.folder / "compose.env")]

    @property
    def project(self) -> str:
        """What Compose calls all of it."""
        return self.home.folder.name

    def start(self) -> None:
        """Up, and wait until every service says that it is ready."""
        super().start()
        until = time.monotonic() + PATIENCE_SECONDS
        while away := [name for name in SERVICES if not self.is_ready(name)]:
            assert time.monotonic() < until, f"not ready: {away}\n{self.compose('logs')}"
            time.sleep(0.5)

    def is_ready(self, service: str) -> bool:
        """Whether it says so at its published port."""
        url = f"{getattr(self.system().addresses, service)}/health/ready"
        try:
            return httpx.get(url, timeout=5, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def compose(self, *words: str) -> str:
        """Run a command of Compose. Raises CalledProcessError."""
        done = self._run_command([*self.compose_command_property, *words])
        return done.stdout.decode(errors="replace")

    def system(self) -> System:
        """How it is spoken with from this machine; the page calls itself localhost."""
        ports = self.home.ports()
        urls = {name: f"http://localhost:{ports[name]}" for name in SERVICES}
        return System(self.home, Addresses(**urls))

    def ids(self, *words: str) -> list[str]:
        """The containers of these services; of all without a word."""
        return self.compose("ps", "--quiet", *words).split()

    def inspect(self, *services: str) -> dict[str, dict[str, Any]]:
        """What Docker knows of the containers of these services; of all without a word."""
        ids = self.ids("--all", *services)
        found = json.loads(docker("inspect", *ids).stdout)
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in found}
