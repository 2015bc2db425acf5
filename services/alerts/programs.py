"""Of which programmes a thing is that a path names."""

from uuid import UUID

from handrail.access.guard import Programs
from handrail.outbox import Connection

_ADMISSION = "select program_id from people where admission_id = $1"
_CONCERN = """
select p.program_id from concerns c left join people p using (admission_id) where concern_id = $1
"""


async def _of_admission(conn: Connection, admission_id: UUID) -> list[str | None]:
    return [row["program_id"] for row in await conn.fetch(_ADMISSION, admission_id)]


async def _of_concern(conn: Connection, concern_id: UUID) -> list[str | None]:
    return [row["program_id"] for row in await conn.fetch(_CONCERN, concern_id)]


PROGRAMS: Programs = {"admission_id": _of_admission, "concern_id": _of_concern}
