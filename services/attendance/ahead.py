"""Sessions and seats made ahead from the rules, and what hangs on a day's end."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from attendance import bookings, moves, rules, series_rows, store
from attendance.facts import Chair, Seat, Session, When
from attendance.rules import Decided
from attendance.series import AHEAD, Series, sessions_of, withdrawn
from handrail import outbox
from handrail.events import Event
from handrail.events.attendance import RosterOverdue, WithdrawReason
from handrail.outbox import Connection
from handrail.receipts import Rejected
from handrail.sites import Site
from handrail.writes import write

ONE_DAY = timedelta(days=1)
LOOK_BACK = timedelta(days=3)


async def on_day_end(conn: Connection, site: Site, day: date, end: datetime) -> None:
    """What hangs on a day's end: seats after an end withdrawn, rosters asked for, sessions made.

    Where the wall clock rules, the watchdog asks for the rosters, an hour after each session.
    """
    when: When = {"occurred_at": end, "recorded_at": end, "recorded_day": day}
    await _withdraw_after_the_end(conn, site, day, when)
    if site.clock == "replay":
        waiting = await series_rows.ask_for_rosters(conn, site.site_id, (day - LOOK_BACK, day), end)
        await outbox.stage(
            conn, [RosterOverdue(site_id=site.site_id, **when, **row) for row in waiting]
        )
    through = day + ONE_DAY + AHEAD
    due = await series_rows.due(conn, site.site_id, through)
    if not due:
        return
    firsts = [(series, series.planned_through + ONE_DAY) for series in due]
    for series in due:
        await series_rows.save(conn, replace(series, planned_through=through))
    moved_on = [(replace(series, planned_through=through), first) for series, first in firsts]
    await make(conn, site, moved_on, when)


async def _withdraw_after_the_end(conn: Connection, site: Site, day: date, when: When) -> None:
    """Nobody is expected after the admission's end; nobody is asked for a roster of it either."""
    days = (day - LOOK_BACK, day + ONE_DAY + AHEAD)
    ended = await series_rows.after_the_end(conn, site.site_id, *days)
    kept = await store.seats(conn, list({session.session_id for session, _ in ended}))
    gone = [(session, kept[session.session_id, person]) for session, person in ended]
    await withdraw(conn, gone, "left_care", when)


async def make(
    conn: Connection, site: Site, series: Sequence[tuple[Series, date]], when: When
) -> None:
    """Make the sessions of these series from their first day on, with a seat for who is expected.

    Someone who is promised elsewhere at that time, or not in care on that day, gets no seat.
    """
    made = [
        session
        for one, first in series
        for session in sessions_of(one, site, first, one.planned_through)
        if session.starts_at and session.starts_at > when["recorded_at"]
    ]
    taken = await series_rows.keys_taken(conn, made)
    made = [session for session in made if session.session_key not in taken]
    if not made:
        return
    keys = [one.series_key for one, _ in series]
    members = await series_rows.members(
        conn, site.site_id, keys, min(session.held_on for session in made)
    )
    people = await store.admissions(conn, (one.admission_id for one in members))
    promised = await bookings.promised(conn, people, made)
    planned: list[Decided] = []
    for session in made:
        for one in members:
            if one.series_key != session.series_key or not one.is_expected_on(session.held_on):
                continue
            chair = Chair(session, people[one.admission_id], None, when)
            if _can_sit(chair, promised[one.admission_id]):
                planned.append(rules.schedule(chair))
                promised[one.admission_id] += filter(None, [moves.booked(session)])
    await write(
        conn,
        store.opened(made),
        store.seated(seat for seat, _ in planned),
        outbox.staged([event for _, event in planned]),
    )


def _can_sit(chair: Chair, promised: Iterable[moves.Booked]) -> bool:
    try:
        moves.require_free(chair.session, promised)
        rules.schedule(chair)
    except Rejected:
        return False
    return True


async def withdraw(
    conn: Connection, seats: Sequence[tuple[Session, Seat]], reason: WithdrawReason, when: When
) -> None:
    """Take these seats away where they are only planned, and tell it."""
    kept = [(s, seat) for s, seat in seats if seat.status == "scheduled" and seat.moved_to is None]
    await series_rows.withdraw(conn, [(s.session_id, seat.admission_id) for s, seat in kept])
    events: list[Event] = [*withdrawn(kept, reason, when)]
    await outbox.stage(conn, events)
