"""The numbers a service shows to Prometheus: every name stands here, and docs/metrics.md is made from it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)

REGISTRY = CollectorRegistry()

# What comes from people and other systems.
REQUESTS = Counter(
    "handrail_http_requests",
    "Requests answered, by route and status.",
    ("method", "route", "status"),
    registry=REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "handrail_http_request_seconds",
    "Time to the first byte of the answer.",
    ("method", "route"),
    buckets=SECONDS,
    registry=REGISTRY,
)

# What goes out.
SENT = Counter("handrail_events_sent", "Events the broker has taken.", registry=REGISTRY)
BACKLOG = Gauge("handrail_outbox_backlog", "Events staged and not sent yet.", registry=REGISTRY)
OLDEST = Gauge(
    "handrail_outbox_oldest_seconds", "Age of the oldest event not sent yet.", registry=REGISTRY
)
STUMBLES = Counter(
    "handrail_waits",
    "Bad moments waited out in place, by loop and class of error.",
    ("loop", "error"),
    registry=REGISTRY,
)

# What comes in.
APPLIED = Counter(
    "handrail_events_applied", "Events applied, by topic.", ("topic",), registry=REGISTRY
)
BATCH_SECONDS = Histogram(
    "handrail_batch_seconds",
    "Time of one transaction: a batch of one partition claimed, applied, committed.",
    ("topic",),
    buckets=SECONDS,
    registry=REGISTRY,
)
REFUSED = Counter(
    "handrail_batches_refused",
    "Batches in which an event could never be applied.",
    ("topic",),
    registry=REGISTRY,
)
HL7 = Counter(
    "handrail_hl7_messages", "HL7 messages answered, by outcome.", ("state",), registry=REGISTRY
)
FHIR = Counter(
    "handrail_fhir_taken",
    "FHIR resources and bundles taken, by outcome.",
    ("state",),
    registry=REGISTRY,
)
LAG = Gauge("handrail_feed_lag", "Records not taken yet, by topic.", ("topic",), registry=REGISTRY)
LETTERS = Gauge(
    "handrail_dead_letters", "Records kept, parked or behind one.", ("state",), registry=REGISTRY
)
PARKED = Gauge(
    "handrail_parked_admissions", "Admissions held up by a dead letter.", registry=REGISTRY
)
LAST_SUCCESS = Gauge(
    "handrail_last_success_timestamp_seconds",
    "When a loop last did its work, Unix time.",
    ("loop",),
    registry=REGISTRY,
)
READY = Gauge(
    "handrail_ready",
    "1 where a part this service needs answers: database, relay, feed.",
    ("part",),
    registry=REGISTRY,
)

# What it is for.
ALERTS = Counter(
    "handrail_alerts_raised", "Alerts raised, by level.", ("level",), registry=REGISTRY
)
TO_ALERT = Histogram(
    "handrail_event_to_alert_seconds",
    "From the moment an event was recorded to the alert it raised on arrival.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600),
    registry=REGISTRY,
)
ESCALATED = Counter(
    "handrail_alerts_escalated", "Alerts that nobody took on in time.", registry=REGISTRY
)
LATE = Gauge(
    "handrail_escalation_late_seconds",
    "For how long the concern that waits longest for its escalation has waited.",
    registry=REGISTRY,
)
NOTICES = Gauge(
    "handrail_notices",
    "Notices not sent: waiting, retrying, given up.",
    ("state",),
    registry=REGISTRY,
)
NOTICE_OLDEST = Gauge(
    "handrail_notice_oldest_seconds",
    "For how long the notice that is late the longest should have been sent.",
    registry=REGISTRY,
)
SILENT = Gauge(
    "handrail_silent_feeds",
    "Sites that were asked for a roster a day ago and report nothing.",
    registry=REGISTRY,
)


@contextmanager
def timed(histogram: Histogram, *labels: str) -> Iterator[None]:
    """Observe how long the block takes, also when it fails."""
    began = perf_counter()
    try:
        yield
    finally:
        histogram.labels(*labels).observe(perf_counter() - began)


def look(seen: Mapping[str, Any]) -> None:
    """Set the gauges from what the service knows of itself; what it cannot know now stays."""
    for part, state in seen["ready"].items():
        READY.labels(part).set(state == "ok")
    for loop in ("relay", "feed"):
        LAST_SUCCESS.labels(loop).set(seen[loop]["last_success"] or 0)
    for topic, lag in seen["feed"]["lag_by_topic"].items():
        LAG.labels(topic).set(lag)
    if "dead_letters" in seen:
        _look_at_rows(seen)


def _look_at_rows(status: Mapping[str, Any]) -> None:
    """The gauges that the database fills."""
    BACKLOG.set(status["relay"]["backlog"])
    OLDEST.set(status["relay"]["oldest_seconds"])
    letters = status["dead_letters"]
    for state in ("parked", "behind"):
        LETTERS.labels(state).set(letters[state])
    PARKED.set(letters["keys"])
    SILENT.set(len(status.get("silent_feeds", ())))
    LATE.set(status.get("escalations", {}).get("late_seconds", 0))
    told = status.get("notices", {})
    for state in ("waiting", "retrying", "given_up"):
        NOTICES.labels(state).set(told.get(state, 0))
    NOTICE_OLDEST.set(told.get("oldest_seconds", 0))


def text() -> bytes:
    """All numbers, as Prometheus reads them."""
    return generate_latest(REGISTRY)


def documented() -> str:
    """docs/metrics.md."""
    lines = [
        "# Metrics",
        "",
        "Every service shows these at `/metrics`. Labels are routes, topics, codes and levels: never a person, a site or a key.",
        "",
        "| name | kind | labels | meaning |",
        "|---|---|---|---|",
    ]
    for family in REGISTRY.collect():
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = ", ".join(f"`{label}`" for label in _LABELS[family.name])
        lines.append(f"| `{name}` | {family.type} | {labels} | {family.documentation} |")
    return "\n".join(lines) + "\n"


_LABELS: dict[str, tuple[str, ...]] = {
    metric._name: tuple(metric._labelnames)  # noqa: SLF001  # the library shows its names nowhere else
    for metric in (
        *(REQUESTS, REQUEST_SECONDS, SENT, BACKLOG, OLDEST, STUMBLES, APPLIED, BATCH_SECONDS),
        *(
            REFUSED,
            HL7,
            FHIR,
            LAG,
            LETTERS,
            PARKED,
            LAST_SUCCESS,
            READY,
            ALERTS,
            TO_ALERT,
            ESCALATED,
        ),
        *(LATE, NOTICES, NOTICE_OLDEST, SILENT),
    )
}

if __name__ == "__main__":
    print(documented(), end="")
