"""Runbook pages, and somebody who does what stands in them and nothing else."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from operate.drill.cluster import connected
from operate.drill.faults import database_url
from operate.errors import OperateError
from operate.home import Home, source_folder

COMMAND = "./handrail "
CALLS = ("GET ", "POST ", "PUT ")


def page_of(alarm: str) -> Path:
    """Where an alarm's page stands."""
    return Path(source_folder(), "docs", "runbooks", f"{alarm}.md")


@dataclass
class Pages:
    """Carries out steps of the pages on one home, and keeps which."""

    home: Home
    done: dict[str, list[str]] = field(default_factory=dict)

    async def follow(self, alarm: str, step: str, **names: str) -> str:
        """Do a step that stands between backticks in the alarm's page; gives what was answered.

        A step is a command of ours, a call of a service (`service` says of which), or a statement
        for PostgreSQL. `names` are what its words in capitals, and those in braces, stand for.
        Raises OperateError when the page has no such step, or it fails.
        """
        if f"`{step}`" not in page_of(alarm).read_text():
            message = f"docs/runbooks/{alarm}.md has no step `{step}`."
            raise OperateError(message)
        self.done.setdefault(alarm, []).append(step)
        filled = step
        for name, value in names.items():
            filled = filled.replace(name.upper(), value).replace(f"{{{name}}}", value)
        if filled.startswith(COMMAND):
            return await self._command(filled.removeprefix(COMMAND).split())
        if filled.startswith(CALLS):
            return await self._call(names["service"], *filled.split())
        return await self._statement(filled)

    async def _command(self, words: list[str]) -> str:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "operate", *words),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=os.environ | {"HANDRAIL_HOME": str(self.home.folder)},
        )
        told, _ = await process.communicate()
        # `status` says by its code what it says in words: that something is not well.
        if process.returncode and words[0] != "status":
            message = f"`./handrail {' '.join(words)}` failed: {told.decode().strip()}"
            raise OperateError(message)
        return told.decode()

    async def _call(self, service: str, method: str, path: str) -> str:
        addresses = self.home.addresses()
        async with httpx.AsyncClient(
            base_url=getattr(addresses, service), timeout=30, trust_env=False, auth=addresses.auth()
        ) as client:
            answer = await client.request(method, path)
        if answer.is_error and path != "/health/ready":
            message = f"{method} {path} of {service} was answered {answer.status_code}."
            raise OperateError(message)
        return answer.text

    async def _statement(self, statement: str) -> str:
        async with connected(database_url(self.home, "postgres")) as conn:
            rows: list[Any] = await conn.fetch(statement)
        return json.dumps([dict(row) for row in rows])
