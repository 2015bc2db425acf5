"""The four services as the simulator meets them: commands out, concerns and progress in."""

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import UUID

import httpx
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_delay,
    wait_exponential,
)

from operate.addresses import Addresses
from operate.errors import OperateError
from operate.simulate.answers import CONCERNS, RESULTS, Concern
from operate.simulate.desk import Command, Desk

PATIENCE = 300.0
FEED_PATIENCE = 20.0
BATCH = 500
TOGETHER = 8
MOST = 10_000
NOT_READY = 503
REFUSED = (404, 409, 422)


class _NotReady(Exception):
    """The service asks to be asked again."""


T = TypeVar("T")


class Services:
    """Talks to the services; goes on when one that was away is back."""

    def __init__(self, addresses: Addresses) -> None:
        """Open with `async with`."""
        self.addresses = addresses
        self.client = httpx.AsyncClient(timeout=30, trust_env=False, auth=addresses.auth())
        self.subjects: dict[str, UUID] = {}
        self.refused: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        """Ready at once; connections are made when they are needed."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self.client.aclose()

    async def carry_out(self, service: str, commands: Sequence[Command]) -> None:
        """Send commands in order. What waits for another service's event is sent again."""
        for batch in _parts(commands, BATCH):
            waiting = await self._send(service, batch)
            tries = self._patiently(FEED_PATIENCE)
            while waiting and (pause := next(tries, None)) is not None:
                await asyncio.sleep(pause)
                waiting = await self._send(service, waiting)
            self.refused.update(
                f"{service} {command['do']} not known in time" for command in waiting
            )

    async def work(self, commands: Sequence[Command]) -> None:
        """Send the care team's commands to alerts: concerns side by side, each one in order."""
        cases: dict[object, list[Command]] = {}
        for command in commands:
            cases.setdefault(command["concern_id"], []).append(command)
        for group in _parts(list(cases.values()), TOGETHER):
            await asyncio.gather(*(self._work_on(case) for case in group))

    async def close_day(self, desk: Desk) -> None:
        """Close the desk's day everywhere, and wait until alerts has closed it too."""
        site, day = desk.site_id, desk.day
        close: Command = {
            "do": "close_day",
            "source": "simulator",
            "key": f"{site}/close/{day}",
            "occurred_at": desk.last_moment(),
            "recorded_at": desk.last_moment(),
            "site_id": site,
            "day": day.isoformat(),
        }
        await asyncio.gather(
            self._ask("intake", "POST", f"/v1/sites/{site}/days/{day}/close"),
            self.carry_out("attendance", [close]),
            self.carry_out("aftercare", [close]),
        )
        await self._closed_by_alerts(site, day)

    async def is_fresh(self, site_id: str) -> bool:
        """Whether nobody was ever referred to this site."""
        found = await self._ask("intake", "GET", "/v1/admissions", site_id=site_id, limit=1)
        return not found.json()

    async def concerns(self, site_id: str, **which: str) -> list[Concern]:
        """The concerns of a site; `open="true"` for the open ones alone."""
        found = await self._ask(
            "alerts", "GET", "/v1/concerns", site_id=site_id, limit=MOST, **which
        )
        return CONCERNS.validate_json(found.content)

    async def _work_on(self, case: list[Command]) -> None:
        for command in case:
            await self._ask("alerts", "POST", "/v1/command", command)

    async def _closed_by_alerts(self, site_id: str, day: date) -> None:
        for pause in self._patiently(PATIENCE):
            found = await self._ask("alerts", "GET", f"/v1/sites/{site_id}/progress")
            through = found.json().get("closed_through")
            if through and date.fromisoformat(through) >= day:
                return
            await asyncio.sleep(pause)
        raise OperateError(
            f"alerts has not closed {day} in {PATIENCE:.0f} s; see ./handrail status"
        )

    async def _send(self, service: str, commands: Sequence[Command]) -> list[Command]:
        """The commands that some service does not know enough for yet."""
        body = [resolved(command, self.subjects) for command in commands]
        answer = await self._ask(service, "POST", "/v1/commands", body)
        if answer.status_code in REFUSED:
            return []
        waiting = []
        for command, result in zip(commands, RESULTS.validate_json(answer.content), strict=True):
            if result.subject:
                self.subjects[result.key] = result.subject
            if result.status == "rejected" and (result.code or "").endswith("_unknown"):
                waiting.append(command)
            elif result.status == "rejected":
                self.refused[f"{service} {command['do']} {result.code}"] += 1
        return waiting

    async def _ask(
        self, service: str, method: str, path: str, body: Any = None, **query: object
    ) -> httpx.Response:
        """One answer; a service that is away is asked again. Raises OperateError."""
        base: str = getattr(self.addresses, service)
        params = {name: str(value) for name, value in query.items()}
        retrying: AsyncRetrying = AsyncRetrying(
            retry=retry_if_exception_type((httpx.TransportError, _NotReady)),
            wait=wait_exponential(0.1, max=2),
            stop=stop_after_delay(PATIENCE),
            before_sleep=lambda state: _tell_once(state, service, base),
            reraise=True,
        )
        try:
            answer: httpx.Response = await retrying(
                self._ask_once, method, base + path, body, params
            )
        except (httpx.TransportError, _NotReady):
            message = f"{service} does not answer at {base}; see ./handrail status"
            raise OperateError(message) from None
        if answer.status_code in REFUSED:
            self.refused[
                f"{service} {method} {answer.json().get('title', answer.status_code)}"
            ] += 1
            return answer
        if answer.is_error:
            raise OperateError(
                f"{service} answered {answer.status_code}; see ./handrail logs {service}"
            )
        return answer

    async def _ask_once(
        self, method: str, url: str, body: Any, params: Mapping[str, str]
    ) -> httpx.Response:
        answer = await self.client.request(method, url, json=body, params=params)
        if answer.status_code == NOT_READY:
            raise _NotReady
        return answer

    @staticmethod
    def _patiently(limit: float) -> Iterator[float]:
        """Pauses that grow from 20 to 200 ms, until about `limit` seconds are used."""
        pause, used = 0.02, 0.0
        while used < limit:
            yield pause
            used += pause
            pause = min(0.2, pause * 1.15)


def resolved(command: Command, subjects: Mapping[str, UUID]) -> Command:
    """The command with the minted identifiers in place of the keys that stand for them."""
    said: Command = {}
    for name, value in command.items():
        if name in ("admission_id", "step_down_id"):
            said[name] = str(subjects.get(str(value), value))
        elif name == "roster" and isinstance(value, list):
            said[name] = [str(subjects.get(key, key)) for key in value]
        elif name == "entries" and isinstance(value, list):
            said[name] = [resolved(entry, subjects) for entry in value]
        else:
            said[name] = value
    return said


def _parts(whole: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    return (whole[at : at + most] for at in range(0, len(whole), most))


def _tell_once(state: RetryCallState, service: str, base: str) -> None:
    if state.attempt_number == 1:
        print(f"{service} does not answer at {base}; trying again.", file=sys.stderr)
