"""Traces and logs: the names used in both, and the way a trace goes through rows and headers."""

import logging
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, TraceIdRatioBased
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, TraceFlags

from handrail.settings import Settings

Attributes: TypeAlias = dict[str, str | int]

# Span names and attributes (OpenTelemetry semantic conventions where there is one).
SEND = "send"
PROCESS = "process"
REDRIVE = "redrive"
SYSTEM = "messaging.system"
DESTINATION = "messaging.destination.name"
PARTITION = "messaging.destination.partition.id"
BATCH_COUNT = "messaging.batch.message_count"
EVENT_TYPE = "handrail.event.type"
EVENT_ID = "handrail.event.id"
HTTP_METHOD = "http.request.method"
HTTP_ROUTE = "http.route"
HTTP_STATUS = "http.response.status_code"
DATABASE = "db.system.name"
DATABASE_OPERATION = "db.operation.name"
PROTOCOL = "network.protocol.name"
HL7_ANSWER = "handrail.hl7.answer"
NOTICE = "handrail.notice.kind"
LEVEL = "handrail.alert.level"
STREAMS = "handrail.page.streams"
ERROR = "error.type"

REPEAT_SECONDS = 10.0
_REMEMBERED = 500
_TRACER = _LOGGER = "handrail"
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
# Libraries that write message content at DEBUG are held at INFO whatever is asked for.
_CAPPED = ("aiokafka", "kafka", "faststream", "asyncio", "asyncpg", "uvicorn")


def start_tracing(service: str, settings: Settings) -> TracerProvider:
    """The tracer provider of this process; exports by OTLP where an endpoint is set."""
    sampler = TraceIdRatioBased(settings.trace_ratio) if settings.otlp_endpoint else ALWAYS_OFF
    provider = TracerProvider(
        sampler=ParentBased(sampler),
        resource=Resource.create({"service.name": service, "service.namespace": "handrail"}),
    )
    if settings.otlp_endpoint:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415  # slow
            OTLPSpanExporter,
        )

        exporter = OTLPSpanExporter(f"{settings.otlp_endpoint.rstrip('/')}/v1/traces")
        provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=500))
    trace.set_tracer_provider(provider)
    return provider


def tracer() -> trace.Tracer:
    """The one tracer of the kit and the services."""
    return trace.get_tracer(_TRACER)


def traceparent_of(context: SpanContext) -> str | None:
    """W3C `traceparent` of a span context; None when there is no trace."""
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def current_traceparent() -> str | None:
    """W3C `traceparent` of the current span."""
    return traceparent_of(trace.get_current_span().get_span_context())


def context_of(traceparent: str | None) -> SpanContext | None:
    """The span context a `traceparent` names; None when it names none."""
    parts = _TRACEPARENT.fullmatch(traceparent or "")
    if parts is None:
        return None
    trace_id, span_id, flags = (int(part, 16) for part in parts.groups())
    context = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags))
    return context if context.is_valid else None


def well_formed(traceparent: str | None) -> str | None:
    """`traceparent` if it is one; whatever else somebody wrote there goes no further."""
    return traceparent if traceparent and _TRACEPARENT.fullmatch(traceparent) else None


def is_sampled(traceparent: str | None) -> bool:
    """Whether the trace is kept. Unsampled events cost no span."""
    return bool(traceparent) and traceparent is not None and traceparent[-1] in "13579bdf"


def kept(traceparent: str | None) -> str | None:
    """The same place in the same trace, of which everything that follows is kept."""
    good = well_formed(traceparent)
    return good and f"{good[:-2]}{int(good[-2:], 16) | TraceFlags.SAMPLED:02x}"


@contextmanager
def span(
    name: str,
    kind: SpanKind,
    parent: str | None,
    attributes: Attributes,
    links: Sequence[str | None] = (),
) -> Iterator[Span]:
    """A span below `parent`, linked to `links` (traceparents).

    An exception marks it, without its text.
    """
    with tracer().start_as_current_span(
        name,
        _below(parent),
        kind,
        attributes,
        links=[Link(context) for context in map(context_of, links) if context],
        record_exception=False,
        set_status_on_exception=False,
    ) as opened:
        try:
            yield opened
        except Exception as error:
            opened.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise


