"""Broken Subscriptions by HTTP: each is answered in FHIR's way, and none is half made.

`HANDRAIL_FUZZ=10000` for many; a seed names a run again (`HANDRAIL_FUZZ_SEED`).
"""

import json
import random
from collections import Counter
from typing import Any
from uuid import UUID

import httpx
from fastapi import Depends, FastAPI, Request
from fhir.resources.R4B import get_fhir_model_class

from handrail import http
from handrail.access import guard
from handrail.access.table import Caller
from handrail.fhir.outcome import Outcomes
from intake.disclosures.backport import routes
from intake.disclosures.backport.asked import CONTENT, FILTER, HEARTBEAT
from tests.integration.broken import COUNT, JUNK, SEED, cut, flip, leave_out, put_in
from tests.integration.outside import KEY, LOOPBACK, Outside

ADDRESS = "http://127.0.0.1:9/hook"
OF_BYTES = (flip, cut, leave_out, put_in)
WORDS: tuple[Any, ...] = (
    *(
        None,
        True,
        -1,
        2**70,
        1.5,
        "",
        [],
        {},
        [[]],
        {"extension": None},
        "off",
        "active",
        "x" * 600,
    ),
    *(one.decode(errors="replace") for one in JUNK),
)


def good() -> dict[str, Any]:
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "to know",
        "end": "2999-01-01T00:00:00Z",
        "criteria": "urn:handrail:subscription-topic:session-missed",
        "_criteria": {
            "extension": [{"url": FILTER, "valueString": f"Appointment?patient={UUID(int=1)}"}]
        },
        "channel": {
            "type": "rest-hook",
            "endpoint": ADDRESS,
            "payload": "application/fhir+json",
            "_payload": {"extension": [{"url": CONTENT, "valueCode": "id-only"}]},
            "header": ["Authorization: Bearer x"],
            "extension": [{"url": HEARTBEAT, "valueUnsignedInt": 60}],
        },
    }


def places(within: Any) -> list[tuple[Any, Any]]:
    """Everything that can be put in another's place: what holds it, and under which name."""
    found = []
    for name, inside in within.items() if isinstance(within, dict) else enumerate(within):
        found.append((within, name))
        if isinstance(inside, dict | list):
            found += places(inside)
    return found


def broken(of: random.Random) -> bytes:
    """A Subscription with some mistakes, in its words or in its bytes."""
    made = good()
    for _ in range(of.randrange(3)):
        within, name = of.choice(places(made))
        if of.random() < 0.2 and isinstance(within, dict):
            del within[name]
        else:
            within[name] = of.choice(WORDS)
    raw = json.dumps(made).encode()
    return of.choice(OF_BYTES)(of, raw) if of.random() < 0.3 else raw


def app_of(outside: Outside, registered: UUID) -> FastAPI:
    """The routes alone, called by the registered subscriber."""

    async def is_called_by(request: Request) -> None:
        scopes = frozenset({"system/Subscription.cruds"})
        request.state.caller = Caller("s", "subscriber", None, scopes, str(registered))

    app = FastAPI(dependencies=[Depends(is_called_by)])
    http.install(app)
    guard.install(app, http.problem)
    app.include_router(routes.routes(outside.pool, lambda: None, KEY, LOOPBACK))
    app.add_middleware(Outcomes)
    return app


async def test_broken_subscriptions_are_answered_and_none_is_half_made(outside: Outside) -> None:
    registered = await outside.registers(ADDRESS)
    transport = httpx.ASGITransport(app_of(outside, registered))
    of, answers = random.Random(SEED), Counter[int]()
    async with httpx.AsyncClient(
        transport=transport,
        base_url="http://intake/fhir/R4",
        headers={"content-type": "application/json"},
    ) as client:
        whole = await client.post("/Subscription", json=good())
        assert whole.status_code == httpx.codes.CREATED, whole.text
        kept = whole.headers["location"]
        for _ in range(COUNT // 4):
            method, where = of.choice([("POST", "/Subscription"), ("PUT", kept)])
            answer = await client.request(method, where, content=broken(of))
            answers[answer.status_code] += 1
            said = answer.json()
            get_fhir_model_class(said["resourceType"]).model_validate(said)
            if answer.status_code == httpx.codes.CREATED:
                assert (await client.delete(answer.headers["location"])).status_code == 204

    assert set(answers) <= {200, 201, 400}
    assert answers[400] > COUNT // 40
    assert answers[200] + answers[201] > COUNT // 100
    rows = await outside.pool.fetchrow(
        """
        select (select count(*) from subscribers) - 1 as queues,
            (select count(*) from fhir_subscriptions) as made,
            (select count(*) from subscribers where state <> 'removed') as left
        """
    )
    assert rows["queues"] == rows["made"] == answers[201] + 1
    assert rows["left"] == 2
    assert (await outside.verified())["trouble"] is None
