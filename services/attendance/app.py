"""Attendance, put together."""

from attendance import (
    ahead,
    calendar_routes,
    consumers,
    http,
    person_routes,
    session_routes,
    siu,
    watchdog,
)
from attendance.fhir import KINDS
from attendance.programs import PROGRAMS
from handrail.events.attendance import AttendanceDayClosed
from handrail.fhir import routes as fhir
from handrail.service import Service, read_settings, run


async def main() -> int:
    """Run the service until it is told to stop."""
    service = Service(
        "attendance",
        read_settings("attendance"),
        AttendanceDayClosed,
        reads=("intake",),
        apply=consumers.on_intake_events,
        before_close=ahead.on_day_end,
        programs=PROGRAMS,
    )
    service.app.include_router(http.routes(service.api_pool, service.committed))
    service.app.include_router(session_routes.routes(service.api_pool))
    service.app.include_router(calendar_routes.routes(service.api_pool))
    service.app.include_router(person_routes.routes(service.api_pool))
    siu.install(service)
    fhir.install(service.app, service.api_pool, "Handrail attendance", KINDS)
    service.shows["silent_feeds"] = lambda: watchdog.now_silent(service.api_pool)
    service.loops.append(lambda: watchdog.run(service.work_pool, service.committed))
    return await service.serve()


if __name__ == "__main__":
    run(main)
