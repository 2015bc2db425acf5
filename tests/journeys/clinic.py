"""A clinic as another system sees Handrail: by HTTP and Kafka, and nothing else."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition

from handrail.topics import partition_of, topic_of
from operate.home import HOST
from tests.parts import System, until

OK, NOT_KNOWN_YET, AWAY = 200, 404, 503


def today() -> date:
    return datetime.now(UTC).date()


def days_ago(count: int) -> str:
    return (today() - timedelta(days=count)).isoformat()


@dataclass
class Clinic:
    """One site, in UTC."""

    system: System
    client: httpx.AsyncClient
    site_id: str

    async def post(self, service: str, body: object, path: str = "/v1/command") -> httpx.Response:
        """The answer to one POST."""
        return await self.client.post(self.url(service) + path, json=body)

    async def say(self, service: str, do: str, **fields: object) -> dict[str, Any]:
        """Have a command carried out."""
        answer = await self.answer(service, do, **fields)
        assert answer.status_code == OK, answer.text
        result: dict[str, Any] = answer.json()
        return result

    async def answer(self, service: str, do: str, **fields: object) -> httpx.Response:
        """The answer to a command; what waits for another service's event is sent again."""
        now = datetime.now(UTC).isoformat()
        body = {"do": do, "key": uuid4().hex, "occurred_at": now} | fields

        async def taken() -> httpx.Response | None:
            answer = await self.post(service, body)
            return None if answer.status_code in (NOT_KNOWN_YET, AWAY) else answer

        return await until(taken, f"{service} knows what {do} is about")

    async def get(self, service: str, path: str, **query: object) -> Any:
        """The answer to one GET."""
        params = {name: str(value) for name, value in query.items()}

        async def answered() -> httpx.Response | None:
            try:
                answer = await self.client.get(self.url(service) + path, params=params)
            except httpx.TransportError:
                return None
            return None if answer.status_code == AWAY else answer

        answer = await until(answered, f"{service} answers")
        assert answer.status_code == OK, answer.text
        return answer.json()

    def url(self, service: str) -> str:
        """Where a service answers."""
        return str(getattr(self.system.addresses, service))

    async def granted(self, person: UUID, *data_classes: str) -> str:
        """The consent by which the person's hospital may be told these things."""
        consent = str(uuid4())
        await self.say(
            "intake",
            "grant_consent",
            admission_id=str(person),
            consent_id=consent,
            recipient_class="hospital",
            recipient="general",
            purpose="treatment",
            data_classes=list(data_classes),
            from_on=days_ago(0),
        )
        return consent

    async def admitted(self, *, since_days: int = 40, program: str = "iop-evening") -> UUID:
        """Someone admitted to three evenings a week."""
        referral = await self.say(
            "intake",
            "receive_referral",
            site_id=self.site_id,
            time_zone="UTC",
            referral_source="emergency_department",
        )
        admission = UUID(referral["subject"])
        await self.say(
            "intake",
            "complete_intake",
            admission_id=str(admission),
            admitted_on=days_ago(since_days),
            program_id=program,
            track="evening",
            weekly_minutes=540,
            sessions_per_week=3,
            eligibility_waived_for="assessed_elsewhere",
        )
        return admission

    async def missed(self, admission: UUID, days: int) -> str:
        """A group missed so many days ago. Gives its key."""
        key = uuid4().hex
        group = {"session_type": "group", "planned_on": days_ago(days), "planned_minutes": 180}
        await self.say(
            "attendance",
            "record_missed",
            admission_id=str(admission),
            session_key=key,
            session=group,
            kind="no_show",
        )
        return key

    async def attended(self, admission: UUID, days: int) -> None:
        """A group attended so many days ago."""
        day = days_ago(days)
        group = {"session_type": "group", "planned_on": day, "planned_minutes": 180}
        await self.say(
            "attendance",
            "record_attended",
            admission_id=str(admission),
            session=group,
            attended_on=day,
            minutes=180,
        )

    async def concerns(self, admission: UUID) -> list[dict[str, Any]]:
        """The person's concerns, open and closed, oldest first."""
        found = await self.get("alerts", "/v1/concerns", admission_id=admission)
        return sorted(found, key=lambda concern: int(concern["spell"]))

    async def concern(self, admission: UUID, **state: object) -> dict[str, Any]:
        """Wait until the person's last concern is like this."""

        async def is_so() -> dict[str, Any] | None:
            found = await self.concerns(admission)
            good = found and all(found[-1][name] == value for name, value in state.items())
            return found[-1] if good else None

        return await until(is_so, f"a concern with {state}")

    async def known_to_alerts(self, admission: UUID) -> None:
        """Wait until alerts has heard of the person."""
        url = f"{self.url('alerts')}/v1/admissions/{admission}/risk"

        async def is_known() -> bool:
            return (await self.client.get(url)).status_code == OK

        await until(is_known, "alerts knows the person")

    async def told(self, owner: str, admission: UUID) -> list[tuple[str, dict[str, Any]]]:
        """Every event of an owner about this admission, as a subscriber reads it.

        What its service has committed by now is waited for.
        """

        async def is_sent() -> bool:
            return int((await self.get(owner, "/status"))["relay"]["backlog"]) == 0

        await until(is_sent, f"{owner} has sent what it staged")
        port = self.system.home.ports()["kafka"]
        consumer = AIOKafkaConsumer(
            bootstrap_servers=f"{HOST}:{port}",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        tp = TopicPartition(topic_of(owner), partition_of(admission))
        found = []
        await consumer.start()
        try:
            consumer.assign([tp])
            end = (await consumer.end_offsets([tp]))[tp]
            await consumer.seek_to_beginning(tp)
            while await consumer.position(tp) < end:
                for records in (await consumer.getmany(tp, timeout_ms=1000)).values():
                    found += [r for r in records if r.key == str(admission).encode()]
        finally:
            await consumer.stop()
        return [(dict(r.headers)["ce_type"].decode(), json.loads(r.value)) for r in found]
