"""A recorded history as records on the topics, for consumers to be measured on."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4, uuid5

from aiokafka import AIOKafkaProducer

from handrail.envelope import headers_of
from handrail.events import AdmissionEvent, Event, aftercare, attendance, intake
from handrail.events.base import DayClosed
from handrail.topics import PARTITIONS, partition_of, site_stream, topic_of

SITE = "bench"
START = datetime(2026, 1, 5, 18, tzinfo=UTC)
ROOT = UUID("8b0f7b1e-52a4-4b0c-9c0e-7a3d1f2b9e11")
CLOSINGS = (intake.IntakeDayClosed, attendance.AttendanceDayClosed, aftercare.AftercareDayClosed)


class History:
    """Writes events with their sequences, as the relays would."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        """`producer` is started."""
        self.producer = producer
        self.sequences: dict[tuple[str, UUID], int] = {}
        self.counts: dict[str, int] = {}

    async def write(self, people: int, days: int) -> None:
        """`people` admitted on the first day, a session each on every one of `days`, one of five missed."""
        admissions = [uuid5(ROOT, str(n)) for n in range(people)]
        for admission in admissions:
            for event in _admitted(admission):
                await self._send(event, partition_of(admission))
        for day in range(days):
            for n, admission in enumerate(admissions):
                await self._send(_seat(admission, day, n), partition_of(admission))
            for closing in CLOSINGS:
                for partition in range(PARTITIONS):
                    await self._send(_closed(closing, day, partition), partition)
        await self.producer.flush()

    async def _send(self, event: Event, partition: int) -> None:
        key = (
            event.admission_id
            if isinstance(event, AdmissionEvent)
            else site_stream(SITE, partition)
        )
        place = (event.owner, key)
        self.sequences[place] = self.sequences.get(place, 0) + 1
        self.counts[event.owner] = self.counts.get(event.owner, 0) + 1
        await self.producer.send(
            topic_of(event.owner),
            value=event.__pydantic_serializer__.to_json(event),
            key=str(key).encode(),
            partition=partition,
            headers=headers_of(
                event_id=uuid4(),
                type_=event.type,
                time=event.occurred_at.isoformat(),
                sequence=self.sequences[place],
                incarnation=1,
                trace=None,
            ),
        )


def _about(admission: UUID, day: int) -> dict[str, object]:
    at = START + timedelta(days=day)
    return {
        "site_id": SITE,
        "admission_id": admission,
        "occurred_at": at,
        "recorded_at": at,
        "recorded_day": at.date(),
    }


def _admitted(admission: UUID) -> list[Event]:
    return [
        intake.ReferralReceived.model_validate(
            _about(admission, 0)
            | {
                "patient_id": uuid5(ROOT, admission.hex),
                "time_zone": "UTC",
                "clock": "replay",
                "source": "self",
            }
        ),
        intake.IntakeCompleted.model_validate(
            _about(admission, 0)
            | {
                "admitted_on": START.date(),
                "program_id": "iop",
                "instrument": "asam",
                "edition": "4",
                "level_of_care": "2.1",
                "weekly_minutes": 900,
                "sessions_per_week": 5,
            }
        ),
    ]


def _seat(admission: UUID, day: int, n: int) -> Event:
    on = (START + timedelta(days=day)).date()
    seat = _about(admission, day) | {
        "session_id": uuid5(ROOT, f"{day}"),
        "session_type": "group",
        "planned_on": on,
    }
    if (day * 7 + n) % 5 == 0:
        return attendance.SessionMissed.model_validate(
            seat | {"kind": "no_show", "planned_minutes": 180}
        )
    return attendance.SessionAttended.model_validate(
        seat | {"attended_on": on, "minutes": 180, "modality": "cbt"}
    )


def _closed(closing: type[DayClosed], day: int, partition: int) -> Event:
    end = START.replace(hour=23, minute=59) + timedelta(days=day)
    return closing(
        site_id=SITE,
        occurred_at=end,
        recorded_at=end,
        recorded_day=end.date(),
        partition=partition,
        day=end.date(),
    )
