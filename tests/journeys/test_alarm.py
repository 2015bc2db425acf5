"""One alarm in a real Prometheus, from its cause to its end; `./handrail drill --alarms` has all."""

import httpx

from operate.bench.live import Live
from operate.drill.alarms import play
from operate.drill.alarms.ground import Ground
from operate.drill.alarms.pages import Pages
from operate.drill.alarms.prometheus import Prometheus
from operate.drill.alarms.waits import SiteSilent
from operate.parts.kafka import Kafka
from tests.parts import System

# An hour in a minute.
FACTOR = 60


async def test_a_site_gone_silent_raises_its_alarm_until_it_reports(system: System) -> None:
    home, ports, told = system.home, system.home.ports(), list[str]()
    kafka = Kafka(home.folder / "kafka", ports["kafka"], 0, home.log("kafka"))
    prometheus = Prometheus(home, FACTOR)
    try:
        await prometheus.start()
        async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
            live = Live(system.addresses, kafka.address, client)
            ground = Ground(home, kafka, client, live, Pages(home))
            found = await play(SiteSilent(), ground, prometheus, told.append)
    finally:
        await prometheus.stop()

    [(alarm, times)] = found.items()
    assert alarm == "HandrailFeedSilent"
    assert times["fired_after_s"] is not None
    assert times["cleared_after_s"] is not None
    assert times["followed"] == ["GET /v1/silent-feeds"]
