"""Talks to the four services: waits for one that is away, and repeats are harmless."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import orjson
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_delay
from tenacity.wait import wait_exponential

from operate.addresses import Addresses
from operate.errors import OperateError

PATIENCE_SECONDS = 300
AT_ONCE = 1000
Result = dict[str, Any]


class Away(Exception):
    """The service does not answer just now."""


class Client:
    """One HTTP client for all services; every command has a key, so sending twice is once."""

    def __init__(self, addresses: Addresses, say: Callable[[str], None]) -> None:
        """`say` takes a line for people."""
        self.addresses, self.say = addresses, say
        self.http = httpx.AsyncClient(timeout=60, trust_env=False, auth=addresses.auth())

    async def post(self, service: str, path: str, body: object = None) -> Any:
        """POST and return the answer. Raises OperateError after five minutes or on a refusal."""
        return await self._send("POST", service, path, body)

    async def put(self, service: str, path: str, body: object) -> Any:
        """PUT and return the answer. Raises OperateError after five minutes or on a refusal."""
        return await self._send("PUT", service, path, body)

    async def get(self, service: str, path: str, **params: str) -> Any:
        """GET and return the answer; None for 404."""
        return await self._send("GET", service, path, None, params)

    async def commands(self, service: str, commands: list[dict[str, Any]]) -> list[Result]:
        """Send commands in order, some hundred a call; one result each."""
        results: list[Result] = []
        for start in range(0, len(commands), AT_ONCE):
            part = commands[start : start + AT_ONCE]
            results += await self.post(service, "/v1/commands", part)
        return results

    async def lines(self, service: str, path: str, site_id: str) -> list[str]:
        """The lines of a CSV export, without its head."""
        text = await self.get(service, path, site_id=site_id)
        return str(text or "").splitlines()[1:]

    async def close(self) -> None:
        """Give the connections back."""
        await self.http.aclose()

    async def _send(
        self,
        method: str,
        service: str,
        path: str,
        body: object,
        params: dict[str, str] | None = None,
    ) -> Any:
        url = getattr(self.addresses, service) + path
        content = None if body is None else orjson.dumps(body)
        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(Away),
                wait=wait_exponential(multiplier=0.1, max=2),
                stop=stop_after_delay(PATIENCE_SECONDS),
                before_sleep=self._tell(service),
                reraise=True,
            ):
                with attempt:
                    return await self._once(method, url, content, params)
        except Away as error:
            message = f"{service} has not answered for {PATIENCE_SECONDS} s; see ./handrail status"
            raise OperateError(message) from error
        return None

    async def _once(
        self, method: str, url: str, content: bytes | None, params: dict[str, str] | None
    ) -> Any:
        headers = {"content-type": "application/json"} if content else {}
        try:
            answer = await self.http.request(
                method, url, content=content, params=params, headers=headers
            )
        except httpx.TransportError as error:
            raise Away from error
        if answer.status_code >= 500:
            raise Away
        if answer.status_code == 404 and method == "GET":
            return None
        if answer.status_code >= 400:
            problem = orjson.loads(answer.content)
            message = f"{url} refused: {problem.get('title')}; {problem.get('detail')}"
            raise OperateError(message)
        if answer.headers["content-type"].startswith("application/json"):
            return orjson.loads(answer.content)
        return answer.text

    def _tell(self, service: str) -> Callable[[RetryCallState], None]:
        began = time.monotonic()

        def tell(state: RetryCallState) -> None:
            if state.attempt_number == 5:
                waited = time.monotonic() - began
                self.say(f"{service} does not answer ({waited:.0f} s); trying again")

        return tell
