"""Steps of intake that are still missing a week after the admission: said once, at a day's end."""

from datetime import date, datetime

from handrail import outbox
from handrail.events.intake import IntakeStepOverdue
from handrail.outbox import Connection
from handrail.sites import Site
from intake import store
from intake.rules import needs

_SAY = """
insert into overdue_steps (admission_id, step, due_on)
select * from unnest($1::uuid[], $2::text[], $3::date[])
on conflict do nothing
returning admission_id, step, due_on
"""


async def on_day_end(conn: Connection, site: Site, day: date, end: datetime) -> None:
    """Say which steps are overdue. History is told as it was: there nobody is asked for them."""
    if site.clock != "wall":
        return
    waiting = await store.with_steps_overdue(conn, site.site_id, day - needs.STEPS_WITHIN)
    late = [
        (a.admission_id, step, needs.due_on(a)) for a in waiting for step in needs.overdue(a, day)
    ]
    if not late:
        return
    said = await conn.fetch(_SAY, *map(list, zip(*late, strict=True)))
    when = {"occurred_at": end, "recorded_at": end, "recorded_day": day}
    rows = sorted(said, key=lambda row: (row["admission_id"], row["step"]))
    events = [IntakeStepOverdue(site_id=site.site_id, **when, **row) for row in rows]
    await outbox.stage(conn, events)
