"""What a client of bulk data does: asks, waits as long as it is told to, and fetches."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
from fhir.resources.R4B import get_fhir_model_class

from tests.parts import until


@dataclass
class Exporting:
    """One caller of one service."""

    client: httpx.AsyncClient

    @staticmethod
    @contextlib.asynccontextmanager
    async def of(base: str, bearer: str) -> AsyncIterator["Exporting"]:
        """With this token."""
        headers = {"authorization": bearer, "accept": "application/fhir+json"}
        async with httpx.AsyncClient(base_url=base, headers=headers, trust_env=False) as client:
            yield Exporting(client)

    async def asked(self, **query: str) -> str:
        """Where the export can be looked at."""
        headers = {"prefer": "respond-async"}
        answer = await self.client.get("/fhir/R4/$export", params=query, headers=headers)
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        return str(answer.headers["content-location"])

    async def made(self, where: str) -> dict[str, Any]:
        """The manifest, once the export is made."""

        async def is_made() -> dict[str, Any] | None:
            answer = await self.client.get(where)
            if answer.status_code == httpx.codes.ACCEPTED:
                assert answer.headers["x-progress"]
                assert int(answer.headers["retry-after"]) > 0
                return None
            assert answer.status_code == httpx.codes.OK, answer.text
            assert answer.headers["expires"]
            found: dict[str, Any] = answer.json()
            return found

        return await until(is_made, "the export is made")

    async def reports(self, manifest: dict[str, Any]) -> list[Any]:
        """The files, as a library that nobody here wrote reads them."""
        found: list[Any] = []
        kind = get_fhir_model_class("MeasureReport")
        for file in manifest["output"]:
            assert file["type"] == "MeasureReport"
            answer = await self.client.get(file["url"])
            assert answer.headers["content-type"] == "application/fhir+ndjson"
            lines = answer.text.splitlines()
            assert len(lines) == file["count"]
            found += [kind.model_validate_json(line) for line in lines]
        return found
