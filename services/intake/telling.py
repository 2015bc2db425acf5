"""What another system tells of a stay, on its way into the database as commands."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from handrail import edges
from handrail.desk import store as names
from handrail.desk.letter import Letter
from handrail.events.intake import ReferralSource
from handrail.outbox import Connection
from intake import admission, store
from intake.adt.terms import Place, Terms
from intake.commands import AdmissionCommand, CompleteIntake, DeclineReferral, ReceiveReferral
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

    async def refer(self, patient_id: UUID, source: ReferralSource) -> UUID:
        """A referral of the person; its admission."""
        sender = self.letter.sender
        return await self.say(
            ReceiveReferral,
            site_id=sender.site_id,
            time_zone=sender.time_zone,
            patient_id=patient_id,
            referral_source=source,
        )

    async def admit(self, admission_id: UUID, on: date, place: Place) -> None:
        """The person is in care."""
        await self.say(
            CompleteIntake,
            admission_id=admission_id,
            admitted_on=on,
            # A register says that the person is here; whoever admitted them has assessed them.
            eligibility_waived_for="assessed_elsewhere",
            **place.model_dump(),
        )

    async def decline(self, admission_id: UUID) -> None:
        """A referral ends without an admission."""
        await self.say(DeclineReferral, admission_id=admission_id, by="programme", reason="other")

    async def one(self, admission_id: UUID) -> Admission | None:
        """That admission; for the sender one of another site is not there."""
        found = await store.one(self.conn, admission_id)
        return found if found and found.site_id == self.letter.sender.site_id else None

    async def known(self, name: bytes) -> Admission | None:
        """The admission of that keyed name."""
        found = await names.find(self.conn, name)
        return await self.one(found) if found else None


def case_of(conn: Connection, letter: Letter) -> Case:
    """A statement on its way."""
    return Case(conn, letter, Terms.model_validate_json(letter.sender.terms))


async def open_of(conn: Connection, patient_id: UUID, site_id: str | None = None) -> UUID | None:
    """The person's newest admission or referral that has not ended; of one site, or of any."""
    found = await people.admissions_of(conn, patient_id)
    going_on = [
        row["admission_id"]
        for row in found
        if row["status"] in BEFORE | OPEN and site_id in (None, row["site_id"])
    ]
    return going_on[-1] if going_on else None
