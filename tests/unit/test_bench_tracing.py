"""The bench's collector counts what a real exporter sends, and says the ratio."""

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from operate.bench import tracing
from operate.listener import listening


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_each_exported_span_is_counted_once(compression: Compression) -> None:
    bodies: list[bytes] = []
    with listening(bodies.append) as address:
        provider = TracerProvider()
        exporter = OTLPSpanExporter(f"{address}/v1/traces", compression=compression)
        provider.add_span_processor(BatchSpanProcessor(exporter))
        for n in range(3):
            provider.get_tracer("bench").start_span(f"call {n}").end()
        provider.shutdown()

    assert tracing._spans(bodies) == 3


def test_the_ratio_is_of_the_middle_turns() -> None:
    figures = tracing._figures({"off": [90, 100, 200], "on": [10, 98, 99]})

    assert figures["on_to_off"] == 0.98
    assert figures["spread_of_off"] == 1.1
