"""What the services answer, as far as the simulator reads it."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, TypeAdapter


class Result(BaseModel):
    """What became of one command."""

    key: str
    status: str
    subject: UUID | None = None
    code: str | None = None


class Alert(BaseModel):
    """One alert as the alerts service tells it."""

    alert_id: UUID
    level: int
    kind: str
    day: date
    reasons: list[str] = []
    withdrawn_at: datetime | None = None


class Concern(BaseModel):
    """One concern as the alerts service tells it."""

    concern_id: UUID
    admission_id: UUID
    level: int
    kind: str
    opened_on: date
    reasons: list[str] = []
    ending: str | None = None
    closed_on: date | None = None
    alerts: list[Alert] = []


RESULTS = TypeAdapter(list[Result])
CONCERNS = TypeAdapter(list[Concern])
