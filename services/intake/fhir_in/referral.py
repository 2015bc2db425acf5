"""ServiceRequest: an active one opens a referral, one taken back ends it."""

from uuid import UUID

from handrail.desk.letter import VALUE, Letter, Refusal
from handrail.fhir import naming
from handrail.fhir.reading import Statement
from handrail.fhir.words import Resource
from handrail.outbox import Connection
from intake import fhir
from intake.facts import BEFORE
from intake.fhir_in import opening
from intake.telling import case_of

NOTHING_YET = frozenset({"draft", "on-hold", "completed", "unknown"})
TAKEN_BACK = frozenset({"revoked", "entered-in-error"})


def names(letter: Letter) -> list[bytes]:
    """What it is called, its own name first."""
    return naming.own(letter, "referral")


async def whom(conn: Connection, letter: Letter) -> UUID | None:
    """The person, where they are known."""
    return await opening.person_known(conn, letter, letter.message.resource.subject)


async def shown(conn: Connection, letter: Letter) -> Resource | None:
    """The referral, where there is one."""
    return await naming.shown(conn, names(letter), fhir.FIND["ServiceRequest"])


async def apply(conn: Connection, letter: Letter) -> None:
    """Carry out what it says. Raises Refusal or Rejected."""
    statement: Statement = letter.message
    status, case = str(statement.resource.status), case_of(conn, letter)
    if status in NOTHING_YET:
        return
    if status not in TAKEN_BACK | {"active"}:
        raise Refusal(VALUE, statement.path("status"), "R4 has no such status.")
    found = await opening.known(case, "referral")
    if status == "active" and found is None:
        patient_id = await opening.person_of(case, statement.resource.subject, "subject")
        with statement.at("subject"):
            await opening.refer(case, patient_id, names(letter))
    elif status in TAKEN_BACK and found and found.status in BEFORE:
        with statement.at("status"):
            await case.decline(found.admission_id)
