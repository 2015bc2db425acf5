"""Of which programmes a thing is that a path names."""

from uuid import UUID

from handrail.access.guard import Programs
from handrail.outbox import Connection
from intake.store import people

_ADMISSION = "select program_id from admissions where admission_id = $1"


async def _of_admission(conn: Connection, admission_id: UUID) -> list[str | None]:
    return [row["program_id"] for row in await conn.fetch(_ADMISSION, admission_id)]


async def _of_patient(conn: Connection, patient_id: UUID) -> list[str | None]:
    """All of the person's: the lists show every stay."""
    return [row["program_id"] for row in await people.admissions_of(conn, patient_id)]


PROGRAMS: Programs = {"admission_id": _of_admission, "patient_id": _of_patient}
