"""Plays the simulated programme through the public APIs, one day after the other."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from time import monotonic
from uuid import UUID

from operate.addresses import Addresses
from operate.simulate.answers import Alert, Concern
from operate.simulate.clinic import FIRST_DAY, Clinic
from operate.simulate.desk import Desk, person_key
from operate.simulate.services import Services
from operate.simulate.team import Matter, Team


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is played: people referred, days, and the seed of it all."""

    patients: int = 60
    days: int = 42
    seed: int = 7


@dataclass(slots=True)
class Played:
    """What has been played so far, and what alerts made of it."""

    site_id: str
    clinic: Clinic
    team: Team
    started: float
    days: int = 0
    first_alert_after: float | None = None
    concerns: dict[UUID, Concern] = field(default_factory=dict)
    numbers: dict[UUID, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)

    def alerts(self) -> list[tuple[Alert, Concern]]:
        """All alerts so far with their concerns, in the order of days and people."""
        pairs = [
            (alert, concern)
            for concern in self.concerns.values()
            for alert in concern.alerts
            if alert.withdrawn_at is None or concern.ending == "withdrawn"
        ]
        return sorted(pairs, key=lambda p: (p[0].day, self.number_of(p[1]), p[0].level))

    def number_of(self, concern: Concern) -> int:
        """The number of the person whom a concern is about."""
        return self.numbers.get(concern.admission_id, 0)

    def learn(self, concerns: Iterable[Concern]) -> None:
        """Keep the latest word on each concern; one that no day's end saw may be none at all."""
        for concern in concerns:
            if concern.ending != "withdrawn" or concern.concern_id in self.concerns:
                self.concerns[concern.concern_id] = concern
        if self.first_alert_after is None and self.alerts():
            self.first_alert_after = monotonic() - self.started


async def play(addresses: Addresses, plan: Plan, told: Callable[[Played], None]) -> Played:
    """Play all days; `told` is called after each. Raises OperateError."""
    async with Services(addresses) as services:
        played = await _begin(services, plan)
        open_concerns: list[Concern] = []
        for offset in range(plan.days):
            await _play_day(services, played, FIRST_DAY + timedelta(days=offset), open_concerns)
            open_concerns = await services.concerns(played.site_id, open="true")
            played.learn(open_concerns)
            played.days = offset + 1
            told(played)
        played.learn(await services.concerns(played.site_id))
        played.refused = dict(services.refused)
    return played


async def _begin(services: Services, plan: Plan) -> Played:
    """A site of this seed that nobody has been referred to yet."""
    for again in count(1):
        site_id = f"harbor-{plan.seed}" + (f"-{again}" if again > 1 else "")
        if await services.is_fresh(site_id):
            break
    clinic = Clinic(site_id, plan.patients, plan.days, plan.seed)
    return Played(site_id, clinic, Team(plan.seed), monotonic())


async def _play_day(
    services: Services, played: Played, day: date, open_concerns: Iterable[Concern]
) -> None:
    """The team works on what was open this morning; then the day is lived and closed."""
    clinic, desk = played.clinic, Desk(played.site_id, day)
    matters = [
        Matter(concern.concern_id, number, concern.level)
        for concern in open_concerns
        if (number := played.number_of(concern)) and not clinic.is_put_right(number)
    ]
    played.team.work(desk, matters, clinic.reach)
    commands = clinic.live(day)
    await services.carry_out("intake", commands["intake"])
    for person in clinic.people:
        admission = services.subjects.get(person_key(played.site_id, person.number))
        if admission:
            played.numbers[admission] = person.number
    await services.work(desk.commands["alerts"])
    await services.carry_out("attendance", commands["attendance"])
    await services.carry_out("aftercare", commands["aftercare"])
    await services.close_day(Desk(played.site_id, day))
