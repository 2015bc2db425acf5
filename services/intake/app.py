"""Intake, put together."""

from handrail.configured import read_settings
from handrail.desk.install import install as install_desk
from handrail.desk.install import settings_of
from handrail.events.intake import IntakeDayClosed
from handrail.fhir import routes as fhir
from handrail.service import Service, run
from intake import (
    adt,
    clocks,
    consumers,
    disclosures,
    fhir_in,
    http,
    lists,
    personal,
    queries,
    steps,
)
from intake.fhir import KINDS
from intake.programs import PROGRAMS


async def main() -> int:
    """Run the service until it is told to stop."""
    service = Service(
        "intake",
        read_settings("intake"),
        IntakeDayClosed,
        reads=("attendance",),
        feed_rest_seconds=1.0,
        apply=consumers.on_attendance_events,
        programs=PROGRAMS,
        before_close=steps.on_day_end,
    )
    service.app.include_router(http.routes(service.api_pool, service.committed))
    service.app.include_router(queries.routes(service.api_pool))
    service.app.include_router(lists.routes(service.api_pool))
    service.app.include_router(clocks.routes(service.api_pool))
    disclosures.install(service)
    vault = personal.install(service)
    settings = settings_of(service)
    desk = install_desk(service, settings, vault)
    takes: frozenset[str] = frozenset()
    if desk:
        adt.install(service, desk, settings)
        takes = fhir_in.install(service, desk)
    fhir.install(service.app, service.api_pool, "Handrail intake", KINDS, takes=takes)
    return await service.serve()


if __name__ == "__main__":
    run(main)
