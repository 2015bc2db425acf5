"""Zipkin, a trace store that nobody here wrote: it is handed our spans, and gives traces back."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from operate.home import HOST, cache_folder
from operate.parts import jars, kafka
from operate.parts.jars import Jar
from tests.parts import temporary_home, until

SHA256 = "d8326e0ed4f43855dba81228f688554706e52578a7c782d9a90b73f8680654a1"
ZIPKIN = Jar("io.zipkin", "zipkin-server", "3.6.1", SHA256, "exec")
READY_SECONDS = 120
KINDS = {Span.SPAN_KIND_SERVER: "SERVER", Span.SPAN_KIND_CLIENT: "CLIENT"}
KINDS |= {Span.SPAN_KIND_PRODUCER: "PRODUCER", Span.SPAN_KIND_CONSUMER: "CONSUMER"}


@dataclass(frozen=True)
class TraceStore:
    """A Zipkin that starts or runs."""

    client: httpx.AsyncClient
    process: subprocess.Popen[bytes]

    async def is_up(self) -> bool:
        """Whether it takes spans."""
        assert self.process.poll() is None, "the trace store ended"
        try:
            return (await self.client.get("/health")).is_success
        except httpx.TransportError:
            return False

    async def keep(self, spans: list[tuple[str, Span]]) -> None:
        """Hand it what our services exported, in its own words, once it is up."""
        await until(self.is_up, "the trace store takes spans", READY_SECONDS)
        body = [_in_its_words(service, span) for service, span in spans]
        (await self.client.post("/api/v2/spans", json=body)).raise_for_status()

    async def trace(self, trace_id: str) -> list[dict[str, Any]]:
        """The spans of a trace that it knows so far."""
        answer = await self.client.get(f"/api/v2/trace/{trace_id}")
        return answer.json() if answer.status_code == httpx.codes.OK else []


@asynccontextmanager
async def running_trace_store() -> AsyncIterator[TraceStore]:
    """A store of the test's own, on loopback; it starts while the test goes on."""
    jar = await asyncio.to_thread(jars.fetch, cache_folder() / "jars", ZIPKIN)
    with temporary_home() as home:
        port = home.free_ports()["alerts"]
        words = [f"--armeria.ports[0].ip={HOST}", f"--armeria.ports[0].port={port}"]
        words.append("--armeria.ports[0].protocols[0]=http")
        process = subprocess.Popen(  # noqa: ASYNC220  # it runs beside the test
            [kafka.java(), "-Xmx128m", *kafka.THRIFT, "-jar", str(jar), *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            address = f"http://{HOST}:{port}"
            async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=20) as client:
                yield TraceStore(client, process)
        finally:
            process.kill()
            process.wait()


def _in_its_words(service: str, span: Span) -> dict[str, Any]:
    """As its API writes a span: https://zipkin.io/zipkin-api/."""
    told = {
        "traceId": span.trace_id.hex(),
        "id": span.span_id.hex(),
        "name": span.name,
        "timestamp": span.start_time_unix_nano // 1000,
        "duration": max(1, (span.end_time_unix_nano - span.start_time_unix_nano) // 1000),
        "localEndpoint": {"serviceName": service},
        "tags": {a.key: a.value.string_value or str(a.value.int_value) for a in span.attributes},
    }
    if span.parent_span_id:
        told["parentId"] = span.parent_span_id.hex()
    return told | ({"kind": KINDS[span.kind]} if span.kind in KINDS else {})
