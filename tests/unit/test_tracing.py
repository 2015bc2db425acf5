"""Which part of a trace is kept, and what hangs below what."""

import json
import logging
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import SpanKind, StatusCode

from handrail import telemetry

TRACE, SPAN = "ab" * 16, "cd" * 8
LEFT_OUT, KEPT = f"00-{TRACE}-{SPAN}-00", f"00-{TRACE}-{SPAN}-01"


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """What is exported where no trace is kept unless its parent was."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=ParentBased(ALWAYS_OFF))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "tracer", lambda: provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


def finished(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in exporter.get_finished_spans()}


def is_below(span: ReadableSpan, above: ReadableSpan) -> bool:
    return span.parent is not None and span.parent.span_id == above.context.span_id


@pytest.mark.parametrize(
    ("given", "wanted"), [(LEFT_OUT, KEPT), (KEPT, KEPT), (None, None), ("no trace", None)]
)
def test_a_place_is_kept_in_its_own_trace(given: str | None, wanted: str | None) -> None:
    assert telemetry.kept(given) == wanted


def test_an_alert_is_kept_where_its_cause_was_not(exported: InMemorySpanExporter) -> None:
    with telemetry.span("call", SpanKind.SERVER, LEFT_OUT, {}):
        below = telemetry.mark("raise alert", telemetry.current_traceparent(), {"level": 0})
    with telemetry.span_if_kept("send", SpanKind.PRODUCER, below, {}):
        pass

    spans = finished(exported)
    assert set(spans) == {"raise alert", "send"}
    assert f"{spans['send'].context.trace_id:032x}" == TRACE
    assert is_below(spans["send"], spans["raise alert"])


def test_what_hangs_below_nothing_is_marked_nowhere(exported: InMemorySpanExporter) -> None:
    assert telemetry.mark("raise alert", None, {}) is None
    assert finished(exported) == {}


def test_what_failed_is_kept_once(exported: InMemorySpanExporter) -> None:
    telemetry.keep_failed("call", SpanKind.SERVER, LEFT_OUT, {"http": 500})
    telemetry.keep_failed("other", SpanKind.SERVER, KEPT, {})

    [failed] = exported.get_finished_spans()
    assert failed.name == "call"
    assert failed.status.status_code == StatusCode.ERROR


def test_a_transaction_of_many_is_linked_to_the_others(exported: InMemorySpanExporter) -> None:
    with (
        telemetry.span("process", SpanKind.CONSUMER, KEPT, {}),
        telemetry.database_span("apply", [f"00-{'12' * 16}-{SPAN}-01", None]),
    ):
        pass
    with telemetry.span("process", SpanKind.CONSUMER, LEFT_OUT, {}), telemetry.database_span("x"):
        pass

    spans = finished(exported)
    assert set(spans) == {"process", "apply"}
    assert is_below(spans["apply"], spans["process"])
    assert [f"{link.context.trace_id:032x}" for link in spans["apply"].links] == ["12" * 16]


def test_a_line_of_the_log_names_its_trace(
    exported: InMemorySpanExporter, capsys: pytest.CaptureFixture[str]
) -> None:
    telemetry.start_logging("test", "INFO")
    with telemetry.span("call", SpanKind.SERVER, KEPT, {}):
        telemetry.log.info("ours")
        logging.getLogger("uvicorn").warning("a library's")
    telemetry.log.info("outside")

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line.get("trace_id") for line in lines] == [TRACE, TRACE, None]
    assert len(exported.get_finished_spans()) == 1
