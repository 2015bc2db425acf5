"""Events a second: the alerts service with all its rules, and its peers, on the same records."""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import asyncpg
import httpx

from operate import databases
from operate.errors import OperateError
from operate.home import HOST, Home

PATIENCE_SECONDS = 120.0


async def alerts_rate(home: Home, admin_url: str, kafka: str, events: int) -> float:
    """Events/s of a fresh alerts service, from its first event to its last."""
    await _fresh_alerts(admin_url, home)
    env = os.environ | {
        "HANDRAIL_DATABASE_URL": databases.url_of(admin_url, "alerts", home),
        "HANDRAIL_KAFKA_BOOTSTRAP": kafka,
        "HANDRAIL_HTTP_PORT": str(home.ports()["alerts"]),
        "HANDRAIL_LOG_LEVEL": "ERROR",
        "HANDRAIL_INSTANCE": f"bench-{time.monotonic_ns()}",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "alerts.app", env=env, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        return await _watched_rate(f"http://{HOST}:{home.ports()['alerts']}/status", events)
    finally:
        process.terminate()
        await process.wait()


async def _watched_rate(url: str, events: int) -> float:
    began, first, until = 0.0, 0, time.monotonic() + PATIENCE_SECONDS
    async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
        while time.monotonic() < until:
            try:
                applied = int((await client.get(url)).json()["feed"]["applied"])
            except (httpx.TransportError, ValueError, KeyError):
                applied = 0
            if applied and not began:
                began, first = time.perf_counter(), applied
            if applied >= events:
                return (applied - first) / (time.perf_counter() - began)
            await asyncio.sleep(0.1)
    message = f"alerts did not take {events} events in {PATIENCE_SECONDS:.0f} s"
    raise OperateError(message)


async def _fresh_alerts(admin_url: str, home: Home) -> None:
    conn = await asyncpg.connect(admin_url)
    try:
        await conn.execute("drop database if exists alerts with (force)")
    finally:
        await conn.close()
    await databases.prepare(admin_url, home, owns_server=False)
    url = databases.url_of(admin_url, "alerts", home)
    await asyncio.to_thread(databases.migrate, url, "alerts")


async def peer_rate(program: Path, url: str, kafka: str, events: int) -> float:
    """Events/s of a peer program, from its first event to its last."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(program),
        kafka,
        url,
        str(events),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(program.parent)},
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            output, _ = await process.communicate()
    except TimeoutError:
        message = f"the peer {program.name} did not end in {PATIENCE_SECONDS:.0f} s"
        raise OperateError(message) from None
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode:
        message = f"the peer {program.name} ended with {process.returncode}"
        raise OperateError(message)
    told = json.loads(output.splitlines()[-1])
    return float(told["events"]) / float(told["seconds"])
