"""What intake may do with an admission, as pure functions."""

from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from handrail.events import Event
from handrail.events import intake as events
from handrail.receipts import Moment, Rejected
from intake import commands

OPEN = frozenset({"admitted", "on_hold"})


@dataclass(frozen=True, slots=True)
class Admission:
    """One admission as intake knows it (FHIR EpisodeOfCare)."""

    admission_id: UUID
    patient_id: UUID
    site_id: str
    status: str
    referral_source: str
    referred_at: datetime
    admitted_on: date | None = None
    program_id: str | None = None
    track: str | None = None
    instrument: str | None = None
    edition: str | None = None
    level_of_care: str | None = None
    weekly_minutes: int | None = None
    sessions_per_week: int | None = None
    hold_reason: str | None = None
    ended_on: date | None = None
    ended_for: str | None = None

    def row(self) -> dict[str, Any]:
        """The columns of its row."""
        return asdict(self)


def decide(  # noqa: PLR0911  # one line a command
    admission: Admission, command: commands.AdmissionCommand, moment: Moment
) -> tuple[Admission, Event]:
    """The admission after `command`, and the event that says so. Raises Rejected."""
    about = {
        "site_id": admission.site_id,
        "admission_id": admission.admission_id,
        "occurred_at": command.occurred_at,
        "recorded_at": moment.recorded_at,
        "recorded_day": moment.recorded_day,
    }
    match command:
        case commands.CompleteIntake():
            _require(admission, {"referred"})
            facts = command.model_dump(include=_ADMITTED)
            return replace(admission, status="admitted", **facts), events.IntakeCompleted(
                **about, **facts
            )
        case commands.LoseReferral(reason=reason):
            _require(admission, {"referred"})
            after = replace(
                admission, status="lost", ended_on=moment.recorded_day, ended_for=reason
            )
            return after, events.IntakeLost(**about, reason=reason)
        case commands.ChangePlan():
            _require(admission, OPEN)
            facts = command.model_dump(include={"weekly_minutes", "sessions_per_week"})
            return replace(admission, **facts), events.PlanChanged(**about, **facts)
        case commands.ChangeLevelOfCare():
            _require(admission, OPEN)
            facts = command.model_dump(include={"instrument", "edition", "level_of_care"})
            return replace(admission, **facts), events.LevelOfCareChanged(**about, **facts)
        case commands.PutOnHold(reason=reason):
            _require(admission, {"admitted"})
            after = replace(admission, status="on_hold", hold_reason=reason)
            return after, events.PutOnHold(**about, reason=reason)
        case commands.Resume():
            _require(admission, {"on_hold"})
            after = replace(admission, status="admitted", hold_reason=None)
            return after, events.Resumed(**about)
        case commands.Discharge(reason=reason, discharged_on=day):
            _require(admission, OPEN)
            if admission.admitted_on and day < admission.admitted_on:
                raise Rejected("before_admission", "It ends before it began.", "discharged_on")
            after = replace(admission, status="discharged", ended_on=day, ended_for=reason)
            return after, events.Discharged(**about, reason=reason, discharged_on=day)
    raise TypeError(command.__class__.__name__)


_ADMITTED = {
    "admitted_on",
    "program_id",
    "track",
    "instrument",
    "edition",
    "level_of_care",
    "weekly_minutes",
    "sessions_per_week",
}


def _require(admission: Admission, statuses: set[str] | frozenset[str]) -> None:
    if admission.status not in statuses:
        wanted = " or ".join(sorted(statuses)).replace("_", " ")
        raise Rejected(
            "wrong_status",
            f"The admission is {admission.status.replace('_', ' ')}; this needs {wanted}.",
            "admission_id",
        )
