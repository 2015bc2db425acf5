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

    async def meant_by_message(self, letter: Letter) -> UUID | None:
        """The admission of an HL7 message's visit or person. Raises IntakeAway."""
        return await self.admission(
            _named(letter, "visit", VISIT), person=_named(letter, "person", PERSON)
        )

    async def admission(self, visit: bytes | None, *, person: bytes | None) -> UUID | None:
        """The admission, where intake knows one of the names. Raises IntakeAway."""
        asked = {
            name: found.hex() for name, found in (("visit", visit), ("person", person)) if found
        }
        if not asked:
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


def _named(letter: Letter, kind: str, place: tuple[str, int, int]) -> bytes | None:
    segment, field, authority = place
    number = letter.message.value(segment, field)
    if not number:
        return None
    return letter.name(kind, (number, letter.message.value(segment, field, authority)))
