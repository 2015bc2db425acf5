"""A clinic with subscribers outside, over a real database and real web servers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from handrail.events import AdmissionEvent
from handrail.events.attendance import SessionAttended, SessionMissed
from handrail.fhir.asked import Asked
from handrail.outbound import networks
from handrail.sites import zone_of
from intake import admission
from intake.commands import COMMANDS
from intake.disclosures import ledger, reader, subscribers
from intake.disclosures.backport import events, fetched, made, shown
from intake.disclosures.backport.asked import Wanted
from intake.disclosures.backport.made import Asking
from intake.disclosures.courier import Courier
from intake.disclosures.subscribers import Subscriber

KEY = b"a key of sixteen bytes or more"
LOOPBACK = networks("127.0.0.0/8")
SITE = "north"


@dataclass
class Outside:
    """What a test does to the clinic and to its subscribers."""

    pool: asyncpg.Pool
    courier: Courier

    async def says(self, do: str, **fields: Any) -> UUID:
        """Have a command carried out."""
        now = datetime.now(UTC)
        said = COMMANDS.validate_python(
            [{"do": do, "key": uuid4().hex, "occurred_at": now} | fields]
        )
        async with self.pool.acquire() as conn, conn.transaction():
            [result] = await admission.take(conn, said, now)
        assert result.status == "applied", result
        assert result.subject
        return result.subject

    async def admitted(self, **about: Any) -> UUID:
        """Someone in the programme."""
        referral = {"site_id": SITE, "time_zone": "UTC", "referral_source": "self"}
        person = await self.says("receive_referral", **referral)
        facts = {"admitted_on": today(), "program_id": "iop", "weekly_minutes": 540}
        facts["eligibility_waived_for"] = "assessed_elsewhere"
        await self.says(
            "complete_intake", admission_id=person, sessions_per_week=3, **facts, **about
        )
        return person

    async def grants(self, person: UUID, *classes: str, **about: Any) -> UUID:
        """A consent for the hospital."""
        consent_id = uuid4()
        facts = {
            "recipient_class": "hospital",
            "recipient": "general",
            "purpose": "treatment",
            "data_classes": classes or ["status", "attendance"],
            "from_on": today(),
        }
        await self.says(
            "grant_consent", admission_id=person, consent_id=consent_id, **facts | about
        )
        return consent_id

    async def subscribes(self, url: str, *classes: str, **about: Any) -> tuple[UUID, str]:
        """A hospital; gives its identifier and secret."""
        wanted = Subscriber.model_validate(
            {
                "site_id": SITE,
                "recipient_class": "hospital",
                "recipient": "general",
                "purpose": "treatment",
                "data_classes": classes or ("status", "attendance"),
                "url": url,
            }
            | about
        )
        subscriber_id = uuid4()
        async with self.pool.acquire() as conn, conn.transaction():
            secret = await subscribers.put(
                conn,
                subscriber_id,
                wanted,
                key=KEY,
                allowed=LOOPBACK,
                topics=self.courier.topics,
            )
        assert secret
        return subscriber_id, secret

    async def registers(self, url: str, *classes: str) -> UUID:
        """A hospital that subscribes by FHIR, at addresses below this one."""
        registered, _ = await self.subscribes(f"fhir+{url}", *classes)
        return registered

    async def makes(self, registered: UUID, endpoint: str, topic: str, **about: Any) -> UUID:
        """A Subscription to a topic, as the registered one asks for it."""
        async with self.pool.acquire() as conn, conn.transaction():
            return await made.make(conn, asking(registered), wanting(endpoint, topic, **about))

    async def changes(self, made_id: UUID, registered: UUID, wanted: Wanted) -> None:
        """The Subscription is replaced."""
        async with self.pool.acquire() as conn, conn.transaction():
            await made.change(conn, str(made_id), asking(registered), wanted)

    async def stands(self, made_id: UUID) -> Any:
        """The row of a Subscription, as `$status` sees it; None when it is gone."""
        async with self.pool.acquire() as conn:
            found = await shown.rows(conn, Asked(ids=(str(made_id),)))
        return found[0] if found else None

    async def asks(self, made_id: UUID, since: int | None = None, until: int | None = None) -> Any:
        """`$events`."""
        row = await self.stands(made_id)
        async with self.pool.acquire() as conn, conn.transaction():
            return await events.events(conn, row, events.Range(since, until), None, KEY)

    async def reads(self, registered: UUID, name: str) -> Any:
        """A seat that a notification named."""
        async with self.pool.acquire() as conn, conn.transaction():
            return await fetched.seat(conn, str(registered), name, KEY)

    async def reads_stay(self, registered: UUID, name: str) -> Any:
        """A stay that a notification named."""
        async with self.pool.acquire() as conn, conn.transaction():
            return await fetched.stay(conn, str(registered), name, KEY)

    async def hears(self, *happened: AdmissionEvent) -> list[str]:
        """These events are queued for every subscriber, as the reader does. Gives their keys."""
        rows = [
            (row["subscriber_id"], e.admission_id, uuid4(), e.type, e.model_dump_json().encode())
            for e in happened
            for row in await self.pool.fetch("select subscriber_id from subscribers")
        ]
        await self.pool.execute(reader._QUEUE, *map(list, zip(*rows, strict=True)))
        found = await self.pool.fetch(
            "select delivery_id from deliveries where event_id = any($1::uuid[]) order by id",
            [row[2] for row in rows],
        )
        return [str(row["delivery_id"]) for row in found]

    async def delivers(self) -> None:
        """Send all that is due."""
        await self.courier.look()
        await self.courier.settled()

    async def passes(self, hours: float) -> None:
        """Time goes by for whoever waits."""
        await self.pool.execute(
            """
            update subscribers set next_try_at = next_try_at - $1::interval, failing_since = failing_since - $1::interval,
                last_sent_at = last_sent_at - $1::interval, created_at = created_at - $1::interval,
                old_until = old_until - $1::interval
            """,
            timedelta(hours=hours),
        )

    async def states(self) -> list[str]:
        """What became of each delivery, in order, with the reason."""
        rows = await self.pool.fetch("select state, reason, data from deliveries order by id")
        assert all(row["data"] is None for row in rows if row["state"] == "withheld")
        return [row["reason"] or row["state"] for row in rows]

    async def told(self, person: UUID) -> list[dict[str, Any]]:
        """The accounting of disclosures of one admission."""
        async with self.pool.acquire() as conn:
            return await ledger.accounting(conn, [person], today() - timedelta(days=1))

    async def verified(self, anchor: tuple[int, str] | None = None) -> dict[str, Any]:
        """The ledger, followed."""
        async with self.pool.acquire() as conn:
            return await ledger.verify(conn, KEY, anchor)


def asking(registered: UUID) -> Asking:
    """What a call of the registered one brings along."""
    return Asking(str(registered), "https://here.example/fhir/R4", KEY, LOOPBACK)


def wanting(endpoint: str, topic: str = "session-missed", **about: Any) -> Wanted:
    """A Subscription with ids only and no heartbeat."""
    usual = {"subjects": None, "content": "id-only", "headers": None, "heartbeat_seconds": None}
    usual |= {"timeout_seconds": 15, "max_count": None, "end_at": None, "is_off": False}
    return Wanted.model_validate(usual | {"endpoint": endpoint, "topic": topic} | about)


def missed(person: UUID, number: int = 1) -> SessionMissed:
    """A group was missed."""
    return SessionMissed(**_seat(person, number), kind="no_show", reason="transport")


def attended(person: UUID, minutes: int = 90) -> SessionAttended:
    """A group was attended."""
    return SessionAttended(**_seat(person, 2), attended_on=today(), minutes=minutes)


def many(person: UUID, count: int) -> Sequence[SessionMissed]:
    """Many groups were missed."""
    return [missed(person, number) for number in range(count)]


def today() -> Any:
    return datetime.now(zone_of("UTC")).date()


def _seat(person: UUID, number: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "site_id": SITE,
        "admission_id": person,
        "occurred_at": now,
        "recorded_at": now,
        "recorded_day": now.date(),
        "session_id": UUID(int=number),
        "session_type": "group",
        "planned_on": now.date(),
    }
