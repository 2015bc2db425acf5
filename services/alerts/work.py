"""The care team's own work: acknowledge, reach out, resolve; each changes the concern at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from alerts import concern, desk, duty, plan, record, store
from alerts.commands import (
    Acknowledge,
    AnyCommand,
    Assign,
    RecordOutreach,
    Resolve,
    Snooze,
    UndoOutreach,
)
from alerts.corrections import UNDONE
from alerts.desk import Open
from alerts.facts import Fact, micros
from alerts.plan import Attempt
from alerts.rules import Ladder
from handrail import outbox, receipts
from handrail.events import alerts as events
from handrail.outbox import Connection
from handrail.receipts import Moment, Rejected, Result, moment_of
from handrail.writes import write

OWNER = "alerts"


@dataclass(frozen=True, slots=True)
class Told:
    """What a piece of work tells the story; `seat` names it, so that it can be taken back."""

    what: str
    codes: tuple[str, ...]
    numbers: tuple[float, ...] = ()
    seat: str = ""


async def take(
    conn: Connection, taken: Sequence[AnyCommand], now: datetime, ladder: Ladder
) -> list[Result]:
    """Carry out the commands in order; one result each. A refused one changes nothing."""
    known = await receipts.find(conn, (c.receipt() for c in taken))
    results = []
    for command in taken:
        receipt = (command.source, command.key)
        if receipt in known:
            results.append(Result(key=command.key, status="duplicate", subject=known[receipt]))
            continue
        try:
            await _carry_out(conn, command, now, ladder)
        except Rejected as rejected:
            results.append(await receipts.refusal(conn, command, rejected))
            continue
        known[receipt] = command.concern_id
        await write(conn, receipts.entered([(*receipt, command.concern_id)]))
        results.append(Result(key=command.key, status="applied", subject=command.concern_id))
    return results


async def _carry_out(conn: Connection, command: AnyCommand, now: datetime, ladder: Ladder) -> None:
    found = await desk.lock(conn, command.concern_id)
    if found is None:
        raise Rejected("concern_unknown", "No concern has that identifier.", "concern_id")
    if found.ending:
        raise Rejected("concern_closed", "The concern is closed already.", "concern_id")
    moment = moment_of(found.site, command, now)
    match command:
        case Acknowledge():
            taken = duty.acknowledge(found.duty, found.at, found.where)
            await desk.set_duty(conn, found.concern_id, taken)
            await outbox.stage(conn, [events.AlertAcknowledged(**_about(found, command, moment))])
        case Assign(role=role, member=member):
            await desk.assign(conn, found.concern_id, role, member)
            about = _about(found, command, moment)
            await outbox.stage(conn, [events.AlertAssigned(**about, role=role, member=member)])
        case Snooze():
            await _snooze(conn, found, command, moment)
        case RecordOutreach():
            await _reach_out(conn, found, command, moment, ladder)
        case UndoOutreach():
            await _undo(conn, found, command, moment, ladder)
        case Resolve(ending=ending):
            await _require_evidence(conn, found, ending)
            seen = events.AlertAcknowledged(**_about(found, command, moment))
            await _tell(conn, found, seen, Told("resolved", (ending,)), ladder)


async def _snooze(conn: Connection, found: Open, command: Snooze, moment: Moment) -> None:
    if found.site.clock != "wall":
        detail = "Deadlines run on the wall clock; a replay has none."
        raise Rejected("site_on_replay_clock", detail, "concern_id")
    if found.duty.level == 0:
        raise Rejected("safety_not_snoozed", "A safety concern cannot be put off.", "concern_id")
    longest = duty.longest_snooze(found.duty.level, found.at, found.policy)
    if not found.at < command.until <= longest:
        hours = found.policy.snooze_hours[found.duty.level]
        detail = f"The end lies within the next {hours:g} hours for this level."
        raise Rejected("snooze_out_of_range", detail, "until")
    put_off = duty.snooze(found.duty, command.until, found.at, found.where)
    await desk.set_duty(conn, found.concern_id, put_off)
    await desk.set_snooze_reason(conn, found.concern_id, command.reason)
    about = _about(found, command, moment)
    event = events.AlertSnoozed(**about, reason=command.reason, until=command.until)
    await outbox.stage(conn, [event])


async def _reach_out(
    conn: Connection, found: Open, command: RecordOutreach, moment: Moment, ladder: Ladder
) -> None:
    row = (await store.load(conn, [found.admission_id]))[found.admission_id]
    supports = record.present(row.record, ladder).supports
    if command.party == "support" and not supports:
        detail = "No consent to speak with a support person is on file."
        raise Rejected("support_not_consented", detail, "party")
    attempt = Attempt(command.channel, command.outcome, moment.recorded_day, command.party)
    before = await desk.attempts(conn, found.concern_id)
    step = plan.next_step([*before, attempt], found.policy, has_support=bool(supports))
    outreach_id = await desk.add_outreach(conn, found, attempt, command.occurred_at)
    if found.site.clock == "wall":
        then = duty.attempt(found.duty, step, found.at, found.where)
    else:
        then = replace(found.duty, step=step.code, acknowledged_at=found.at)
    await desk.set_duty(conn, found.concern_id, then)
    event = events.OutreachRecorded(
        **_about(found, command, moment),
        channel=command.channel,
        outcome=command.outcome,
        party=command.party,
        next_step=step.code,
        outreach_id=outreach_id,
    )
    codes = (command.channel, command.outcome, command.party)
    told = Told("outreach", codes, seat=outreach_id.hex)
    await _tell(conn, found, event, told, ladder)


async def _undo(
    conn: Connection, found: Open, command: UndoOutreach, moment: Moment, ladder: Ladder
) -> None:
    """Take an attempt back: what hung on it is decided again without it."""
    if not await desk.undo_outreach(conn, found.concern_id, command.outreach_id):
        detail = "The concern has no such attempt, or it was taken back already."
        raise Rejected("outreach_unknown", detail, "outreach_id")
    left = await desk.attempts(conn, found.concern_id)
    row = (await store.load(conn, [found.admission_id]))[found.admission_id]
    supports = record.present(row.record, ladder).supports
    if found.site.clock == "wall":
        step = plan.next_step(left, found.policy, has_support=bool(supports))
        then = duty.attempt(found.duty, step, found.at, found.where)
        if not left:
            fresh = duty.begin(found.duty.level, found.at, found.where)
            then = replace(fresh, acknowledged_at=found.duty.acknowledged_at)
        await desk.set_duty(conn, found.concern_id, then)
    about = _about(found, command, moment)
    event = events.OutreachUndone(**about, outreach_id=command.outreach_id)
    told = Told("corrected", ("recorded", UNDONE), (-1.0, 0.0, 0.0), command.outreach_id.hex)
    await _tell(conn, found, event, told, ladder)


async def _tell(
    conn: Connection,
    found: Open,
    event: events.ConcernEvent,
    told: Told,
    ladder: Ladder,
) -> None:
    """Put the work into the admission's story and see what follows."""
    row = (await store.load(conn, [found.admission_id]))[found.admission_id]
    fact = Fact(
        event.recorded_day.toordinal(),
        micros(event.occurred_at),
        OWNER,
        await desk.next_sequence(conn, found.admission_id, OWNER),
        told.what,
        event.recorded_day.toordinal(),
        told.codes,
        told.numbers,
        told.seat,
    )
    row.heard_at = event.recorded_at
    await concern.apply_own(conn, row, fact, [event], ladder)


async def _require_evidence(conn: Connection, found: Open, ending: str) -> None:
    """Closed by evidence, not by a click: the attempts that were agreed, or a decline in words."""
    attempts, policy = await desk.attempts(conn, found.concern_id), found.policy
    if ending == "declined_documented":
        if not any(attempt.outcome == "reached_declined" for attempt in attempts):
            raise Rejected("no_decline_recorded", "Record the outreach first.", "ending")
        return
    if not plan.has_tried_enough(attempts, policy):
        detail = (
            f"It takes {policy.attempts} attempts on {policy.attempt_days} days by "
            f"{policy.attempt_channels} channels; record them first."
        )
        raise Rejected("attempts_missing", detail, "ending")


def _about(found: Open, command: AnyCommand, moment: Moment) -> dict[str, Any]:
    return {
        "site_id": found.site.site_id,
        "admission_id": found.admission_id,
        "concern_id": found.concern_id,
        "occurred_at": command.occurred_at,
        "recorded_at": moment.recorded_at,
        "recorded_day": moment.recorded_day,
    }
