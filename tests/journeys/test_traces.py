"""One trace from the empty chair to the alert, as an OTLP collector receives it."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.journeys.clinic import Clinic
from tests.parts import running_system, until

CHAIN = [
    ("attendance", "POST /v1/command"),
    ("attendance", "send attendance.events"),
    ("alerts", "process attendance.events"),
    ("alerts", "send alerts.events"),
]


class Collector:
    """Every span that was exported, with the service that sent it."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.spans: list[tuple[str, Span]] = []

    def take(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            about = {a.key: a.value.string_value for a in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [(about["service.name"], span) for span in scope.spans]

    def leads(self, trace_id: str, chain: list[tuple[str, str]]) -> bool:
        """Whether these spans of a trace stand in it, from its root on, each a child of the last."""
        at = {b""}
        for link in chain:
            at = {
                span.span_id
                for service, span in self.spans
                if span.trace_id.hex() == trace_id
                and span.parent_span_id in at
                and (service, span.name) == link
            }
        return bool(at)


@contextmanager
def running_collector(collector: Collector) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            packed = self.headers.get("content-encoding") == "gzip"
            collector.take(gzip.decompress(body) if packed else body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_one_trace_leads_from_the_empty_chair_to_the_alert() -> None:
    collector = Collector()
    with (
        running_collector(collector) as endpoint,
        running_system(HANDRAIL_OTLP_ENDPOINT=endpoint, HANDRAIL_TRACE_RATIO="1") as system,
    ):
        async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
            clinic = Clinic(system, client, "north")
            person = await clinic.admitted()
            await clinic.missed(person, 3)
            await clinic.known_to_alerts(person)
            await clinic.missed(person, 1)
            concern = await clinic.concern(person, level=2)
            [alert] = concern["alerts"]

            async def whole_chain() -> bool:
                return collector.leads(alert["trace_id"], CHAIN)

            await until(whole_chain, "the whole chain of spans")

    texts = [str(span) for _, span in collector.spans]
    assert not any(str(person) in text for text in texts)
    sent = [s for name, s in collector.spans if s.name == "send alerts.events"]
    assert any("alerts.alert_raised.v1" in str(span) for span in sent)
