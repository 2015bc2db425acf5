"""Attendance, put together."""

from functools import partial

from attendance import (
    ahead,
    calendar_routes,
    consumers,
    http,
    person_routes,
    personal,
    session_routes,
    sources,
    watchdog,
)
from attendance.fhir import KINDS
from attendance.programs import PROGRAMS
from handrail.configured import read_settings
from handrail.events.attendance import AttendanceDayClosed
from handrail.fhir import routes as fhir
from handrail.fhir import taking
from handrail.personal import install as keys
from handrail.personal.install import vault_of
from handrail.service import Service, run


async def main() -> int:
    """Run the service until it is told to stop."""
    vault = vault_of("attendance")
    service = Service(
        "attendance",
        read_settings("attendance"),
        AttendanceDayClosed,
        reads=("intake",),
        apply=partial(consumers.on_intake_events, vault=vault),
        before_close=ahead.on_day_end,
        programs=PROGRAMS,
    )
    service.app.include_router(http.routes(service.api_pool, service.committed, vault))
    service.app.include_router(session_routes.routes(service.api_pool))
    service.app.include_router(calendar_routes.routes(service.api_pool))
    service.app.include_router(person_routes.routes(service.api_pool))
    spoken = sources.install(service, vault)
    takes = frozenset(spoken.parts) if spoken else frozenset()
    fhir.install(service.app, service.api_pool, "Handrail attendance", KINDS, takes=takes)
    if spoken:
        taking.install(service.app, spoken)
    service.shows["silent_feeds"] = lambda: watchdog.now_silent(service.api_pool)
    service.loops.append(lambda: watchdog.run(service.work_pool, service.committed))
    keys.install(service, vault)
    if vault:
        service.loops.append(partial(personal.run, service.work_pool, vault))
    return await service.serve()


if __name__ == "__main__":
    run(main)
