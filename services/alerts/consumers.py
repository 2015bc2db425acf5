"""What alerts hears: intake, attendance and aftercare."""

from collections.abc import Sequence

from alerts import concern
from alerts.rules import Ladder
from handrail.applying import Apply
from handrail.envelope import Received
from handrail.outbox import Connection


def on_events(ladder: Ladder) -> Apply:
    """What becomes of what was heard, under the ladder in force."""

    async def apply(conn: Connection, received: Sequence[Received]) -> None:
        await concern.take(conn, received, ladder)

    return apply
