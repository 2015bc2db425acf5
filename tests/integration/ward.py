"""What a test of alerts says and asks: events in, concerns, events and notices out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from alerts import concern, escalation, merging, work
from alerts.commands import COMMANDS
from alerts.policy import DEFAULT
from alerts.risk.table import load_table
from alerts.rules import Ladder
from handrail.envelope import Received
from handrail.events import AdmissionEvent, aftercare, attendance, care, intake
from handrail.events.base import Event
from handrail.receipts import Result
from handrail.topics import PARTITIONS, partition_of

CLOSED = (
    intake.IntakeDayClosed,
    attendance.AttendanceDayClosed,
    aftercare.AftercareDayClosed,
)
LADDER = Ladder(DEFAULT, load_table())


@dataclass
class Ward:
    """The alerts service's tables, fed by hand; one site on the wall clock."""

    pool: asyncpg.Pool
    site_id: str = "north"
    clock: str = "wall"
    ladder: Ladder = LADDER
    sequences: Counter[tuple[str, UUID]] = field(default_factory=Counter)

    async def admitted(self, *, days: int = 5) -> UUID:
        """Someone admitted so many days ago, to three sessions a week."""
        person = uuid4()
        await self.hears(
            intake.ReferralReceived(
                **self.about(person),
                patient_id=uuid4(),
                time_zone="UTC",
                clock=self.clock,
                source="self",
            ),
            intake.IntakeCompleted(
                **self.about(person),
                admitted_on=day(-days),
                program_id="iop",
                instrument="asam",
                edition="4",
                level_of_care="2.1",
                weekly_minutes=540,
                sessions_per_week=3,
            ),
        )
        return person

    async def missed(self, person: UUID, at: int = -1) -> UUID:
        """A group missed; gives its session."""
        session = uuid4()
        await self.hears(
            attendance.SessionMissed(
                **self.about(person),
                session_id=session,
                session_type="group",
                planned_on=day(at),
                kind="no_show",
            )
        )
        return session

    async def corrected(self, person: UUID, session: UUID, at: int = -1) -> None:
        """That miss was wrong."""
        await self.hears(
            attendance.AttendanceCorrected(
                **self.about(person),
                session_id=session,
                session_type="group",
                planned_on=day(at),
                was="no_show",
                now="excused",
            )
        )

    async def flagged(self, person: UUID) -> None:
        """A measure that asks for safety."""
        await self.hears(
            attendance.MeasureScored(
                **self.about(person), instrument="c-ssrs", score=4, safety=True
            )
        )

    async def attended(self, person: UUID, at: int = 0) -> None:
        """Seen."""
        await self.hears(
            attendance.SessionAttended(
                **self.about(person),
                session_id=uuid4(),
                session_type="group",
                planned_on=day(at),
                attended_on=day(at),
                minutes=180,
            )
        )

    async def holds(
        self,
        person: UUID,
        role: str,
        staff: UUID,
        *,
        until: date | None = None,
        covers: UUID | None = None,
    ) -> None:
        """Someone holds a role for the person from today on, or covers it."""
        about = self.about(person) | {"role": role, "staff_id": staff, "from_on": day(0)}
        await self.hears(care.CareTeamMemberAssigned(**about, until_on=until, covers=covers))

    async def held(self, person: UUID) -> None:
        """In hospital."""
        await self.hears(intake.PutOnHold(**self.about(person), reason="hospital"))

    async def merged(self, duplicate: UUID, survivor: UUID) -> None:
        """Intake says in both streams that they are one person."""
        for person in (duplicate, survivor):
            pair = {"survivor_id": survivor, "duplicate_id": duplicate}
            await self.hears(intake.AdmissionsMerged(**self.about(person), **pair))

    async def unmerged(self, duplicate: UUID, survivor: UUID) -> None:
        """Intake says in both streams that they are two."""
        for person in (duplicate, survivor):
            pair = {"survivor_id": survivor, "duplicate_id": duplicate, "status": "admitted"}
            await self.hears(intake.AdmissionsUnmerged(**self.about(person), **pair))

    async def hears(self, *events: Event) -> None:
        """One transaction takes these events."""
        async with self.pool.acquire() as conn, conn.transaction():
            await concern.take(conn, [self.received(event) for event in events], self.ladder)

    async def closes(self, at: date) -> None:
        """Everybody has closed this day, on every partition."""
        for partition in range(PARTITIONS):
            for closed in CLOSED:
                event = closed(
                    site_id=self.site_id,
                    occurred_at=datetime.now(UTC),
                    recorded_at=datetime.now(UTC),
                    recorded_day=at,
                    partition=partition,
                    day=at,
                )
                one = Received(
                    event, str(uuid4()), event.owner, UUID(int=0), 1, 1, None, partition, 0
                )
                async with self.pool.acquire() as conn, conn.transaction():
                    await concern.take(conn, [one], self.ladder)

    def received(self, event: Event) -> Received:
        """An event as the feed hands it on."""
        assert isinstance(event, AdmissionEvent)
        self.sequences[event.owner, event.admission_id] += 1
        return Received(
            event,
            str(uuid4()),
            event.owner,
            event.admission_id,
            self.sequences[event.owner, event.admission_id],
            1,
            None,
            partition_of(event.admission_id),
            0,
        )

    def about(self, person: UUID) -> dict[str, Any]:
        """What every event of the person says."""
        now = datetime.now(UTC)
        return {
            "site_id": self.site_id,
            "admission_id": person,
            "occurred_at": now,
            "recorded_at": now,
            "recorded_day": now.date(),
        }

    async def says(self, do: str, **fields: object) -> Result:
        """A command of the care team."""
        body = {"do": do, "key": uuid4().hex, "occurred_at": datetime.now(UTC)}
        [command] = COMMANDS.validate_python([body | fields])
        async with self.pool.acquire() as conn, conn.transaction():
            [result] = await work.take(conn, [command], datetime.now(UTC), self.ladder)
        return result

    async def later(self, hours: float) -> None:
        """So many hours pass for what is due: the database's clock cannot be moved, its rows can."""
        for statement in _EARLIER:
            await self.pool.execute(statement, hours)

    async def sweeps(self) -> int:
        """One turn of the escalation."""
        async with self.pool.acquire() as conn, conn.transaction():
            return await escalation.sweep(conn)

    async def moves_flags(self) -> int:
        """One turn of what follows from persons recorded twice."""
        async with self.pool.acquire() as conn, conn.transaction():
            return await merging.sweep(conn, self.ladder)

    async def told(self, *names: str) -> list[str]:
        """The names of the events told so far, in order; only these if some are named."""
        rows = await self.pool.fetch("select type from outbox order by id")
        short = [row["type"].split(".")[1] for row in rows]
        return [name for name in short if not names or name in names]

    async def open_concerns(self) -> Sequence[asyncpg.Record]:
        """The open list."""
        return await self.pool.fetch("select * from concerns where closed_at is null")


_EARLIER = (
    """
    update concerns set due_at = due_at - $1 * interval '1 hour',
        escalate_at = escalate_at - $1 * interval '1 hour',
        snoozed_until = snoozed_until - $1 * interval '1 hour'
    """,
    """
    update notices set send_at = send_at - $1 * interval '1 hour',
        created_at = created_at - $1 * interval '1 hour',
        wanted_at = wanted_at - $1 * interval '1 hour'
    """,
    "update receivers set next_digest_at = next_digest_at - $1 * interval '1 hour'",
)


def day(offset: int) -> date:
    """A day before or after today."""
    return datetime.now(UTC).date() + timedelta(days=offset)
