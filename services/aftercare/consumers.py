"""What aftercare takes from intake: sites, and where each admission belongs."""

from collections.abc import Sequence

from aftercare import store
from handrail import sites
from handrail.envelope import Received
from handrail.events.intake import ReferralReceived
from handrail.outbox import Connection


async def on_intake_events(conn: Connection, received: Sequence[Received]) -> None:
    """Apply a batch of intake's events with two statements."""
    events = [r.event for r in received if isinstance(r.event, ReferralReceived)]
    await sites.learn(conn, ((e.site_id, e.time_zone, e.clock, e.recorded_day) for e in events))
    await store.learn_admissions(conn, {e.admission_id: e.site_id for e in events})
