"""The driver of a drill: commands over HTTP with keys and retries, and a ledger of what was said."""

import asyncio
import json
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from operate.addresses import Addresses

SITE = "drill"
ADMISSIONS = 40
REPEATED = 0.2
DAYS = 39
NOT_NOW = (404, 503)
GROUP = {"session_type": "group", "planned_minutes": 180}


@dataclass
class Ward:
    """People whose seats are recorded while things break."""

    addresses: Addresses
    dice: random.Random
    ledger: Path
    # Whether the ledger survives this machine, which takes a moment for each entry.
    synced: bool = True
    admissions: list[str] = field(default_factory=list)
    # What was acknowledged: session key -> (admission, status).
    said: dict[str, tuple[str, str]] = field(default_factory=dict)
    repeats: int = 0
    retries: int = 0
    refused: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def client(self, seconds: float = 4) -> AsyncIterator[httpx.AsyncClient]:
        """A client that gives up soon, so that a frozen service is asked again."""
        async with httpx.AsyncClient(timeout=seconds, trust_env=False) as client:
            yield client

    async def admit(self, count: int = ADMISSIONS) -> None:
        """Refer and admit."""
        async with self.client() as client:
            for n in range(count):
                referral = await self._post(
                    client,
                    "intake",
                    {
                        "do": "receive_referral",
                        "key": f"referral-{n}",
                        "site_id": SITE,
                        "time_zone": "UTC",
                        "referral_source": "emergency_department",
                    },
                )
                admission = str(referral["subject"])
                await self._post(
                    client,
                    "intake",
                    {
                        "do": "complete_intake",
                        "key": f"intake-{n}",
                        "admission_id": admission,
                        "admitted_on": _day(40),
                        "program_id": "iop-evening",
                        "track": "evening",
                        "weekly_minutes": 540,
                        "sessions_per_week": 3,
                        "eligibility_waived_for": "assessed_elsewhere",
                    },
                )
                self.admissions.append(admission)

    async def record(self, until: float, name: str) -> None:
        """Record seats until the loop's clock says so; a fifth of what was said is said again."""
        loop, number = asyncio.get_running_loop(), 0
        async with self.client() as client:
            while loop.time() < until:
                number += 1
                body = self.seat(
                    f"{name}-{number}",
                    self.dice.choice(self.admissions),
                    self.dice.randrange(1, DAYS),
                )
                if (await self._post(client, "attendance", body))["status"] == "refused":
                    continue
                self.note(body)
                if self.dice.random() < REPEATED:
                    answer = await self._post(client, "attendance", body)
                    self.repeats += 1
                    if answer["status"] != "duplicate":
                        self.refused.append(f"{body['key']} was taken twice")
                await asyncio.sleep(self.dice.random() * 0.05)

    def seat(self, key: str, admission: str, ago: int) -> dict[str, Any]:
        """A seat of somebody, so many days ago."""
        day = _day(ago)
        common = {
            "key": key,
            "admission_id": admission,
            "session_key": key,
            "session": GROUP | {"planned_on": day},
        }
        if self.dice.random() < 0.3:
            return common | {"do": "record_missed", "kind": "no_show"}
        return common | {"do": "record_attended", "attended_on": day, "minutes": 180}

    def note(self, body: dict[str, Any]) -> None:
        """Write down what was acknowledged, so that it survives this process too."""
        status = "no_show" if body["do"] == "record_missed" else "attended"
        self.said[body["key"]] = (body["admission_id"], status)
        with self.ledger.open("a") as file:
            file.write(json.dumps([body["key"], body["admission_id"], status]) + "\n")
            file.flush()
            if self.synced:
                os.fsync(file.fileno())

    async def _post(
        self, client: httpx.AsyncClient, service: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        """Send until it is taken, with the same key, as a hospital's system would."""
        body = {"source": SITE, "occurred_at": datetime.now(UTC).isoformat()} | body
        url = f"{getattr(self.addresses, service)}/v1/command"
        while True:
            try:
                answer = await client.post(url, json=body)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code == httpx.codes.OK:
                result: dict[str, Any] = answer.json()
                return result
            if answer is not None and answer.status_code not in NOT_NOW:
                self.refused.append(f"{body['do']}: {answer.status_code} {answer.text[:200]}")
                return {"status": "refused"}
            self.retries += 1
            await asyncio.sleep(0.1)


def _day(ago: int) -> str:
    return (datetime.now(UTC).date() - timedelta(days=ago)).isoformat()
