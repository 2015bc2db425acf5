"""Aftercare, put together."""

from aftercare import consumers, hand_off, http, lists
from aftercare.programs import PROGRAMS
from handrail.configured import read_settings
from handrail.events.aftercare import AftercareDayClosed
from handrail.service import Service, run


async def main() -> int:
    """Run the service until it is told to stop."""
    service = Service(
        "aftercare",
        read_settings("aftercare"),
        AftercareDayClosed,
        reads=("intake",),
        apply=consumers.on_intake_events,
        feed_rest_seconds=0.25,
        before_close=hand_off.end_day,
        programs=PROGRAMS,
    )
    service.app.include_router(http.routes(service.api_pool, service.committed))
    service.app.include_router(lists.routes(service.api_pool))
    return await service.serve()


if __name__ == "__main__":
    run(main)
