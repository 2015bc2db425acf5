"""One trace from the empty chair to the alert, as an OTLP collector receives it."""

import httpx

from tests.journeys.clinic import Clinic
from tests.journeys.collector import Collector, running_collector
from tests.parts import running_system, until

CHAIN = [
    ("attendance", "POST /v1/command"),
    ("attendance", "send attendance.events"),
    ("alerts", "process attendance.events"),
    ("alerts", "send alerts.events"),
]


async def test_one_trace_leads_from_the_empty_chair_to_the_alert() -> None:
    collector = Collector()
    with (
        running_collector(collector) as endpoint,
        running_system(HANDRAIL_OTLP_ENDPOINT=endpoint, HANDRAIL_TRACE_RATIO="1") as system,
    ):
        async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
            clinic = Clinic(system, client, "north")
            person = await clinic.admitted()
            await clinic.missed(person, 3)
            await clinic.known_to_alerts(person)
            await clinic.missed(person, 1)
            concern = await clinic.concern(person, level=2)
            [alert] = concern["alerts"]

            async def whole_chain() -> bool:
                return collector.leads(alert["trace_id"], CHAIN)

            await until(whole_chain, "the whole chain of spans")

    texts = [str(span) for _, span in collector.spans]
    assert not any(str(person) in text for text in texts)
    sent = [s for name, s in collector.spans if s.name == "send alerts.events"]
    assert any("alerts.alert_raised.v1" in str(span) for span in sent)