@contextmanager
def span_if_kept(
    name: str, kind: SpanKind, parent: str | None, attributes: Attributes
) -> Iterator[Span]:
    """The same, and nothing at all where the trace of `parent` is not kept."""
    if not is_sampled(parent):
        yield trace.INVALID_SPAN
        return
    with span(name, kind, parent, attributes) as opened:
        yield opened


@contextmanager
def database_span(operation: str, links: Sequence[str | None] = ()) -> Iterator[None]:
    """A span of one transaction below the current span, where that one is kept."""
    if not trace.get_current_span().is_recording():
        yield
        return
    about: Attributes = {DATABASE: "postgresql", DATABASE_OPERATION: operation}
    with span(operation, SpanKind.CLIENT, current_traceparent(), about, links):
        yield


def mark(name: str, parent: str | None, attributes: Attributes) -> str | None:
    """Something that happened in no time, below `parent` and kept in any case; its traceparent."""
    if context_of(parent) is None:
        return None
    with span(name, SpanKind.INTERNAL, kept(parent), attributes):
        return current_traceparent()


def keep_failed(
    name: str, kind: SpanKind, parent: str | None, attributes: Attributes, began: int | None = None
) -> None:
    """A span of what failed where its trace was not to be kept; `began` in nanoseconds of Unix time.

    It has the trace's identifier, which the problem document and the log name too.
    """
    if context_of(parent) is None or is_sampled(parent):
        return
    opened = tracer().start_span(name, _below(kept(parent)), kind, attributes, start_time=began)
    opened.set_status(trace.StatusCode.ERROR)
    opened.end()


def _below(parent: str | None) -> Context | None:
    remote = context_of(parent)
    return trace.set_span_in_context(trace.NonRecordingSpan(remote)) if remote else None


def start_logging(service: str, level: str) -> None:
    """One JSON object a line: a fixed event name and identifiers; exceptions by class only."""
    logging.basicConfig(stream=sys.stdout, level=level.upper(), format="%(message)s", force=True)
    logging.getLogger().handlers[0].setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                _in_a_trace,
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _only_the_class_of_an_exception,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.getLogger().handlers[0].addFilter(Quieter())
    set_level(level)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_log_level,
            structlog.contextvars.merge_contextvars,
            _in_a_trace,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(service=service)


class Quieter(logging.Filter):
    """Leaves out what a library said less than `REPEAT_SECONDS` ago.

    While Kafka is away aiokafka says the same ten times a second; our own lines all stand.
    """

    def __init__(self) -> None:
        """Nothing was said yet."""
        super().__init__()
        self._said: dict[tuple[str, object], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this line is written."""
        if record.name == _LOGGER:
            return True
        line = (record.name, record.msg)
        if record.created - self._said.get(line, 0.0) < REPEAT_SECONDS:
            return False
        if len(self._said) >= _REMEMBERED:
            self._said.clear()
        self._said[line] = record.created
        return True


def set_level(level: str) -> None:
    """From which level on the log is written; also while it runs."""
    root = logging.getLogger()
    root.setLevel(level.upper())
    for name in _CAPPED:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _in_a_trace(
    _logger: object, _name: str, entry: structlog.types.EventDict
) -> structlog.types.EventDict:
    """Which trace a line belongs to, if any."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        entry["trace_id"] = f"{context.trace_id:032x}"
    return entry


def _only_the_class_of_an_exception(
    _logger: object, _name: str, entry: structlog.types.EventDict
) -> structlog.types.EventDict:
    info = entry.pop("exc_info", None)
    if isinstance(info, tuple) and info[0] is not None:
        entry["error"] = info[0].__name__
    elif isinstance(info, BaseException):
        entry["error"] = type(info).__name__
    return entry


log: structlog.stdlib.BoundLogger = structlog.get_logger(_LOGGER)
