"""One trace from the answered form to the notice and the page, read back from a trace store."""

from functools import partial
from typing import Any
from uuid import uuid4

import httpx

from tests.ear import Ear, listening
from tests.journeys.clinic import Clinic
from tests.journeys.collector import Collector, running_collector
from tests.journeys.visitor import sign_in
from tests.parts import running_system, until
from tests.trace_store import running_trace_store

RAISED = [
    ("attendance", "post /v1/command"),
    ("attendance", "command"),
    ("attendance", "send attendance.events"),
    ("alerts", "process attendance.events"),
    ("alerts", "raise alert"),
]
CHAINS = [
    [*RAISED[:-1], ("alerts", "apply")],
    [*RAISED, ("alerts", "send alerts.events")],
    [*RAISED, ("alerts", "send notice")],
    [*RAISED, ("alerts", "update page")],
]
NAMES = dict.fromkeys(name for chain in CHAINS for _, name in chain)


async def test_one_trace_leads_from_the_form_to_the_notice_and_the_page() -> None:
    collector = Collector()
    async with running_trace_store() as store, httpx.AsyncClient(trust_env=False) as client:
        with (
            running_collector(collector) as endpoint,
            running_system(
                HANDRAIL_OTLP_ENDPOINT=endpoint,
                HANDRAIL_TRACE_RATIO="1",
                HANDRAIL_EGRESS_ALLOW="127.0.0.0/8",
            ) as system,
            listening(Ear()) as ear,
        ):
            clinic = Clinic(system, client, "north")
            person = await clinic.admitted()
            await clinic.known_to_alerts(person)
            await told_at(clinic, ear.address)
            await sign_in(client, clinic.url("alerts"), "counsellor")
            async with client.stream("GET", f"{clinic.url('alerts')}/live") as stream:
                lines = stream.aiter_lines()
                assert await anext(lines) == "retry: 1000"
                about = {"instrument": "c_ssrs", "score": 4, "safety": True}
                await clinic.say("attendance", "record_measure", admission_id=str(person), **about)
                concern = await clinic.concern(person, level=0)
                [alert] = concern["alerts"]

                async def come(name: str) -> bool:
                    return any(s.name.lower() == name for _, s in collector.of(alert["trace_id"]))

                for name in NAMES:
                    await until(partial(come, name), f"{name} is a span of the trace")
        texts = [str(span) for _, span in collector.spans]
        await store.keep(collector.of(alert["trace_id"]))
        kept: list[dict[str, Any]] = await until(
            lambda: store.trace(alert["trace_id"]), "the store gives the trace back"
        )

    for chain in CHAINS:
        assert leads(kept, chain), [(s["localEndpoint"], s["name"]) for s in kept]
    assert [span["kind"] for span in kept if span["name"] == "send notice"] == ["CLIENT"]
    assert len(ear.heard) == 1
    assert not any(str(person) in text for text in texts)


async def told_at(clinic: Clinic, address: str) -> None:
    """The primary clinician of the site is told by a webhook."""
    wanted = {"site_id": clinic.site_id, "role": "primary_clinician", "kind": "webhook"}
    url = f"{clinic.url('alerts')}/v1/receivers/{uuid4()}"
    answer = await clinic.client.put(url, json=wanted | {"address": address})
    assert answer.is_success, answer.text


def leads(spans: list[dict[str, Any]], chain: list[tuple[str, str]]) -> bool:
    """Whether these stand in the trace, from its root on, each a child of the last."""
    at: set[str | None] = {None}
    for link in chain:
        at = {
            span["id"]
            for span in spans
            if span.get("parentId") in at
            and (span["localEndpoint"]["serviceName"], span["name"]) == link
        }
    return bool(at)
