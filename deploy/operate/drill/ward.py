"""The driver of a drill: commands over HTTP with keys and retries, and a ledger of what was said."""

import asyncio
import contextlib
import json
import os
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from operate.addresses import Addresses

SITE = "drill"
PAUSE_SECONDS = 0.05
REPEATED = 0.2
DAYS = 39
AT_ONCE = 50
NOT_NOW = (404, 503)
UNKNOWN = ("admission_unknown",)
GROUP = {"session_type": "group", "planned_minutes": 180}
SLOW_SECONDS = 30.0
REFERRAL: dict[str, Any] = {
    "do": "receive_referral",
    "site_id": SITE,
    "time_zone": "UTC",
    "referral_source": "emergency_department",
}
INTAKE: dict[str, Any] = {
    "do": "complete_intake",
    "program_id": "iop-evening",
    "track": "evening",
    "weekly_minutes": 540,
    "sessions_per_week": 3,
    "eligibility_waived_for": "assessed_elsewhere",
}


@dataclass
class Ward:
    """People whose seats are recorded while things break."""

    addresses: Addresses
    dice: random.Random
    ledger: Path
    # Whether the ledger survives this machine, which takes a moment for each entry.
    synced: bool = True
    # How many of the calls carry several commands.
    at_once: float = 0.0
    # How many of the seats are misses, and how long ago each happened, for clocks that are wrong.
    missed: float = 0.3
    ago: timedelta = timedelta()
    admissions: list[str] = field(default_factory=list)
    # What was acknowledged: session key -> (admission, status).
    said: dict[str, tuple[str, str]] = field(default_factory=dict)
    # What was asked, answered or not: session keys of misses.
    asked_to_miss: set[str] = field(default_factory=set)
    repeats: int = 0
    retries: int = 0
    refused: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def client(self, seconds: float = 4) -> AsyncIterator[httpx.AsyncClient]:
        """A client that gives up soon, so that a frozen service is asked again."""
        async with httpx.AsyncClient(timeout=seconds, trust_env=False) as client:
            yield client

    async def admit(self, count: int) -> None:
        """Refer and admit, many in a call."""
        async with self.client(SLOW_SECONDS) as client:
            for first in range(len(self.admissions), count, AT_ONCE):
                numbers = range(first, min(first + AT_ONCE, count))
                referrals = [REFERRAL | {"key": f"referral-{n}"} for n in numbers]
                people = [r["subject"] for r in await self._post_all(client, referrals, "intake")]
                intakes = [
                    INTAKE | {"key": f"intake-{n}", "admission_id": who, "admitted_on": _day(40)}
                    for n, who in zip(numbers, people, strict=True)
                ]
                results = await self._post_all(client, intakes, "intake")
                self.refused += [r["code"] for r in results if r["status"] == "rejected"]
                self.admissions += people

    async def flag(self, people: Sequence[str]) -> None:
        """A screen of each of these asks for safety: somebody has to call within the hour."""
        async with self.client() as client:
            for who in people:
                body = {"do": "record_measure", "key": f"flag-{who}", "admission_id": who}
                screen = {"instrument": "c_ssrs", "score": 4, "safety": True}
                await self._post(client, "attendance", body | screen)

    async def record(self, until: float, name: str) -> None:
        """Record seats until the loop's clock says so; a fifth of what was said is said again."""
        loop, number = asyncio.get_running_loop(), 0
        async with self.client() as client:
            while loop.time() < until:
                number += 1
                if self.dice.random() < self.at_once:
                    people = self.dice.choices(self.admissions, k=self.dice.randrange(2, AT_ONCE))
                    await self._say(client, f"{name}-{number}", people)
                else:
                    await self._say_one(client, f"{name}-{number}")
                await asyncio.sleep(self.dice.random() * PAUSE_SECONDS)

    async def say(self, name: str, people: list[str]) -> None:
        """Record a seat of each of these, in one call."""
        async with self.client() as client:
            await self._say(client, name, people)

    async def tell(self, service: str, bodies: list[dict[str, Any]]) -> list[str]:
        """Have other commands carried out, all in one call; gives their subjects."""
        async with self.client(SLOW_SECONDS) as client:
            results = await self._post_all(client, bodies, service)
        self.refused += [f"{r['key']}: {r['code']}" for r in results if r["status"] == "rejected"]
        return [str(r["subject"]) for r in results]

    async def _say_one(self, client: httpx.AsyncClient, key: str) -> None:
        who, ago = self.dice.choice(self.admissions), self.dice.randrange(1, DAYS)
        body = self.seat(key, who, ago)
        if (await self._post(client, "attendance", body))["status"] == "refused":
            return
        self.note([body])
        if self.dice.random() < REPEATED:
            answer = await self._post(client, "attendance", body)
            self.repeats += 1
            if answer["status"] != "duplicate":
                self.refused.append(f"{key} was taken twice")

    async def _say(self, client: httpx.AsyncClient, name: str, people: list[str]) -> None:
        bodies = [
            self.seat(f"{name}-{n}", who, self.dice.randrange(1, DAYS))
            for n, who in enumerate(people)
        ]
        left = bodies
        while left:
            results = await self._post_all(client, left)
            taken = [b for b, r in zip(left, results, strict=True) if r["status"] != "rejected"]
            self.note(taken)
            # A person whose admission attendance has not heard of yet.
            left = [b for b, r in zip(left, results, strict=True) if r["code"] in UNKNOWN]
            self.refused += [
                f"{r['key']}: {r['code']}"
                for r in results
                if r["status"] == "rejected" and r["code"] not in UNKNOWN
            ]
            self.retries += bool(left)
            await asyncio.sleep(0.1 * bool(left))
        if self.dice.random() < REPEATED:
            again = await self._post_all(client, bodies)
            self.repeats += len(again)
            self.refused += [
                f"{r['key']} was taken twice" for r in again if r["status"] == "applied"
            ]

    def seat(self, key: str, admission: str, ago: int) -> dict[str, Any]:
        """A seat of somebody, so many days ago."""
        day = _day(ago)
        common = {
            "key": key,
            "admission_id": admission,
            "session_key": key,
            "session": GROUP | {"planned_on": day},
        }
        if self.dice.random() < self.missed:
            self.asked_to_miss.add(key)
            return common | {"do": "record_missed", "kind": "no_show"}
        return common | {"do": "record_attended", "attended_on": day, "minutes": 180}

    def note(self, bodies: Sequence[dict[str, Any]]) -> None:
        """Write down what was acknowledged, so that it survives this process too."""
        with self.ledger.open("a") as file:
            for body in bodies:
                status = "no_show" if body["do"] == "record_missed" else "attended"
                self.said[body["key"]] = (body["admission_id"], status)
                file.write(json.dumps([body["key"], body["admission_id"], status]) + "\n")
            file.flush()
            if self.synced:
                os.fsync(file.fileno())

    async def _post(
        self, client: httpx.AsyncClient, service: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        """Send until it is taken, with the same key, as a hospital's system would."""
        body = self._now() | body
        url = f"{getattr(self.addresses, service)}/v1/command"
        answer = await self._send(client, url, body, NOT_NOW)
        if answer.status_code == httpx.codes.OK:
            result: dict[str, Any] = answer.json()
            return result
        self.refused.append(f"{body['do']}: {answer.status_code} {answer.text[:200]}")
        return {"status": "refused"}

    def _now(self) -> dict[str, Any]:
        return {"source": SITE, "occurred_at": (datetime.now(UTC) - self.ago).isoformat()}

    async def _post_all(
        self, client: httpx.AsyncClient, bodies: list[dict[str, Any]], service: str = "attendance"
    ) -> list[dict[str, Any]]:
        now = self._now()
        url = f"{getattr(self.addresses, service)}/v1/commands"
        answer = await self._send(client, url, [now | body for body in bodies], (503,))
        results: list[dict[str, Any]] = answer.raise_for_status().json()
        return results

    async def _send(
        self, client: httpx.AsyncClient, url: str, body: object, not_now: tuple[int, ...]
    ) -> httpx.Response:
        """Send until it is answered, and not with what means `later`."""
        while True:
            with contextlib.suppress(httpx.TransportError):
                answer = await client.post(url, json=body)
                if answer.status_code not in not_now:
                    return answer
            self.retries += 1
            await asyncio.sleep(0.1)


def _day(ago: int) -> str:
    return (datetime.now(UTC).date() - timedelta(days=ago)).isoformat()
