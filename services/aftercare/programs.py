"""Of which programmes a thing is that a path names."""

from uuid import UUID

from handrail.access.guard import Programs
from handrail.outbox import Connection

_STEP_DOWN = """
select program_of(admission_id) as program_id from hand_offs where step_down_id = $1
"""


async def _of_step_down(conn: Connection, step_down_id: UUID) -> list[str | None]:
    return [row["program_id"] for row in await conn.fetch(_STEP_DOWN, step_down_id)]


PROGRAMS: Programs = {"step_down_id": _of_step_down}
