"""Attendance's use case: take commands about sessions, seats and persons, many at a time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from attendance import (
    ahead,
    bookings,
    chart,
    commands,
    gatherings,
    history,
    measures,
    notes,
    places,
    planning,
    series_rows,
    store,
)
from attendance.batch import Batch
from attendance.commands import AnyCommand, SeatingCommand
from attendance.known import load
from attendance.series import CalendarCommand
from handrail import outbox, receipts, sites
from handrail.events.attendance import AttendanceDayClosed
from handrail.personal.vault import Vault
from handrail.receipts import Rejected, Result
from handrail.telemetry import current_traceparent
from handrail.writes import write

# A command and the traceparent of what led to it.
Caused: TypeAlias = tuple[SeatingCommand, str | None]


async def take(
    conn: outbox.Connection,
    taken: Sequence[AnyCommand],
    now: datetime,
    vault: Vault | None = None,
    causes: Sequence[str | None] | None = None,
) -> list[Result]:
    """Carry out the commands in this order; one result each. A refused one changes nothing.

    Without a vault the answers to forms are refused. What changes the calendar, and the end of a
    day with planned sessions, goes alone. `causes` are the traceparents of what led to each
    command; the current span where left out.
    """
    has_plans = await _sites_with_plans(conn, taken)
    results: list[Result] = []
    between: list[Caused] = []
    for command, cause in zip(taken, causes or [current_traceparent()] * len(taken), strict=True):
        if isinstance(command, CalendarCommand):
            results += await _take(conn, between, now, vault)
            results.append(await planning.take(conn, command, now))
            between = []
        elif command.do == "close_day" and command.site_id in has_plans:
            results += await _take(conn, between, now, vault)
            results.append(await _end_day(conn, command))
            between = []
        else:
            between.append((command, cause))
    return results + await _take(conn, between, now, vault)


async def _sites_with_plans(conn: outbox.Connection, taken: Sequence[AnyCommand]) -> set[str]:
    closing = {command.site_id for command in taken if command.do == "close_day"}
    if not closing:
        return set()
    now_planned = {
        command.site_id for command in taken if command.do in ("schedule_session", "set_series")
    }
    return now_planned & closing | await series_rows.with_plans(conn, closing - now_planned)


async def _end_day(conn: outbox.Connection, command: commands.CloseDay) -> Result:
    """A day ends once whatever the command's key, so this needs no receipt."""
    site = (await sites.hold(conn, [command.site_id])).get(command.site_id)
    if site is None or site.clock != "replay":
        refusal = _not_on_replay(site)
        return refusal.result(command.key)
    done = await sites.close_day(
        conn, site.site_id, command.day, AttendanceDayClosed, ahead.on_day_end
    )
    return Result(key=command.key, status="applied" if done else "duplicate")


async def _take(
    conn: outbox.Connection, taken: Sequence[Caused], now: datetime, vault: Vault | None
) -> list[Result]:
    """Fifteen statements at most, however many commands."""
    if not taken:
        return []
    known = await load(conn, [command for command, _ in taken])
    receipted = await receipts.find(conn, (c.receipt() for c, _ in taken))
    batch = Batch(known, receipted, now, is_sealing=vault is not None)
    results: list[Result] = []
    causes: list[str | None] = []
    for command, cause in taken:
        results.append(_carry_out(batch, command))
        causes += [cause] * (len(batch.events) - len(causes))
    await measures.save(conn, batch.answered, vault)
    await write(
        conn,
        store.opened(known.sessions[i] for i in batch.opened),
        store.seated(known.seats[place] for place in batch.seated),
        history.kept(batch.replaced),
        notes.noted(batch.barriers),
        bookings.asked_for(batch.policies),
        receipts.entered(batch.taken),
        outbox.staged(batch.events, causes),
    )
    # What was opened in this batch may be called off in it.
    await store.cancel_sessions(conn, batch.cancelled)
    await sites.move(conn, batch.closed)
    return results


def _carry_out(batch: Batch, command: SeatingCommand) -> Result:
    receipt = (command.source, command.key)
    if receipt in batch.receipted or _is_closed(batch, command):
        subject = batch.receipted.get(receipt)
        return Result(key=command.key, status="duplicate", subject=subject)
    try:
        subject = _decide(batch, command)
    except Rejected as rejected:
        return rejected.result(command.key)
    batch.receipted[receipt] = subject
    batch.taken.append((*receipt, subject))
    return Result(key=command.key, status="applied", subject=subject)


def _decide(  # noqa: C901, PLR0911, PLR0912  # one line a command
    batch: Batch, command: SeatingCommand
) -> UUID | None:
    match command.do:  # a tag costs less than the class of a pydantic model
        case "record_attended" | "record_missed" | "record_excused":
            return places.record(batch, command)
        case "record_contact" | "record_screen" | "record_measure":
            return chart.note(batch, command)
        case "note_barrier" | "lift_barrier":
            return chart.change_barrier(batch, command)
        case "record_answers":
            return chart.answer(batch, command)
        case "cancel_seat":
            return places.call_off(batch, command)
        case "move_seat":
            return places.move(batch, command)
        case "make_up":
            return places.make_up(batch, command)
        case "set_policy":
            _set_policy(batch, command)
            return None
        case "schedule_session":
            return gatherings.schedule(batch, command)
        case "take_roster":
            return gatherings.take_roster(batch, command)
        case "correct_attendance":
            return places.correct(batch, command)
        case "cancel_session":
            return gatherings.cancel(batch, command)
        case "close_day":
            _close_day(batch, command)
            return None


def _set_policy(batch: Batch, command: commands.SetPolicy) -> None:
    batch.when(command.site_id, command)
    batch.policies[command.site_id] = command.late_cancellation_hours
    batch.known.notice_hours[command.site_id] = command.late_cancellation_hours


def _close_day(batch: Batch, command: commands.CloseDay) -> None:
    site = batch.known.sites.get(command.site_id)
    if site is None or site.clock != "replay":
        raise _not_on_replay(site)
    batch.events += sites.closed_events(AttendanceDayClosed, site, command.day)
    batch.known.sites[site.site_id] = replace(site, closed_through=command.day)
    batch.closed[site.site_id] = command.day


def _is_closed(batch: Batch, command: SeatingCommand) -> bool:
    if command.do != "close_day":
        return False
    site = batch.known.sites.get(command.site_id)
    return site is not None and site.clock == "replay" and command.day <= site.closed_through


def _not_on_replay(site: sites.Site | None) -> Rejected:
    if site is None:
        return Rejected("site_unknown", "No site has that identifier.", "site_id")
    return Rejected("site_on_wall_clock", "Its days close by themselves.", "site_id")
