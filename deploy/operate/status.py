"""What runs, where, how well, and what it says about itself."""

import asyncio
import os
from typing import Any

import httpx
import psutil

from operate.ground import EXTERNAL_DATABASE
from operate.home import SERVICES, Home
from operate.parts import kafka, postgres
from operate.parts.postgres import Postgres
from operate.processes import memory_mb


def supervisor_pid(home: Home) -> int | None:
    """The process that supervises this home, if it runs."""
    pid = home.read("run.json").get("supervisor", {}).get("pid")
    try:
        words = psutil.Process(pid).cmdline() if isinstance(pid, int) else []
    except psutil.Error:
        return None
    # The number may belong to another program by now: ours runs this package.
    return pid if any("operate" in word or "handrail" in word for word in words) else None


async def look(home: Home) -> dict[str, Any]:
    """The state of everything, as `status --json` prints it."""
    run = home.read("run.json")
    pid = supervisor_pid(home)
    if pid is None:
        run = {}
    parts = run.get("parts", {})
    services = run.get("services", {})
    seen = await asyncio.gather(
        _postgres(home, parts.get("postgres", {})),
        _kafka(parts.get("kafka", {})),
        *(_service(services.get(name, {}), home.addresses().auth()) for name in SERVICES),
    )
    return {
        "home": str(home.folder),
        "state": run.get("state", "stopped"),
        "started_at": run.get("started_at"),
        "supervisor": {"pid": pid, "rss_mb": memory_mb(pid)},
        "parts": {"postgres": seen[0], "kafka": seen[1]},
        "services": dict(zip(SERVICES, seen[2:], strict=True)),
    }


def is_healthy(state: dict[str, Any]) -> bool:
    """Whether everything runs and answers."""
    everything = [*state["parts"].values(), *state["services"].values()]
    return state["state"] == "ready" and all(one["health"] == "ok" for one in everything)


async def _postgres(home: Home, part: dict[str, Any]) -> dict[str, Any]:
    url = os.environ.get(EXTERNAL_DATABASE)
    if part.get("pid") and not part.get("external"):
        url = Postgres(home.folder / "postgres", _port(part), home.log("postgres")).admin_url()
    good = bool(part and url) and await postgres.answers(str(url))
    return _entry(part, good) | {"rss_mb": memory_mb(part.get("pid"), children=True)}


async def _kafka(part: dict[str, Any]) -> dict[str, Any]:
    good = bool(part.get("address")) and await kafka.answers(part["address"])
    return _entry(part, good)


async def _service(part: dict[str, Any], auth: httpx.Auth) -> dict[str, Any]:
    detail: dict[str, Any] = {}
    good = False
    if part:
        async with httpx.AsyncClient(
            base_url=part["address"], timeout=5, trust_env=False, auth=auth
        ) as client:
            ready, status = await asyncio.gather(
                _get(client, "/health/ready"), _get(client, "/status")
            )
        good = ready[0] == httpx.codes.OK
        detail = {"ready": ready[1], "status": status[1]}
    return _entry(part, good) | {"detail": detail}


async def _get(client: httpx.AsyncClient, path: str) -> tuple[int, Any]:
    try:
        answer = await client.get(path)
        return answer.status_code, answer.json()
    except (httpx.HTTPError, ValueError) as error:
        return 0, {"error": type(error).__name__}


def _entry(part: dict[str, Any], good: bool) -> dict[str, Any]:  # noqa: FBT001  # it is the fact told
    health = "ok" if good else "not answering" if part else "stopped"
    pid = part.get("pid")
    return {"pid": pid, "address": part.get("address"), "health": health, "rss_mb": memory_mb(pid)}


def _port(part: dict[str, Any]) -> int:
    return int(str(part["address"]).rpartition(":")[2])
