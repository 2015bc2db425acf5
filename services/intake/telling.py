"""What another system tells of a stay, on its way into the database as commands."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from handrail import edges
from handrail.desk import store as names
from handrail.desk.letter import Letter
from handrail.outbox import Connection
from intake import admission, store
from intake.adt.terms import Terms
from intake.commands import AdmissionCommand, ReceiveReferral
from intake.facts import BEFORE, OPEN, Admission
from intake.store import people


@dataclass(slots=True)
class Case:
    """One statement."""

    conn: Connection
    letter: Letter
    terms: Terms
    said: int = field(default=0)

    async def say(
        self, command: type[AdmissionCommand] | type[ReceiveReferral], **facts: Any
    ) -> UUID:
        """Have one command carried out. Raises Rejected."""
        self.said += 1
        sender = self.letter.sender
        made = command(
            source=sender.source,
            key=f"{self.letter.key}:{self.said}",
            occurred_at=self.letter.at,
            **facts,
        )
        [result] = await admission.take(self.conn, [made], self.letter.now)  # type: ignore[list-item]  # one of the union
        subject = edges.accepted(result).subject
        assert subject is not None
        return subject

    async def known(self, name: bytes) -> Admission | None:
        """The admission of that keyed name."""
        found = await names.find(self.conn, name)
        return await store.one(self.conn, found) if found else None


def case_of(conn: Connection, letter: Letter) -> Case:
    """A statement on its way."""
    return Case(conn, letter, Terms.model_validate_json(letter.sender.terms))


async def open_of(conn: Connection, patient_id: UUID) -> UUID | None:
    """The person's newest admission or referral that has not ended."""
    found = await people.admissions_of(conn, patient_id)
    going_on = [row["admission_id"] for row in found if row["status"] in BEFORE | OPEN]
    return going_on[-1] if going_on else None
