"""From outcomes to rows and events: each concern and alert once, whatever the batch."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import lru_cache
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from alerts.duty import Duty, begin
from alerts.notices import News
from alerts.policy import Policy
from alerts.rules import DONE, MOVED_OVER, Outcome
from alerts.staffed import next_staffed
from alerts.story import Concern
from handrail import telemetry
from handrail.events import Event
from handrail.events import alerts as published


@dataclass(slots=True)
class ConcernRow:
    """A concern as it shall stand; empty `reasons` leave those that are there."""

    concern_id: UUID
    admission_id: UUID
    site_id: str
    spell: int
    level: int
    kind: str
    reasons: list[str]
    opened_on: date
    owner_role: str
    ending: str | None = None
    closed_on: date | None = None
    due_at: datetime | None = None
    escalate_at: datetime | None = None
    policy_version: str | None = None
    table_version: str | None = None
    # The levels whose alerts hold.
    holds: tuple[int, ...] = ()


@dataclass(slots=True)
class AlertRow:
    """An alert as it shall stand."""

    alert_id: UUID
    concern_id: UUID
    admission_id: UUID
    site_id: str
    level: int
    kind: str
    reasons: list[str]
    tells: list[str]
    day: date
    traceparent: str | None
    held: bool
    policy_version: str
    table_version: str


@dataclass(frozen=True, slots=True)
class About:
    """Whose outcomes these are, and what caused them."""

    admission_id: UUID
    site_id: str
    occurred_at: datetime
    recorded_at: datetime
    recorded_day: date
    cause: str | None
    policy: Policy
    table_version: str
    # The database's clock and the site's zone; None where recorded history is played.
    now: datetime | None
    zone: ZoneInfo

    def begin(self, level: int) -> Duty:
        """What people have to do once a concern has risen to `level`."""
        if self.now is None:
            return Duty(level)
        return begin(level, self.now, (self.policy, self.zone))


# (admission, why nothing is due or None, due, escalate)
Pause = tuple[UUID, str | None, datetime | None, datetime | None]
# Concern, level, admission, site, rule, day, and whether it was pushed.
Firing = tuple[UUID, int, UUID, str, str, date, bool]
# (admission, first day, reason, site, last day or None while it lasts)
Suppression = tuple[UUID, date, str, str, date | None]


@dataclass(slots=True)
class Telling:
    """Everything one batch changes about concerns."""

    concerns: dict[UUID, ConcernRow] = field(default_factory=dict)
    alerts: dict[UUID, AlertRow] = field(default_factory=dict)
    withdrawn: list[UUID] = field(default_factory=list)
    # Concerns that a correction moved: which of their alerts hold has to be looked at anew.
    moved: dict[UUID, About] = field(default_factory=dict)
    firings: list[Firing] = field(default_factory=list)
    news: list[News] = field(default_factory=list)
    pauses: list[Pause] = field(default_factory=list)
    suppressions: list[Suppression] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    causes: list[str | None] = field(default_factory=list)
    closings: list[tuple[Event, str | None]] = field(default_factory=list)

    def tell(self, about: About, outcome: Outcome, *, new: bool, held: bool) -> None:
        """Enter an outcome; events only when it is `new`. `held`: its day is over."""
        row = self._concern(about, outcome)
        if outcome.what == "raised":
            pushed = outcome.level <= about.policy.push_to_level and not outcome.quiet
            if held:
                self.firings.append(_firing(about, outcome, row.concern_id, pushed=pushed))
            if new:
                duty = about.begin(outcome.level)
                row.due_at, row.escalate_at = duty.due_at, duty.escalate_at
            if pushed:
                self._alert(about, outcome, row, new=new, held=held)
        elif outcome.what == "eased":
            self.moved[row.concern_id] = about
        elif outcome.what == "opened" and new:
            self._open(about, row, outcome)
        elif outcome.what == "closed":
            row.ending, row.closed_on = outcome.ending, date.fromordinal(outcome.day)
            if new:
                self._close(about, row, outcome.ending)
        elif outcome.what == "withdrawn":
            self._withdraw(about, outcome, row, new=new)

    def take_back(self, about: About, outcome: Outcome) -> None:
        """Something said early does not hold at the day's end."""
        row = self._concern(about, outcome)
        if outcome.what == "opened":
            self._withdraw(about, outcome, row, new=True)
            return
        self.moved[row.concern_id] = about
        if outcome.what in ("closed", "withdrawn"):
            self._open(about, row, outcome)

    def stand(self, about: About, concern: Concern) -> None:
        """The open concern as the story has it, after something was taken back."""
        row = self.concerns.get(concern_id_of(about.admission_id, concern.spell))
        if row is not None:
            row.level, row.kind, row.holds = concern.level, concern.kind, concern.pushed
            row.reasons = list(concern.words) or row.reasons
            row.owner_role = about.policy.tells[concern.level][0]

    def standing(self) -> dict[UUID, tuple[int, ...]]:
        """The moved concerns that there is a reason for, and the levels whose alerts hold."""
        rows = [self.concerns[concern_id] for concern_id in self.moved]
        return {row.concern_id: row.holds for row in rows if row.ending != "withdrawn"}

    def unsaid(self) -> list[UUID]:
        """The concerns, told on a wall clock, that there was no reason for."""
        return [row.concern_id for row in self.concerns.values() if row.ending == "withdrawn"]

    def say_withdrawn(self, alert_id: UUID, concern_id: UUID, level: int) -> None:
        """Tell subscribers that an alert they were sent is taken back."""
        fields = {"concern_id": concern_id, "alert_id": alert_id, "level": level}
        self._say(self.moved[concern_id], published.AlertWithdrawn, **fields)

    def pause(self, about: About, reason: str, level: int) -> None:
        """Stop or begin afresh what people have to do while absence is expected."""
        duty = Duty(level) if reason else about.begin(level)
        self.pauses.append((about.admission_id, reason or None, duty.due_at, duty.escalate_at))

    def say(self, about: About, event: Event) -> None:
        """Stage an event with what caused it."""
        self.events.append(event)
        self.causes.append(about.cause)

    def _open(self, about: About, row: ConcernRow, outcome: Outcome) -> None:
        self._say(
            about,
            published.ConcernOpened,
            concern_id=row.concern_id,
            level=outcome.level,
            kind=outcome.kind,
            policy_version=about.policy.version,
            table_version=about.table_version,
        )

    def _close(self, about: About, row: ConcernRow, ending: str) -> None:
        if ending == MOVED_OVER:
            # Whoever moved it says where to.
            return
        if ending == DONE:
            self._say(about, published.ConcernDone, concern_id=row.concern_id)
            return
        self._say(about, published.ConcernResolved, concern_id=row.concern_id, ending=ending)

    def _withdraw(self, about: About, outcome: Outcome, row: ConcernRow, *, new: bool) -> None:
        row.ending, row.closed_on = "withdrawn", date.fromordinal(outcome.day)
        self.withdrawn += [alert_id_of(row.concern_id, level) for level in range(4)]
        if new:
            self._say(about, published.ConcernWithdrawn, concern_id=row.concern_id)

    def _concern(self, about: About, outcome: Outcome) -> ConcernRow:
        concern_id = concern_id_of(about.admission_id, outcome.spell)
        row = self.concerns.get(concern_id)
        if row is None:
            row = self.concerns[concern_id] = ConcernRow(
                concern_id,
                about.admission_id,
                about.site_id,
                outcome.spell,
                outcome.level,
                outcome.kind,
                [],
                date.fromordinal(outcome.opened),
                about.policy.tells[outcome.level][0],
            )
        row.level, row.kind, row.ending, row.closed_on = outcome.level, outcome.kind, None, None
        row.reasons, row.holds = list(outcome.words) or row.reasons, outcome.holds
        row.owner_role = about.policy.tells[outcome.level][0]
        row.policy_version, row.table_version = about.policy.version, about.table_version
        return row

    def _alert(
        self, about: About, outcome: Outcome, row: ConcernRow, *, new: bool, held: bool
    ) -> None:
        alert_id = alert_id_of(row.concern_id, outcome.level)
        before = self.alerts.get(alert_id)
        if new:
            # From here on the trace is kept, whatever share of traces is.
            level: telemetry.Attributes = {telemetry.LEVEL: outcome.level}
            about = replace(about, cause=telemetry.mark("raise alert", about.cause, level))
        tells, day = about.policy.tells[outcome.level], date.fromordinal(outcome.day)
        alert = AlertRow(
            alert_id,
            row.concern_id,
            about.admission_id,
            about.site_id,
            outcome.level,
            outcome.kind,
            list(outcome.words),
            list(tells),
            day,
            about.cause,
            held,
            about.policy.version,
            about.table_version,
        )
        # What held at its day's end stays as it was told then.
        self.alerts[alert_id] = before if before and before.held else alert
        if alert_id in self.withdrawn:
            self.withdrawn.remove(alert_id)
        if new:
            self._notify(about, row, tells, outcome.level)
            self._say(
                about,
                published.AlertRaised,
                concern_id=row.concern_id,
                alert_id=alert_id,
                level=outcome.level,
                kind=outcome.kind,
                reasons=outcome.codes,
                tells=tells,
                day=day,
                policy_version=about.policy.version,
                table_version=about.table_version,
            )

    def _notify(self, about: About, row: ConcernRow, tells: tuple[str, ...], level: int) -> None:
        """In quiet hours a notice waits for the next opening; safety never waits."""
        if about.now is None:
            return
        at = about.now
        if level:
            at = next_staffed(at, about.policy, about.zone)
        self.news.append(
            News(
                row.concern_id,
                about.admission_id,
                about.site_id,
                tells,
                "raised",
                level,
                row.due_at,
                at,
                about.zone,
            )
        )

    def _say(self, about: About, event: type[published.ConcernEvent], **fields: object) -> None:
        self.say(
            about,
            event.model_validate(
                {
                    "site_id": about.site_id,
                    "admission_id": about.admission_id,
                    "occurred_at": about.occurred_at,
                    "recorded_at": about.recorded_at,
                    "recorded_day": about.recorded_day,
                    **fields,
                }
            ),
        )


def _firing(about: About, outcome: Outcome, concern_id: UUID, *, pushed: bool) -> Firing:
    day = date.fromordinal(outcome.day)
    admission_id, site_id = about.admission_id, about.site_id
    return (concern_id, outcome.level, admission_id, site_id, outcome.kind, day, pushed)


@lru_cache(maxsize=8192)
def concern_id_of(admission_id: UUID, spell: int) -> UUID:
    """One concern, one identifier: told twice, it is the same concern."""
    return uuid5(admission_id, f"concern {spell}")


def alert_id_of(concern_id: UUID, level: int) -> UUID:
    """One alert for each level a concern rises to."""
    return uuid5(concern_id, f"alert {level}")


def names(outcomes: Sequence[Outcome]) -> set[tuple[str, int, int]]:
    """The names of outcomes already told."""
    return {outcome.name() for outcome in outcomes}
