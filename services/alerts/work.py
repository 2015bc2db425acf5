"""The care team's own work: acknowledge, reach out, resolve; each changes the concern at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from alerts import concern, desk, store
from alerts.commands import Acknowledge, AnyCommand, RecordOutreach, Resolve
from alerts.desk import Open
from alerts.facts import Fact, micros
from alerts.rules import Ladder
from handrail import outbox, receipts
from handrail.events import alerts as events
from handrail.outbox import Connection
from handrail.receipts import Moment, Rejected, Result, moment_of

OWNER = "alerts"


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
            results.append(rejected.result(command.key))
            continue
        known[receipt] = command.concern_id
        await receipts.enter(conn, [(*receipt, command.concern_id)])
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
            await desk.acknowledge(conn, command.concern_id)
            await outbox.stage(conn, [events.AlertAcknowledged(**_about(found, command, moment))])
        case RecordOutreach(channel=channel, outcome=outcome):
            await desk.add_outreach(
                conn,
                (uuid4(), found.concern_id, found.admission_id, channel, outcome),
                moment.recorded_day,
                command.occurred_at,
            )
            event = events.OutreachRecorded(
                **_about(found, command, moment), channel=channel, outcome=outcome
            )
            await _tell(conn, found, event, ("outreach", (channel, outcome)), ladder)
        case Resolve(ending=ending):
            await _require_evidence(conn, found, ending, ladder)
            seen = events.AlertAcknowledged(**_about(found, command, moment))
            await _tell(conn, found, seen, ("resolved", (ending,)), ladder)


async def _tell(
    conn: Connection,
    found: Open,
    event: events.ConcernEvent,
    told: tuple[str, tuple[str, ...]],
    ladder: Ladder,
) -> None:
    """Put the work into the admission's story and see what follows."""
    row = (await store.load(conn, [found.admission_id]))[found.admission_id]
    fact = Fact(
        event.recorded_day.toordinal(),
        micros(event.occurred_at),
        OWNER,
        await desk.next_sequence(conn, found.admission_id, OWNER),
        told[0],
        event.recorded_day.toordinal(),
        told[1],
    )
    await concern.apply_own(conn, row, fact, event, ladder)


async def _require_evidence(conn: Connection, found: Open, ending: str, ladder: Ladder) -> None:
    """Closed by evidence, not by a click: the attempts that were agreed, or a decline in words."""
    attempts = await desk.attempts(conn, found.concern_id)
    policy = ladder.policy
    if ending == "declined_documented":
        if not any(outcome == "reached_declined" for _, outcome, _ in attempts):
            raise Rejected("no_decline_recorded", "Record the outreach first.", "ending")
        return
    days = {day for _, _, day in attempts}
    channels = {channel for channel, _, _ in attempts}
    enough = (
        len(attempts) >= policy.attempts
        and len(days) >= policy.attempt_days
        and len(channels) >= policy.attempt_channels
    )
    if not enough:
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
