"""What alerts publishes: concerns, alerts, outreach and how each concern ended."""

from datetime import date
from typing import Annotated, Literal, get_args
from uuid import UUID

from pydantic import AwareDatetime, Field

from handrail.events.attendance import Channel
from handrail.events.base import AdmissionEvent, Code, DayClosed, event

Level = Annotated[int, Field(ge=0, le=3, description="0 safety, 1 high, 2 elevated, 3 watch.")]
Probability = Annotated[float, Field(ge=0, le=1)]
Role = Literal[
    "primary_clinician", "case_manager", "supervisor", "medical_director", "on_call", "list"
]
Band = Literal["low", "middle", "high"]
Outcome = Literal[
    "reached_returning",
    "reached_undecided",
    "reached_declined",
    "left_neutral_message",
    "no_answer",
    "bad_number",
    "support_person_reached",
    "found_in_hospital",
    "found_in_jail",
    "died",
    "moved",
]
Ending = Literal[
    "returned", "transferred_and_seen", "declined_documented", "exhausted", "discharged"
]
SnoozeReason = Literal[
    "person_asked_for_time", "next_session_agreed", "awaiting_answer", "team_decision"
]


class ConcernEvent(AdmissionEvent):
    """A fact about one concern: the open, owned risk item of one admission."""

    concern_id: UUID


@event("alerts.concern_opened.v1")
class ConcernOpened(ConcernEvent):
    """There is now a reason to look after this admission."""

    level: Level
    kind: Code
    policy_version: Code | None = None
    table_version: Code | None = None


@event("alerts.risk_changed.v1")
class RiskChanged(AdmissionEvent):
    """The risk crossed a threshold of its table at a day's end."""

    table_version: Code
    risk28: Probability
    risk14: Probability
    band: Band


@event("alerts.alert_raised.v1")
class AlertRaised(ConcernEvent):
    """One notice about a concern to its roles; raised only when the level rises."""

    alert_id: UUID
    level: Level
    kind: Code
    reasons: tuple[Code, ...]
    tells: tuple[Code, ...] = Field(examples=[list(get_args(Role))])
    day: date
    policy_version: Code | None = None
    table_version: Code | None = None


@event("alerts.alert_withdrawn.v1")
class AlertWithdrawn(ConcernEvent):
    """One alert is taken back: a correction showed that its level did not hold."""

    alert_id: UUID
    level: Level


@event("alerts.alert_acknowledged.v1")
class AlertAcknowledged(ConcernEvent):
    """Someone has taken it on."""


@event("alerts.alert_assigned.v1")
class AlertAssigned(ConcernEvent):
    """The work was given to a role, and to one of its members if one is named."""

    role: Code = Field(examples=list(get_args(Role)))
    member: Code | None = None


@event("alerts.alert_snoozed.v1")
class AlertSnoozed(ConcernEvent):
    """The work was put off, with a reason and an end."""

    reason: Code = Field(examples=list(get_args(SnoozeReason)))
    until: AwareDatetime


@event("alerts.alert_escalated.v1")
class AlertEscalated(ConcernEvent):
    """Nobody did what was agreed in time; the next role is told."""

    level: Level
    tells: tuple[Code, ...] = Field(examples=[list(get_args(Role))])
    why: Code | None = Field(default=None, examples=["not_acknowledged", "not_attempted"])


@event("alerts.outreach_recorded.v1")
class OutreachRecorded(ConcernEvent):
    """An attempt to reach the person; its outcome sets the next step."""

    channel: Code = Field(examples=list(get_args(Channel)))
    outcome: Outcome
    party: Code = Field(default="person", examples=["person", "support"])
    next_step: Code | None = Field(default=None, examples=["call_again", "verify_return"])
    outreach_id: UUID | None = Field(
        default=None, description="The attempt; by it `outreach_undone` takes it back."
    )


@event("alerts.outreach_undone.v1")
class OutreachUndone(ConcernEvent):
    """An attempt was recorded by mistake. Consumers undo what followed."""

    outreach_id: UUID


@event("alerts.concern_resolved.v1")
class ConcernResolved(ConcernEvent):
    """Closed by evidence, not by a click."""

    ending: Ending


@event("alerts.concern_done.v1")
class ConcernDone(ConcernEvent):
    """What the programme owed the person, a review or a form, has been done: the concern is closed."""


@event("alerts.concern_moved.v1")
class ConcernMoved(ConcernEvent):
    """A person was recorded twice: the open safety concern goes on under the admission that is kept."""

    to_admission_id: UUID


@event("alerts.concern_withdrawn.v1")
class ConcernWithdrawn(ConcernEvent):
    """A correction showed there was no reason: the alert is taken back."""


@event("alerts.day_closed.v1")
class AlertsDayClosed(DayClosed):
    """Alerts has decided everything that hung on this day."""
