"""What a command costs with 1,000 admissions in the tables, and with many."""

import asyncio
import json
import sys
from statistics import geometric_mean
from typing import Any

import asyncpg

from handrail.sight import SEES_ALL
from operate import databases
from operate.bench import filling
from operate.errors import OperateError
from operate.home import Home, source_folder

FEW = 1_000
SITE = "north"


async def measure(home: Home, admin: str, many: int, rounds: int) -> dict[str, Any]:
    """Per service: milliseconds of each command on both, and the ratio over all of them."""
    found = {}
    for service in filling.BY_SERVICE:
        await asyncio.to_thread(databases.migrate, databases.url_of(admin, service, home), service)
        urls = [await _filled(home, admin, service, count) for count in (FEW, many)]
        took = await _desk(service, urls, rounds)
        found[service] = {
            "milliseconds": {do: [round(ms, 2) for ms in pair] for do, pair in took.items()},
            "ratio": round(geometric_mean(long / short for short, long in took.values()), 3),
        }
    return {"admissions": [FEW, many]} | found


async def _filled(home: Home, admin: str, service: str, count: int) -> str:
    name = f"{service}_{count}"
    conn = await asyncpg.connect(admin)
    try:
        await conn.execute(f"drop database if exists {name} with (force)")
        await conn.execute(f"create database {name} template {service} owner {service}")
    finally:
        await conn.close()
    base, _, query = databases.url_of(admin, service, home).rpartition(f"/{service}")
    url = f"{base}/{name}{query}"
    conn = await asyncpg.connect(url, server_settings=SEES_ALL)
    try:
        await conn.execute(filling.SITE, SITE)
        await conn.execute(filling.BY_SERVICE[service], count, SITE)
        await conn.execute("vacuum analyze")
    finally:
        await conn.close()
    return url


async def _desk(service: str, urls: list[str], rounds: int) -> dict[str, list[float]]:
    program = [sys.executable, "-m", "tests.bench.desk", *urls, service, str(rounds)]
    process = await asyncio.create_subprocess_exec(
        *program, cwd=source_folder(), stdout=asyncio.subprocess.PIPE
    )
    told, _ = await process.communicate()
    if process.returncode:
        message = f"the desk of {service} did not end well; its lines stand above"
        raise OperateError(message)
    took: dict[str, list[float]] = json.loads(told)
    return took
