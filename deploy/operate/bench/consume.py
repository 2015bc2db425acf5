"""Events a second: the alerts service with all its rules, and its peers, on the same records."""

import asyncio
import json
import os
import sys
import tempfile
import time
from asyncio.subprocess import Process
from statistics import median
from typing import Any

import asyncpg
import httpx

from operate import databases
from operate.bench import peers
from operate.bench.peers import Peers
from operate.errors import OperateError
from operate.home import HOST, SERVICES, Home

PATIENCE_SECONDS = 120.0


async def alerts_rate(
    home: Home, admin_url: str, kafka: str, events: int, instances: int = 1
) -> float:
    """Events/s of a fresh alerts service, from when each of its processes has taken one to the last."""
    await _fresh_alerts(admin_url, home)
    # The other services do not run here: their ports are free.
    ports = [home.ports()[name] for name in SERVICES[:instances]]
    processes = [await _alerts(home, admin_url, kafka, port) for port in ports]
    try:
        return await _watched_rate([f"http://{HOST}:{port}/status" for port in ports], events)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            await process.wait()


async def _alerts(home: Home, admin_url: str, kafka: str, port: int) -> Process:
    env = os.environ | {
        "HANDRAIL_DATABASE_URL": databases.url_of(admin_url, "alerts", home),
        "HANDRAIL_KAFKA_BOOTSTRAP": kafka,
        "HANDRAIL_HTTP_PORT": str(port),
        "HANDRAIL_LOG_LEVEL": "ERROR",
        "HANDRAIL_INSTANCE": f"bench-{time.monotonic_ns()}",
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "alerts.app", env=env, stdout=asyncio.subprocess.DEVNULL
    )


async def _watched_rate(urls: list[str], events: int) -> float:
    began, first, until = 0.0, 0, time.monotonic() + PATIENCE_SECONDS
    async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
        while time.monotonic() < until:
            each = [await _applied(client, url) for url in urls]
            applied = sum(each)
            if all(each) and not began:
                began, first = time.perf_counter(), applied
            if began and applied >= events:
                return (applied - first) / (time.perf_counter() - began)
            await asyncio.sleep(0.1)
    message = f"alerts did not take {events} events in {PATIENCE_SECONDS:.0f} s"
    raise OperateError(message)


async def _applied(client: httpx.AsyncClient, url: str) -> int:
    try:
        return int((await client.get(url)).json()["feed"]["applied"])
    except (httpx.TransportError, ValueError, KeyError):
        return 0


async def _fresh_alerts(admin_url: str, home: Home) -> None:
    conn = await asyncpg.connect(admin_url)
    try:
        await conn.execute("drop database if exists alerts with (force)")
    finally:
        await conn.close()
    await databases.prepare(admin_url, home, owns_server=False)
    url = databases.url_of(admin_url, "alerts", home)
    await asyncio.to_thread(databases.migrate, url, "alerts")


async def peer_turn(beside: Peers, name: str, url: str, kafka: str, events: int) -> list[float]:
    """Events/s of a peer in one turn; none where it was fetched but does not run on this machine."""
    try:
        return [await peer_rate(beside.commands[name], url, kafka, events)]
    except OperateError as error:
        if name in peers.PLAIN:
            message = f"the peer {name}: {error}"
            raise OperateError(message) from None
        beside.leave_out(name, str(error))
        return []


async def peer_rate(argv: list[str], url: str, kafka: str, events: int) -> float:
    """Events/s of a peer, from its first event to its last. Raises OperateError with its last words.

    It runs in an empty folder, which is removed with whatever it wrote there.
    """
    with tempfile.TemporaryDirectory(prefix="handrail-peer-") as scratch:
        process = await asyncio.create_subprocess_exec(
            *(*argv, kafka, url, str(events)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=scratch,
            env=os.environ | {"PYTHONPATH": str(peers.folder())},
        )
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                output, errors = await process.communicate()
        except TimeoutError:
            message = f"it did not end in {PATIENCE_SECONDS:.0f} s"
            raise OperateError(message) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    if process.returncode:
        last = errors.decode(errors="replace").strip().splitlines()[-1:]
        message = f"it ended with {process.returncode}: {' '.join(last)}"
        raise OperateError(message)
    told = json.loads(output.splitlines()[-1])
    return float(told["events"]) / float(told["seconds"])


def ratios(rates: dict[str, list[float]]) -> dict[str, Any]:
    """The medians, and how many times as fast as each peer alerts is."""
    middle = {name: median(found) for name, found in rates.items()}
    return {"events_per_second": {name: round(rate) for name, rate in middle.items()}} | {
        f"alerts_to_{name}": round(middle["alerts"] / rate, 1 if name == peers.EACH else 3)
        for name, rate in middle.items()
        if name != "alerts"
    }
