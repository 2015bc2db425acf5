"""The Grafana dashboards: made here, kept in deploy/observe/grafana."""

import json
import sys
from pathlib import Path
from typing import Any, TypeAlias

FOLDER = Path(__file__).parents[1] / "observe" / "grafana"
# A panel's title, its unit in Grafana's words, and its queries.
Panel: TypeAlias = tuple[str, str, tuple[str, ...]]
WIDTH, HEIGHT, ACROSS = 12, 8, 2


def _quantiles(metric: str, by: str) -> tuple[str, ...]:
    return tuple(
        f"histogram_quantile({q}, sum by (le{by}) (rate({metric}_bucket[$__rate_interval])))"
        for q in (0.5, 0.95, 0.99)
    )


BOARDS: dict[str, tuple[Panel, ...]] = {
    "care": (
        (
            "Alerts a day, by level",
            "short",
            ("sum by (level) (increase(handrail_alerts_raised_total[1d]))",),
        ),
        ("Escalations a day", "short", ("sum(increase(handrail_alerts_escalated_total[1d]))",)),
        ("Longest late escalation", "s", ("max(handrail_escalation_late_seconds)",)),
        (
            "From event to alert: p50, p95, p99",
            "s",
            _quantiles("handrail_event_to_alert_seconds", ""),
        ),
        ("Notices not sent", "short", ("sum by (state) (handrail_notices)",)),
        ("Oldest notice", "s", ("max(handrail_notice_oldest_seconds)",)),
        ("Admissions held up", "short", ("sum by (service) (handrail_parked_admissions)",)),
        ("Silent feeds", "short", ("sum(handrail_silent_feeds)",)),
    ),
    "flow": (
        (
            "Requests, by service",
            "reqps",
            ("sum by (service) (rate(handrail_http_requests_total[$__rate_interval]))",),
        ),
        (
            "Errors of ours, by service and status",
            "reqps",
            (
                'sum by (service, status) (rate(handrail_http_requests_total{status=~"5.."}[$__rate_interval]))',
            ),
        ),
        (
            "Time of an answer: p50, p95, p99",
            "s",
            _quantiles("handrail_http_request_seconds", ", service"),
        ),
        (
            "Events sent",
            "cps",
            ("sum by (service) (rate(handrail_events_sent_total[$__rate_interval]))",),
        ),
        (
            "Events applied, by topic",
            "cps",
            ("sum by (service, topic) (rate(handrail_events_applied_total[$__rate_interval]))",),
        ),
        ("Not sent yet", "short", ("sum by (service) (handrail_outbox_backlog)",)),
        ("Oldest not sent", "s", ("max by (service) (handrail_outbox_oldest_seconds)",)),
        ("Not taken yet", "short", ("sum by (service, topic) (handrail_feed_lag)",)),
        (
            "Since a loop last did its work",
            "s",
            ("time() - (handrail_last_success_timestamp_seconds > 0)",),
        ),
        ("Dead letters", "short", ("sum by (service, state) (handrail_dead_letters)",)),
        (
            "Batches refused",
            "cps",
            ("sum by (service, topic) (rate(handrail_batches_refused_total[$__rate_interval]))",),
        ),
    ),
    "database": (
        (
            "Time of a transaction of a batch: p50, p95, p99",
            "s",
            _quantiles("handrail_batch_seconds", ", service"),
        ),
        (
            "Events in a transaction",
            "short",
            (
                "sum by (service) (rate(handrail_events_applied_total[$__rate_interval])) / sum by (service) (rate(handrail_batch_seconds_count[$__rate_interval]))",
            ),
        ),
        (
            "Bad moments waited out, by loop and error",
            "cps",
            ("sum by (service, loop, error) (rate(handrail_waits_total[$__rate_interval]))",),
        ),
        (
            "Answers 503: the database did not answer",
            "reqps",
            (
                'sum by (service) (rate(handrail_http_requests_total{status="503"}[$__rate_interval]))',
            ),
        ),
    ),
    "levels": (
        (
            "Alerts within 5 s, 30 days (at least 99 %)",
            "percentunit",
            (
                'sum(increase(handrail_event_to_alert_seconds_bucket{le="5.0"}[30d])) / sum(increase(handrail_event_to_alert_seconds_count[30d]))',
            ),
        ),
        (
            "How fast that budget burns (page at 14.4, ticket at 6)",
            "short",
            ("handrail:alerts_late:ratio1h / 0.01", "handrail:alerts_late:ratio6h / 0.01"),
        ),
        (
            "The page answers, 30 days (at least 99.9 %)",
            "percentunit",
            (
                '1 - (sum(increase(handrail_http_requests_total{service="alerts",status=~"5.."}[30d])) or vector(0)) / sum(increase(handrail_http_requests_total{service="alerts"}[30d]))',
            ),
        ),
        (
            "How fast that budget burns (page at 14.4, ticket at 6)",
            "short",
            ("handrail:page_failed:ratio1h / 0.001", "handrail:page_failed:ratio6h / 0.001"),
        ),
        ("Late escalation (never)", "s", ("max(handrail_escalation_late_seconds)",)),
        ("Services that answer", "short", ('sum by (service) (up{job="handrail"})',)),
    ),
}


def made() -> dict[str, str]:
    """Each dashboard's file name and text."""
    return {
        f"{name}.json": json.dumps(_board(name, panels), indent=1) + "\n"
        for name, panels in BOARDS.items()
    }


def _board(name: str, panels: tuple[Panel, ...]) -> dict[str, Any]:
    return {
        "uid": f"handrail-{name}",
        "title": f"Handrail: {name}",
        "tags": ["handrail"],
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "panels": [_panel(number, panel) for number, panel in enumerate(panels)],
    }


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    title, unit, queries = panel
    source = {"type": "prometheus", "uid": "prometheus"}
    place = {
        "x": number % ACROSS * WIDTH,
        "y": number // ACROSS * HEIGHT,
        "w": WIDTH,
        "h": HEIGHT,
    }
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": title,
        "datasource": source,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(65 + n), "expr": query, "datasource": source}
            for n, query in enumerate(queries)
        ],
    }


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for file, text in made().items():
        (FOLDER / file).write_text(text)
    sys.exit(0)
