"""A real Prometheus that watches one home, with the project's own rules made shorter."""

import asyncio
import contextlib
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx

from operate.drill.alarms.shorter import divided, placed
from operate.errors import OperateError
from operate.home import HOST, SERVICES, Home, source_folder, unused_ports
from operate.processes import Child

START_SECONDS = 30.0
LOOK_SECONDS = 0.2
FIRING, INACTIVE = "firing", "inactive"


class Prometheus:
    """`start`, then ask for the state of alarms, then `stop`."""

    def __init__(self, home: Home, factor: int) -> None:
        """`factor` is what all durations are divided by."""
        self.home, self.factor = home, factor
        self.folder = home.folder / "prometheus"
        self.address = f"{HOST}:{next(unused_ports())}"
        self.child = Child("prometheus", self._argv(), home.log("prometheus"))

    async def start(self) -> None:
        """Write its files, start it and wait until it answers. Raises OperateError."""
        self._write_files()
        self.child.start()
        async with httpx.AsyncClient(trust_env=False) as client:
            until = time.monotonic() + START_SECONDS
            while not await self._is_ready(client):
                if not self.child.is_alive() or time.monotonic() > until:
                    message = f"Prometheus {self.child.ending()}: {self.child.last_words()}"
                    raise OperateError(message)
                await asyncio.sleep(LOOK_SECONDS)

    async def stop(self) -> None:
        """End it."""
        await self.child.stop()

    async def states(self) -> dict[str, str]:
        """Each alarm: inactive, pending or firing. Raises OperateError for a rule that fails."""
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"http://{self.address}/api/v1/rules")
        rules: list[dict[str, Any]] = [
            rule
            for group in answer.raise_for_status().json()["data"]["groups"]
            for rule in group["rules"]
        ]
        for rule in rules:
            if rule["health"] == "err":
                message = f"Prometheus cannot reckon {rule['name']}: {rule['lastError']}"
                raise OperateError(message)
        return {rule["name"]: rule["state"] for rule in rules if rule["type"] == "alerting"}

    async def until(self, alarms: Iterable[str], state: str, seconds: float) -> dict[str, float]:
        """When each alarm was first seen in that state, on the monotonic clock.

        Those that did not get there within the time are left out.
        """
        waiting, seen = set(alarms), dict[str, float]()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while waiting:
                    states = await self.states()
                    there = {name for name in waiting if states.get(name) == state}
                    seen |= dict.fromkeys(there, time.monotonic())
                    waiting -= there
                    await asyncio.sleep(LOOK_SECONDS)
        return seen

    async def _is_ready(self, client: httpx.AsyncClient) -> bool:
        try:
            answer = await client.get(f"http://{self.address}/-/ready")
        except httpx.TransportError:
            return False
        return answer.status_code == httpx.codes.OK

    def _write_files(self) -> None:
        observe = Path(source_folder(), "deploy", "observe")
        ports = self.home.ports()
        addresses = {name: f"{HOST}:{ports[name]}" for name in SERVICES}
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("prometheus.yml", "rules.yml"):
            text = divided((observe / name).read_text(), self.factor)
            (self.folder / name).write_text(placed(text, addresses))

    def _argv(self) -> list[str]:
        program = shutil.which("prometheus")
        if program is None:
            message = "prometheus is not here; on Debian: apt-get install prometheus."
            raise OperateError(message)
        return [
            program,
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address={self.address}",
            "--log.level=warn",
        ]
