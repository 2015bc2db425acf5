"""Of which programmes a thing is that a path names."""

from uuid import UUID

from handrail.access.guard import Programs
from handrail.outbox import Connection

_ADMISSION = "select program_id from admissions where admission_id = $1"
# A session shows the people in it; not each one says its programme.
_SESSION = """
select program_id from sessions where session_id = $1 and program_id is not null
union
select a.program_id from seats left join admissions a using (admission_id) where session_id = $1
"""


async def _of_admission(conn: Connection, admission_id: UUID) -> list[str | None]:
    return [row["program_id"] for row in await conn.fetch(_ADMISSION, admission_id)]


async def _of_session(conn: Connection, session_id: UUID) -> list[str | None]:
    return [row["program_id"] for row in await conn.fetch(_SESSION, session_id)]


PROGRAMS: Programs = {"admission_id": _of_admission, "session_id": _of_session}
