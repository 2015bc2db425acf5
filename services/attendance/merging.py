"""A person recorded twice: planned places go to the survivor, and back if they were two after all.

What has been is told of whom it was recorded for: only what is planned moves.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from attendance import ahead, bookings, moves, planning, rules, store
from attendance.facts import Admission, Chair, Session, When
from attendance.series import JoinSeries, LeaveSeries
from handrail import outbox
from handrail.events import AdmissionEvent
from handrail.events.intake import AdmissionsMerged, AdmissionsUnmerged
from handrail.outbox import Connection
from handrail.receipts import Rejected
from handrail.sites import Site
from handrail.writes import write

_SERIES = """
select series_key, until_on from series_members
where admission_id = $1 and site_id = $2 and coalesce(until_on, $3) >= $3 order by series_key
"""
_SESSIONS = """
select s.session_id from seats c join sessions s using (session_id)
where c.admission_id = $1 and s.site_id = $2 and s.held_on >= $3 and s.series_key is null
    and c.status = 'scheduled' and c.moved_to is null and not s.is_cancelled
order by s.session_id
"""
_KEEP = """
insert into merged_places (
    duplicate_id, survivor_id, site_id, series_key, until_on, session_id
)
select $1, $2, $3, * from unnest($4::text[], $5::date[], $6::uuid[])
"""
_GIVE_BACK = """
delete from merged_places where duplicate_id = $1 and survivor_id = $2
returning series_key, until_on, session_id
"""
SOURCE = "merge"


@dataclass(frozen=True, slots=True)
class Handing:
    """From whom to whom planned places go, from which open day on, and what it hangs on."""

    giver: Admission
    taker: Admission
    site: Site
    when: When

    def key(self, what: str) -> str:
        """The receipt's key of one step."""
        at = self.when["recorded_at"].timestamp()
        return f"{at}/{self.giver.admission_id}/{self.taker.admission_id}/{what}"[:128]


async def take(conn: Connection, events: Iterable[AdmissionEvent], known: dict[str, Site]) -> None:
    """Hand over what is planned, once for each merge or un-merge: the duplicate's stream counts."""
    for event in events:
        if not isinstance(event, AdmissionsMerged | AdmissionsUnmerged):
            continue
        if event.admission_id != event.duplicate_id:
            continue
        people = await store.admissions(conn, [event.duplicate_id, event.survivor_id])
        duplicate, survivor = (people.get(i) for i in (event.duplicate_id, event.survivor_id))
        if duplicate is None or survivor is None:
            continue
        site = known[event.site_id]
        when: When = {
            "occurred_at": event.occurred_at,
            "recorded_at": event.recorded_at,
            "recorded_day": site.recorded_day(event.recorded_at),
        }
        if isinstance(event, AdmissionsMerged):
            await _merge(conn, Handing(duplicate, survivor, site, when))
        else:
            await _unmerge(conn, Handing(survivor, duplicate, site, when))


async def _merge(conn: Connection, handing: Handing) -> None:
    giver, day = handing.giver.admission_id, handing.when["recorded_day"]
    site_id = handing.site.site_id
    series = [tuple(row) for row in await conn.fetch(_SERIES, giver, site_id, day)]
    alone = [row["session_id"] for row in await conn.fetch(_SESSIONS, giver, site_id, day)]
    held = {row["series_key"] for row in await conn.fetch(_SERIES, handing.taker.admission_id, site_id, day)}  # fmt: skip
    joined = [one for one in series if await _hand_series(conn, handing, *one, has=one[0] in held)]
    seated = await _hand_seats(conn, handing, alone)
    rows = [(*one, None) for one in joined] + [(None, None, one) for one in seated]
    if rows:
        about = (giver, handing.taker.admission_id, site_id)
        await conn.execute(_KEEP, *about, *map(list, zip(*rows, strict=True)))


async def _unmerge(conn: Connection, handing: Handing) -> None:
    pair = (handing.taker.admission_id, handing.giver.admission_id)
    rows = await conn.fetch(_GIVE_BACK, *pair)
    for row in rows:
        if row["series_key"]:
            await _hand_series(conn, handing, row["series_key"], row["until_on"], has=False)
    await _hand_seats(conn, handing, [row["session_id"] for row in rows if row["session_id"]])


async def _hand_series(
    conn: Connection, handing: Handing, series_key: str, until_on: date | None, *, has: bool
) -> bool:
    """The giver is expected no more, the taker is from today on. False where they cannot be."""
    day = handing.when["recorded_day"]
    about = {
        "source": SOURCE,
        "occurred_at": handing.when["occurred_at"],
        "recorded_at": handing.when["recorded_at"] if handing.site.clock == "replay" else None,
        "site_id": handing.site.site_id,
        "series_key": series_key,
    }
    leave = LeaveSeries.model_validate(
        about
        | {"key": handing.key(f"leave/{series_key}"), "admission_id": handing.giver.admission_id}
        | {"left_on": day - ahead.ONE_DAY}
    )
    join = JoinSeries.model_validate(
        about
        | {"key": handing.key(f"join/{series_key}"), "admission_id": handing.taker.admission_id}
        | {"from_on": day, "until_on": until_on}
    )
    now = handing.when["recorded_at"]
    await planning.take(conn, leave, now)
    return not has and (await planning.take(conn, join, now)).status == "applied"


async def _hand_seats(conn: Connection, handing: Handing, ids: Sequence[UUID]) -> list[UUID]:
    """Planned seats outside a series. Gives the sessions in which the taker sits now."""
    if not ids:
        return []
    sessions = await store.sessions(conn, ids, [])
    seats = await store.seats(conn, ids)
    promised = await bookings.promised(conn, [handing.taker.admission_id], [*sessions.values()])
    gone, taken = [], []
    for session in sessions.values():
        seat = seats.get((session.session_id, handing.giver.admission_id))
        if seat is None or seat.status != "scheduled" or session.is_cancelled:
            continue
        gone.append((session, seat))
        if (session.session_id, handing.taker.admission_id) not in seats:
            taken += _seated(session, handing, promised[handing.taker.admission_id])
    await ahead.withdraw(conn, gone, "merged", handing.when)
    seats_taken = store.seated(seat for seat, _ in taken)
    await write(conn, seats_taken, outbox.staged([event for _, event in taken]))
    return [seat.session_id for seat, _ in taken]


def _seated(
    session: Session, handing: Handing, promised: list[moves.Booked]
) -> list[rules.Decided]:
    """The taker's seat; none where they are promised elsewhere, or not in care then."""
    try:
        moves.require_free(session, promised)
        return [rules.schedule(Chair(session, handing.taker, None, handing.when))]
    except Rejected:
        return []
