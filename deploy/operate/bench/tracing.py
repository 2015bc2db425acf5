"""What tracing costs: the same calls through two systems, one of which traces the default share."""

import contextlib
import gzip
import os
from collections.abc import AsyncIterator
from pathlib import Path
from statistics import median
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from operate.bench.live import Live, running
from operate.errors import OperateError
from operate.home import Home
from operate.listener import listening

ENDPOINT = "HANDRAIL_OTLP_ENDPOINT"
PEOPLE = 200
GZIP = b"\x1f\x8b"
KINDS = ("off", "on")


async def measure(folders: dict[str, Path], rounds: int, calls: int) -> dict[str, Any]:
    """Calls a second from the first until alerts has taken the last, in turn on both systems.

    `folders` are of two new homes, by kind: `off` and `on`. A turn is `calls` single calls.
    Raises OperateError when a system that should trace does not, or the other way round.
    """
    bodies: list[bytes] = []
    rates: dict[str, list[float]] = {kind: [] for kind in KINDS}
    with listening(bodies.append) as endpoint:
        async with contextlib.AsyncExitStack() as stack:
            systems = {}
            for kind in KINDS:
                where = endpoint if kind == "on" else None
                started = _traced(Home(folders[kind]), where)
                systems[kind] = await stack.enter_async_context(started)
                await systems[kind].admit(PEOPLE)
                await systems[kind].through(calls // 4)
            before = _spans(bodies)
            for number in range(rounds):
                # Each goes first as often as second: what drifts meets both.
                for kind in KINDS if number % 2 else reversed(KINDS):
                    rates[kind].append(await systems[kind].through(calls))
        spans = _spans(bodies) - before
    if not spans:
        message = "nothing was traced: the figures would compare nothing."
        raise OperateError(message)
    return _figures(rates) | {"rounds": rounds, "calls": calls, "spans": spans}


def _figures(rates: dict[str, list[float]]) -> dict[str, Any]:
    off, on = (median(rates[kind]) for kind in KINDS)
    return {
        "calls_per_second": {"off": round(off), "on": round(on)},
        "on_to_off": round(on / off, 3),
        # The spread of the turns without tracing: what the ratio can be trusted to.
        "spread_of_off": round((max(rates["off"]) - min(rates["off"])) / off, 3),
    }


@contextlib.asynccontextmanager
async def _traced(home: Home, endpoint: str | None) -> AsyncIterator[Live]:
    """A system, with or without where its spans go; whatever starts after it is told nothing."""
    async with contextlib.AsyncExitStack() as stack:
        if endpoint:
            os.environ[ENDPOINT] = endpoint
        try:
            system = await stack.enter_async_context(running(home))
        finally:
            os.environ.pop(ENDPOINT, None)
        yield system


def _spans(bodies: list[bytes]) -> int:
    """How many spans were exported."""
    count = 0
    for body in list(bodies):
        plain = gzip.decompress(body) if body.startswith(GZIP) else body
        for resource in ExportTraceServiceRequest.FromString(plain).resource_spans:
            count += sum(len(scope.spans) for scope in resource.scope_spans)
    return count
