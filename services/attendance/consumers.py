"""What attendance takes from intake: sites, admissions, holds and ends."""

from collections.abc import Sequence

from attendance import merging, personal, rules, store
from attendance.facts import Admission
from handrail import sites
from handrail.envelope import Received
from handrail.events import AdmissionEvent
from handrail.events.intake import PersonErased, ReferralReceived
from handrail.outbox import Connection
from handrail.personal.vault import Vault


async def on_intake_events(
    conn: Connection, received: Sequence[Received], vault: Vault | None = None
) -> None:
    """Apply a batch of intake's events with four statements; more only for merges and erasures."""
    events = [r.event for r in received if isinstance(r.event, AdmissionEvent)]
    if not events:
        return
    referrals = [event for event in events if isinstance(event, ReferralReceived)]
    await sites.learn(conn, ((r.site_id, r.time_zone, r.clock, r.recorded_day) for r in referrals))
    known = {site.site_id: site for site in await sites.all_sites(conn)}
    admissions = await store.admissions(conn, (event.admission_id for event in events))
    for event in events:
        before = admissions.get(event.admission_id) or Admission(event.admission_id, event.site_id)
        day = known[event.site_id].day_of(event.occurred_at)
        admissions[event.admission_id] = rules.follow(before, event, day)
    await store.save_admissions(conn, admissions.values())
    await merging.take(conn, events, known)
    erased = [event.admission_id for event in events if isinstance(event, PersonErased)]
    await personal.forget(conn, vault, erased)
