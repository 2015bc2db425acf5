"""The calendar's commands: a series is set, people join and leave it, a session is moved."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid4

from attendance import ahead, bookings, moves, recurrence, rules, series_rows, store
from attendance.facts import Admission, Chair, When
from attendance.rules import Decided
from attendance.series import (
    AHEAD,
    CalendarCommand,
    JoinSeries,
    LeaveSeries,
    Member,
    MoveSession,
    Series,
    SetSeries,
    is_as_planned,
    sessions_of,
    told,
)
from handrail import outbox, receipts, sites
from handrail.events.attendance import SeriesJoined, SeriesLeft
from handrail.outbox import Connection
from handrail.receipts import Command, Rejected, Result, moment_of
from handrail.sites import Site
from handrail.writes import write


async def take(conn: Connection, command: CalendarCommand, now: datetime) -> Result:
    """Carry out one command. A refused one changes nothing: it is decided before it is written."""
    receipt = command.receipt()
    known = await receipts.find(conn, [receipt])
    if receipt in known:
        return Result(key=command.key, status="duplicate", subject=known[receipt])
    try:
        subject = await _decide(conn, command, now)
    except Rejected as rejected:
        return await receipts.refusal(conn, command, rejected)
    await write(conn, receipts.entered([(*receipt, subject)]))
    return Result(key=command.key, status="applied", subject=subject)


async def _decide(conn: Connection, command: CalendarCommand, now: datetime) -> UUID | None:
    match command:
        case SetSeries():
            await _set(conn, command, now)
        case JoinSeries():
            return await _join(conn, command, now)
        case LeaveSeries():
            return await _leave(conn, command, now)
        case MoveSession():
            return await _move(conn, command, now)
    return None


async def _set(conn: Connection, command: SetSeries, now: datetime) -> None:
    site, when = await _there(conn, command.site_id, command, now)
    recurrence.parse(command.recurrence, site.time_zone)
    recurrence.require_calendar(command.holidays)
    before = await series_rows.load(conn, command.site_id, command.series_key)
    first = when["recorded_day"]
    facts = command.model_dump(include=set(Series.__dataclass_fields__))
    series = Series(**facts, planned_through=first + AHEAD)
    if before:
        await _take_off(conn, before, series, site, when)
    await series_rows.save(conn, series)
    await outbox.stage(conn, [told(series, when)])
    await ahead.make(conn, site, [(series, first)], when)


async def _take_off(
    conn: Connection, before: Series, series: Series, site: Site, when: When
) -> None:
    """Drop what was made by the old rule and is not in the new one; what has begun stays."""
    first, last = when["recorded_day"], before.planned_through
    kept = {s.session_key for s in sessions_of(series, site, first, last)}
    ruled = {s.session_key for s in sessions_of(before, site, first, last)}
    standing = [s for s in await series_rows.made(conn, before, first, last) if not s.is_cancelled]
    seats = await store.seats(conn, [session.session_id for session in standing])
    begun = {at for (at, _), seat in seats.items() if seat.recorded_at}
    gone = [
        s
        for s in standing
        if s.session_key in ruled
        and s.session_id not in begun
        and not (s.session_key in kept and is_as_planned(s, series))
    ]
    await series_rows.drop(conn, gone)
    of_gone = {session.session_id: session for session in gone}
    taken = [(of_gone[at], seat) for (at, _), seat in seats.items() if at in of_gone]
    await ahead.withdraw(conn, taken, "series_changed", when)


async def _join(conn: Connection, command: JoinSeries, now: datetime) -> UUID:
    site, when = await _there(conn, command.site_id, command, now)
    series = await _series(conn, command.site_id, command.series_key)
    if command.until_on and command.until_on < command.from_on:
        raise Rejected("ends_before_it_begins", "It lasts a day at least.", "until_on")
    admission = await _admission(conn, command.admission_id)
    if admission.site_id != site.site_id:
        raise Rejected("other_site", "The person is at another site.", "admission_id")
    rules.require_in_care(admission, command.from_on, "from_on")
    one = Member(
        site.site_id, series.series_key, command.admission_id, command.from_on, command.until_on
    )
    first = max(command.from_on, when["recorded_day"])
    made = await series_rows.made(conn, series, first, series.planned_through)
    seats = await store.seats(conn, [session.session_id for session in made])
    coming = [
        session
        for session in made
        if one.is_expected_on(session.held_on)
        and not session.is_cancelled
        and (session.session_id, one.admission_id) not in seats
    ]
    promised = await bookings.promised(conn, [one.admission_id], coming)
    planned = []
    for session in coming:
        moves.require_free(session, promised[one.admission_id])
        planned.append(rules.schedule(Chair(session, admission, None, when)))
    await series_rows.save_member(conn, one)
    joined = SeriesJoined(
        site_id=site.site_id,
        admission_id=one.admission_id,
        **when,
        series_key=series.series_key,
        track=series.track,
        from_on=one.from_on,
        until_on=one.until_on,
    )
    await write(
        conn,
        store.seated(seat for seat, _ in planned),
        outbox.staged([joined, *(event for _, event in planned)]),
    )
    return one.admission_id


async def _leave(conn: Connection, command: LeaveSeries, now: datetime) -> UUID:
    site, when = await _there(conn, command.site_id, command, now)
    series = await _series(conn, command.site_id, command.series_key)
    one = await series_rows.member(conn, series, command.admission_id)
    if one is None:
        raise Rejected("not_in_series", "The person is not in that series.", "admission_id")
    left_on = command.left_on
    await series_rows.save_member(conn, replace(one, until_on=left_on))
    first = max(left_on + ahead.ONE_DAY, when["recorded_day"])
    made = await series_rows.made(conn, series, first, series.planned_through)
    by_id = {session.session_id: session for session in made}
    seats = await store.seats(conn, list(by_id))
    gone = [(by_id[at], seat) for (at, who), seat in seats.items() if who == one.admission_id]
    left = SeriesLeft(
        site_id=site.site_id,
        admission_id=one.admission_id,
        **when,
        series_key=series.series_key,
        track=series.track,
        left_on=left_on,
    )
    await outbox.stage(conn, [left])
    await ahead.withdraw(conn, gone, "left_series", when)
    return one.admission_id


async def _move(conn: Connection, command: MoveSession, now: datetime) -> UUID:
    name = command.name()
    if not command.session_id and name is None:
        raise Rejected("session_not_named", "Give session_id or session_key.", "session_key")
    ids = [command.session_id] if command.session_id else []
    found = await store.sessions(conn, ids, [] if ids or name is None else [name])
    field = "session_id" if command.session_id else "session_key"
    here = next(iter(found.values()), None)
    if here is None:
        raise Rejected("session_unknown", "No session has that name.", field)
    if command.site_id not in (None, here.site_id):
        raise Rejected("other_site", "The session is held at another site.", "site_id")
    site, when = await _there(conn, here.site_id, command, now)
    if here.is_cancelled:
        raise Rejected("session_already_cancelled", "It was cancelled or moved before.", field)
    there = replace(
        here,
        session_id=uuid4(),
        session_key=f"{here.session_key[:80]}/moved/{uuid4().hex}",
        held_on=command.to_planned_on,
        planned_on=command.to_planned_on,
        starts_at=command.to_starts_at,
    )
    moves.require_local(there, site, "to_starts_at")
    seats = await store.seats(conn, [here.session_id])
    if any(seat.recorded_at for seat in seats.values()):
        raise Rejected("session_begun", "Its roster was taken in part.", field)
    waiting = [seat for seat in seats.values() if seat.moved_to is None]
    people = await store.admissions(conn, (seat.admission_id for seat in waiting))
    promised = await bookings.promised(conn, people, [there])
    decided: list[Decided] = []
    for seat in waiting:
        person = people[seat.admission_id]
        decided += moves.moved(
            Chair(here, person, seat, when),
            Chair(there, person, None, when),
            promised[seat.admission_id],
        )
    await store.cancel_sessions(conn, [here.session_id])
    await write(
        conn,
        store.opened([there]),
        store.seated(seat for seat, _ in decided),
        outbox.staged([event for _, event in decided]),
    )
    return there.session_id


async def _there(
    conn: Connection, site_id: str, command: Command, now: datetime
) -> tuple[Site, When]:
    site = (await sites.load(conn, [site_id])).get(site_id)
    if site is None:
        raise Rejected("site_unknown", "No site has that identifier.", "site_id")
    moment = moment_of(site, command, now)
    return site, {
        "occurred_at": command.occurred_at,
        "recorded_at": moment.recorded_at,
        "recorded_day": moment.recorded_day,
    }


async def _series(conn: Connection, site_id: str, series_key: str) -> Series:
    found = await series_rows.load(conn, site_id, series_key)
    if found is None:
        raise Rejected("series_unknown", "The site has no series of that name.", "series_key")
    return found


async def _admission(conn: Connection, admission_id: UUID) -> Admission:
    found = (await store.admissions(conn, [admission_id])).get(admission_id)
    if found is None:
        raise Rejected("admission_unknown", "No admission has that identifier.", "admission_id")
    return found
