"""What an operator's Prometheus reads, after one miss has become an alert."""

from prometheus_client.parser import text_string_to_metric_families

from operate.drill import outage
from operate.home import SERVICES
from tests.journeys.clinic import Clinic
from tests.parts import until

Numbers = dict[tuple[str, tuple[str, ...]], float]


async def numbers(clinic: Clinic, service: str) -> Numbers:
    answer = await clinic.client.get(clinic.url(service) + "/metrics")
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_a_miss_is_counted_from_the_call_to_the_alert(clinic: Clinic) -> None:
    before = await numbers(clinic, "alerts")
    person = await clinic.admitted()
    await clinic.missed(person, 3)
    await clinic.known_to_alerts(person)
    await clinic.missed(person, 1)
    await clinic.concern(person, level=2)

    after = await numbers(clinic, "alerts")
    attendance = await numbers(clinic, "attendance")

    def more(*name: str) -> float:
        key = (name[0], tuple(name[1:]))
        return after.get(key, 0) - before.get(key, 0)

    assert more("handrail_alerts_raised_total", "2") == 1
    assert more("handrail_event_to_alert_seconds_count") >= 1
    assert more("handrail_events_applied_total", "attendance.events") >= 2
    assert attendance["handrail_http_requests_total", ("POST", "/v1/command", "200")] >= 2
    assert attendance["handrail_events_sent_total", ()] >= 2


async def test_no_number_names_a_person_or_a_site(clinic: Clinic) -> None:
    person = await clinic.admitted()
    await clinic.get("intake", f"/v1/admissions/{person}")
    await clinic.client.get(clinic.url("intake") + f"/v1/{person}")

    for service in SERVICES:
        text = (await clinic.client.get(clinic.url(service) + "/metrics")).text
        assert "handrail_outbox_backlog" in text
        assert str(person) not in text
        assert clinic.site_id not in text


async def test_the_numbers_are_shown_while_the_database_is_away(clinic: Clinic) -> None:
    """Or no alarm about a loop that stands still could ever be raised by that."""
    ready = ("handrail_ready", ("database",))

    async def is_ready() -> bool:
        return (await numbers(clinic, "aftercare"))[ready] == 1

    async with outage.closed(clinic.system.home, "aftercare"):
        away = await numbers(clinic, "aftercare")
        answer = await clinic.client.get(clinic.url("aftercare") + "/status")

    assert answer.status_code == 503
    assert away[ready] == 0
    assert ("handrail_feed_lag", ("intake.events",)) in away
    assert ("handrail_last_success_timestamp_seconds", ("feed",)) in away
    await until(is_ready, "the database answers again")
