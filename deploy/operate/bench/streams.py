"""Open pages as a browser keeps them: signed in, listening, and resuming from the last id."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx

RETRY_SECONDS = 0.2
_HIDDEN = re.compile(r'type="hidden" name="(\w+)" value="([^"]*)"')


async def sign_in(client: httpx.AsyncClient, base: str, role: str) -> None:
    """Go the way a browser goes, by the development issuer."""
    begun = await client.get(f"{base}/sign-in/begin")
    asked = await client.get(begun.headers["location"])
    form = dict(_HIDDEN.findall(asked.text)) | {"role": role, "programs": ""}
    chosen = await client.post(f"{base}/development/authorize", data=form)
    (await client.get(chosen.headers["location"])).raise_for_status()


@dataclass
class Stream:
    """One open page. `seen` holds when each person's line first came; `opened` how often it began."""

    client: httpx.AsyncClient
    url: str
    last: str | None = None
    opened: int = 0
    seen: dict[str, float] = field(default_factory=dict)
    is_open: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self) -> None:
        """Listen until cancelled; a stream that breaks or ends is opened again."""
        while True:
            try:
                async for kind, data in self._events():
                    if kind == "concern":
                        person = json.loads(data)["admission_id"]
                        self.seen.setdefault(person, time.perf_counter())
            except httpx.HTTPError:
                pass
            self.is_open.clear()
            await asyncio.sleep(RETRY_SECONDS)

    async def _events(self) -> AsyncIterator[tuple[str, str]]:
        headers = {"last-event-id": self.last} if self.last else {}
        kind, data, mark = "message", "", None
        async with self.client.stream("GET", self.url, headers=headers, timeout=60) as answer:
            if answer.status_code != httpx.codes.OK:
                return
            self.opened += 1
            async for line in answer.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "retry":
                    self.is_open.set()
                elif name == "id":
                    mark = value
                elif name == "event":
                    kind = value
                elif name == "data":
                    data = value
                elif not line and data:
                    # As browsers do: an id counts when its event is whole.
                    self.last = mark or self.last
                    yield kind, data
                    kind, data, mark = "message", "", None
