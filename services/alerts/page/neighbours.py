"""The other services as the page meets them: by HTTP, at the addresses in the settings."""

from typing import Any

import httpx

from alerts.page.settings import PageSettings
from handrail import telemetry
from handrail.access.tokens import InnerAuth

SECONDS = 5


class Away(Exception):
    """The service does not answer now, or nobody said where it is."""


class Unknown(Exception):
    """There is nothing by that name."""


class Neighbours:
    """One client for all; connections are kept."""

    def __init__(self, settings: PageSettings, auth: InnerAuth) -> None:
        """Nothing connects before it is asked."""
        given = {
            "intake": settings.intake_url,
            "attendance": settings.attendance_url,
            "aftercare": settings.aftercare_url,
        }
        self.addresses = {name: str(url).rstrip("/") for name, url in given.items() if url}
        self.client = httpx.AsyncClient(timeout=SECONDS, trust_env=False, auth=auth)

    async def get(self, service: str, path: str, **query: Any) -> Any:
        """What it answers. Raises Away or Unknown."""
        answer = await self._ask("GET", service, path, params=query)
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise Unknown
        if answer.is_error:
            raise Away
        return answer.json()

    async def state(self, service: str, path: str) -> dict[str, Any]:
        """What it says of itself, also when that is not good. Raises Away."""
        answer = await self._ask("GET", service, path)
        try:
            return dict(answer.json())
        except ValueError as error:
            raise Away from error

    async def command(self, service: str, body: dict[str, Any]) -> dict[str, Any]:
        """The one result of one command, also where it was refused. Raises Away."""
        answer = await self._ask("POST", service, "/v1/commands", json=[body])
        if answer.is_error:
            raise Away
        [result] = answer.json()
        return dict(result)

    async def post(self, service: str, path: str, body: dict[str, Any]) -> None:
        """Tell it something that it takes once; what it has taken already is no mistake. Raises Away."""
        answer = await self._ask("POST", service, path, json=body)
        if answer.is_server_error or answer.status_code in (401, 403):
            raise Away

    async def _ask(self, method: str, service: str, path: str, **more: Any) -> httpx.Response:
        base = self.addresses.get(service)
        if base is None:
            raise Away
        trace = telemetry.current_traceparent()
        headers = {"traceparent": trace} if trace else {}
        try:
            return await self.client.request(method, base + path, headers=headers, **more)
        except httpx.HTTPError as error:
            raise Away from error
