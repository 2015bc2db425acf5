"""Alerts, put together."""

from alerts import (
    consumers,
    delivery,
    escalation,
    http,
    notice_routes,
    progress,
    quality_routes,
    receivers,
)
from alerts.bulk import routes as bulk
from alerts.bulk.exports import Exporter
from alerts.concern import READS
from alerts.fhir import KINDS
from alerts.page import routes as page
from alerts.policy import DEFAULT
from alerts.programs import PROGRAMS
from alerts.reports import routes as reports
from alerts.risk.table import load_table
from alerts.rules import Ladder
from handrail.configured import read, read_settings
from handrail.egress import EgressSettings
from handrail.fhir import routes as fhir
from handrail.service import Service, run


async def main() -> int:
    """Run the service until it is told to stop."""
    ladder = Ladder(DEFAULT, load_table())
    service = Service(
        "alerts",
        read_settings("alerts"),
        closed=None,
        reads=READS,
        apply=consumers.on_events(ladder),
        programs=PROGRAMS,
    )
    service.app.include_router(http.routes(service.api_pool, service.committed, ladder))
    service.app.include_router(quality_routes.routes(service.api_pool, ladder))
    service.app.include_router(reports.routes(service.api_pool))
    service.app.include_router(notice_routes.routes(service.api_pool, service.committed))
    page.install(service, ladder)
    exporter = Exporter(service.work_pool)
    service.app.include_router(bulk.routes(service.api_pool, exporter.wake))
    fhir.install(service.app, service.api_pool, "Handrail alerts", KINDS, [bulk.OPERATION])
    service.loops.append(exporter.run)
    service.loops.append(escalation.sweeper(service.work_pool, service.committed, ladder))
    allowed = read(EgressSettings, "alerts").networks()
    mail = read(delivery.MailSettings, "alerts")
    sender = delivery.Sender(service.work_pool, mail, allowed)
    service.loops += delivery.loops(sender)
    service.after_commit.append(sender.wake)
    # Attendance closes its days: here they are over once all partitions have heard of it.
    service.shows["sites"] = lambda: progress.by_site(service.api_pool)
    service.shows["escalations"] = lambda: escalation.status(service.work_pool)
    service.shows["notices"] = lambda: receivers.status(service.api_pool)
    return await service.serve()


if __name__ == "__main__":
    run(main)
