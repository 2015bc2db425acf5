"""What intake takes from attendance: who was seen, and that a day is over there."""

from collections.abc import Sequence

from handrail.envelope import Received
from handrail.outbox import Connection
from intake import first_session


async def on_attendance_events(conn: Connection, received: Sequence[Received]) -> None:
    """Apply a batch of attendance's events to the clocks of their admissions."""
    await first_session.take(conn, received)
