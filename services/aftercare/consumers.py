"""What aftercare takes from intake: sites, where each admission belongs, merges and deaths."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from aftercare import rules, store
from aftercare.facts import HandOff, When
from aftercare.rules import follow_up
from handrail import outbox, sites
from handrail.envelope import Received
from handrail.events import AdmissionEvent
from handrail.events.intake import (
    AdmissionsMerged,
    AdmissionsUnmerged,
    Discharged,
    IntakeCompleted,
    ReferralReceived,
    Transferred,
)
from handrail.outbox import Connection
from handrail.receipts import Rejected


async def on_intake_events(conn: Connection, received: Sequence[Received]) -> None:
    """Apply a batch of intake's events with two statements; more only for merges and deaths."""
    events = [r.event for r in received if isinstance(r.event, ReferralReceived)]
    await sites.learn(conn, ((e.site_id, e.time_zone, e.clock, e.recorded_day) for e in events))
    # The last word in a batch counts: a programme is told after the referral.
    placed = [r.event for r in received if isinstance(r.event, IntakeCompleted | Transferred)]
    seen: dict[UUID, tuple[str, str | None]] = {e.admission_id: (e.site_id, None) for e in events}
    seen |= {e.admission_id: (e.site_id, e.program_id) for e in placed}
    await store.learn_admissions(conn, seen)
    merged = [r for r in received if _is_merge(r)]
    if merged:
        await _merge(conn, merged)
    died = [r for r in received if isinstance(r.event, Discharged) and r.event.reason == "died"]
    if died:
        await _end_follow_ups(conn, died)


def _is_merge(received: Received) -> bool:
    """Told in both streams: the duplicate's counts."""
    event = received.event
    return (
        isinstance(event, AdmissionsMerged | AdmissionsUnmerged)
        and event.admission_id == event.duplicate_id
    )


async def _merge(conn: Connection, received: Sequence[Received]) -> None:
    """Hand-offs are told of the survivor from now on, or of the duplicate again."""
    into: dict[UUID, UUID | None] = {}
    last: dict[UUID, Received] = {}
    for one in received:
        event = one.event
        if isinstance(event, AdmissionsMerged | AdmissionsUnmerged):
            is_merged = isinstance(event, AdmissionsMerged)
            into[event.duplicate_id] = event.survivor_id if is_merged else None
            last[event.duplicate_id] = one
    # Two merges in one batch are one move; the last of them is its cause.
    cause = last[next(reversed(last))]
    ids, when = await _moments(conn, into, cause)
    before = await store.load(conn, ids)
    await store.merge(conn, into)
    moved = [
        rules.move(hand_off, before[hand_off.step_down_id].about()["admission_id"], moment)
        for hand_off in (await store.load(conn, ids)).values()
        if (moment := when.get(hand_off.site_id))
    ]
    told = [event for event in moved if event]
    await outbox.stage(conn, told, [cause.traceparent] * len(told))


async def _end_follow_ups(conn: Connection, received: Sequence[Received]) -> None:
    """Nobody calls a person who died."""
    ids, when = await _moments(conn, {r.key for r in received}, received[-1])
    ended: list[HandOff] = []
    told: list[AdmissionEvent] = []
    for hand_off in (await store.load(conn, ids)).values():
        try:
            after, events = follow_up.end(hand_off, "died", when[hand_off.site_id])
        except Rejected:
            continue
        ended.append(after)
        told += events
    await store.save(conn, ended)
    await outbox.stage(conn, told, [received[-1].traceparent] * len(told))


async def _moments(
    conn: Connection, people: Iterable[UUID], cause: Received
) -> tuple[list[UUID], dict[str, When]]:
    """The hand-offs of these, and the moment of `cause` in the open day of each of their sites.

    Sites are locked before hand-offs, as at the end of a day.
    """
    ids = await store.under(conn, people)
    known = await sites.load(conn, await store.sites_of_hand_offs(conn, ids))
    at = cause.event.recorded_at
    return ids, {
        site_id: {
            "occurred_at": cause.event.occurred_at,
            "recorded_at": at,
            "recorded_day": site.recorded_day(at),
        }
        for site_id, site in known.items()
    }
