"""The front desk: writes a simulated day down as the services' commands."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import TypeAlias
from zoneinfo import ZoneInfo

TIME_ZONE = "America/New_York"
SOURCE = "simulator"
SERVICES = ("intake", "attendance", "aftercare", "alerts")

Command: TypeAlias = dict[str, object]


def person_key(site_id: str, number: int) -> str:
    """The key of a person's referral; elsewhere it stands for the admission it mints."""
    return f"{site_id}/p{number}"


def hand_off_key(site_id: str, number: int) -> str:
    """The key of the start of a person's step-down; elsewhere it stands for the hand-off."""
    return f"{site_id}/p{number}/step-down"


@dataclass(slots=True)
class Desk:
    """One day's commands, by service, in the order in which they are said.

    An identifier that a service mints is written as the key of the command that minted it.
    """

    site_id: str
    day: date
    commands: dict[str, list[Command]] = field(
        default_factory=lambda: {service: [] for service in SERVICES}
    )

    def say(self, service: str, do: str, key: str, at: time, **facts: object) -> None:
        """Write one command down; it is recorded when it happens."""
        moment = self.moment(at)
        self.commands[service].append(
            {
                "do": do,
                "source": SOURCE,
                "key": f"{self.site_id}/{key}",
                "occurred_at": moment,
                "recorded_at": moment,
                **facts,
            }
        )

    def moment(self, at: time) -> str:
        """A local time of this day, with its offset."""
        return datetime.combine(self.day, at, ZoneInfo(TIME_ZONE)).isoformat()

    def person(self, number: int) -> str:
        """How a person's admission is named."""
        return person_key(self.site_id, number)

    def hand_off(self, number: int) -> str:
        """How a person's hand-off is named."""
        return hand_off_key(self.site_id, number)

    def roster(self, numbers: Iterable[int]) -> list[str]:
        """How several people's admissions are named."""
        return [self.person(number) for number in numbers]

    def last_moment(self) -> str:
        """The last second of this day."""
        return self.moment(time(23, 59, 59))
