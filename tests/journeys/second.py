"""A second alerts process beside the running one, set otherwise; and a provider of its own."""

import asyncio
import contextlib
import json
import os
import socket
import sys
from collections.abc import AsyncIterator

import httpx

from operate.home import HOST
from tests.parts import System, until


def free_port() -> int:
    """A port nobody uses now."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])


@contextlib.asynccontextmanager
async def running(argv: list[str], url: str, env: dict[str, str]) -> AsyncIterator[None]:
    """A process that is ended afterwards; it is waited for until `url` answers."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *argv,
        env=os.environ | env,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with httpx.AsyncClient(trust_env=False) as client:

            async def answers() -> bool:
                with contextlib.suppress(httpx.HTTPError):
                    return (await client.get(url)).is_success
                assert process.returncode is None, f"{argv} has ended"
                return False

            await until(answers, f"{url} answers", seconds=90)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@contextlib.asynccontextmanager
async def second_alerts(system: System, **env: str) -> AsyncIterator[str]:
    """Another alerts on the same database and topics; gives its address."""
    home, ports, port = system.home, system.home.ports(), free_port()
    password = home.secret("database_alerts")
    base = f"http://{HOST}:{port}"
    words = {
        "HANDRAIL_HOME": f"{home.folder}/second",
        "HANDRAIL_INSTANCE": "2",
        "HANDRAIL_DATABASE_URL": f"postgresql://alerts:{password}@{HOST}:{ports['postgres']}/alerts",
        "HANDRAIL_KAFKA_BOOTSTRAP": f"{HOST}:{ports['kafka']}",
        "HANDRAIL_HTTP_HOST": HOST,
        "HANDRAIL_HTTP_PORT": str(port),
    }
    async with running(["-m", "alerts.app"], f"{base}/health/live", words | env):
        yield base


@contextlib.asynccontextmanager
async def running_provider(*people: dict[str, object]) -> AsyncIterator[str]:
    """A real OpenID Connect provider in a process of its own, that knows these people."""
    port = free_port()
    base = f"http://{HOST}:{port}"
    argv = ["-m", "oidc_provider_mock", "--host", HOST, "--port", str(port)]
    for one in people:
        argv += ["--user-claims", json.dumps(one)]
    async with running(argv, f"{base}/.well-known/openid-configuration", {}):
        yield base
