"""Asks intake which admission a sender's numbers mean: what names a person stays there."""

from typing import Any
from uuid import UUID

import httpx

from handrail.access.tokens import InnerAuth
from handrail.desk.letter import Letter
from handrail.hl7.settings import Hl7Settings

SECONDS = 3.0
OK, NOT_FOUND = 200, 404
VISIT, PERSON = ("PV1", 19, 4), ("PID", 3, 4)


class IntakeAway(ConnectionError):
    """Intake does not answer; the sender is asked to send again."""


class Intake:
    """One client; connections are kept."""

    def __init__(self, settings: Hl7Settings, auth: InnerAuth) -> None:
        """Nothing connects before it is asked."""
        self.address = str(settings.intake_url or "").rstrip("/")
        self.client = httpx.AsyncClient(timeout=SECONDS, trust_env=False, auth=auth)

    async def admission(self, letter: Letter) -> UUID | None:
        """The admission, where intake knows the numbers. Raises IntakeAway."""
        asked = {
            "visit": _hashed(letter, "visit", VISIT),
            "person": _hashed(letter, "person", PERSON),
        }
        if not any(asked.values()):
            return None
        try:
            answer = await self.client.post(f"{self.address}/v1/hl7/find", json=asked)
        except (httpx.HTTPError, httpx.InvalidURL):
            raise IntakeAway from None
        if answer.status_code == NOT_FOUND:
            return None
        if answer.status_code != OK:
            raise IntakeAway
        body: dict[str, Any] = answer.json()
        return UUID(body["admission_id"])


def _hashed(letter: Letter, kind: str, place: tuple[str, int, int]) -> str | None:
    segment, field, authority = place
    number = letter.message.value(segment, field)
    if not number:
        return None
    return letter.name(kind, (number, letter.message.value(segment, field, authority))).hex()
