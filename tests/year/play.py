"""Plays the year through the services' public API on replay time, a month at a time."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from handrail.topics import partition_of
from operate.replay.client import Client
from tests.parts import until
from tests.year.story import FIRST, LAST, Command, Story

PATIENCE = 120.0


class Player:
    """One site's year on its way through the services."""

    def __init__(self, client: Client, story: Story, close_every: int) -> None:
        """Nothing is sent yet. Days are closed `close_every` at a time, and at a month's end."""
        self.client, self.story, self.close_every = client, story, close_every
        self.admissions: dict[str, str] = {}
        self.step_downs: dict[str, str] = {}
        self.refused: Counter[str] = Counter()
        self.sent = 0

    async def play(self) -> None:
        """The whole year; at each month's end some are called whom alerts is concerned about."""
        for days in months():
            await self._intake(days)
            await self._attendance(days)
            await self._aftercare(days)
            await self._decided(days[-1])
            await self._reach_out(days[-1] + timedelta(days=1))

    async def _intake(self, days: list[date]) -> None:
        commands = list(self._of("intake", days))
        results = await self._send("intake", commands)
        for command, result in zip(commands, results, strict=True):
            if command["do"] == "receive_referral":
                self.admissions[command["key"]] = result["subject"]
        last = {partition_of(UUID(a)): a for a in self.admissions.values()}

        async def all_known() -> bool:
            paths = [f"/v1/admissions/{admission}/attendance" for admission in last.values()]
            there = [await self.client.get("attendance", path) is not None for path in paths]
            return all(there) and await self._aftercare_knows(list(last.values()), days[0])

        await until(all_known, "attendance and aftercare know everyone", PATIENCE)

    async def _aftercare_knows(self, admissions: list[str], day: date) -> bool:
        """Told of hand-offs that cannot be, it refuses them for another reason than the name."""
        at = self.story.at(day, 1).isoformat()
        cannot_be = [
            {
                "do": "start_step_down",
                "source": self.story.site_id,
                "key": f"known/{admission}",
                "occurred_at": at,
                "recorded_at": at,
                "admission_id": admission,
                "destination": "other",
                "receiver": "nowhere",
                "first_visit_on": (FIRST - timedelta(days=1)).isoformat(),
            }
            for admission in admissions
        ]
        results = await self.client.commands("aftercare", cannot_be)
        return all(result["code"] == "before_step_down" for result in results)

    async def _attendance(self, days: list[date]) -> None:
        commands = list(self._of("attendance", days))
        for command in commands:
            self._name(command)
            if "roster" in command:
                command["roster"] = [self.admissions[key] for key in command["roster"]]
            if "entries" in command:
                command["entries"] = [self._named(entry) for entry in command["entries"]]
        await self._send("attendance", commands)

    async def _aftercare(self, days: list[date]) -> None:
        """Starts first, a day at a time: what follows names the identifier they are given."""
        waiting: list[Command] = []
        for command in self._of("aftercare", days):
            if command.get("step_down_id") in self._starts(waiting):
                await self._hand_on(waiting)
                waiting = []
            waiting.append(command)
        await self._hand_on(waiting)

    def _starts(self, commands: list[Command]) -> set[str]:
        return {c["admission_id"] for c in commands if c["do"] == "start_step_down"}

    async def _hand_on(self, commands: list[Command]) -> None:
        keys = [c.get("admission_id") for c in commands]
        for command in commands:
            self._name(command)
            if "step_down_id" in command:
                command["step_down_id"] = self.step_downs[command["step_down_id"]]
        results = await self._send("aftercare", commands)
        for key, command, result in zip(keys, commands, results, strict=True):
            if command["do"] == "start_step_down" and key:
                self.step_downs[key] = result["subject"]

    async def _decided(self, day: date) -> None:
        async def is_over() -> bool:
            path = f"/v1/sites/{self.story.site_id}/progress"
            found = await self.client.get("alerts", path) or {}
            return (found.get("closed_through") or "") >= day.isoformat()

        await until(is_over, f"alerts has decided {day}", PATIENCE)

    async def _reach_out(self, day: date) -> None:
        """Every second concern gets a call on the first of the next month."""
        if day > LAST:
            return
        found = await self.client.get(
            "alerts", "/v1/concerns", site_id=self.story.site_id, open="true", limit="10000"
        )
        at = self.story.at(day, 10).isoformat()
        commands = [
            {
                "do": "record_outreach",
                "source": self.story.site_id,
                "key": f"call/{concern['concern_id']}/{day}",
                "occurred_at": at,
                "recorded_at": at,
                "concern_id": concern["concern_id"],
                "channel": "phone",
                "outcome": "reached_undecided",
            }
            for concern in sorted(found, key=_opened)[::2]
        ]
        for start in range(0, len(commands), 200):
            part = commands[start : start + 200]
            self._count(part, await self.client.post("alerts", "/v1/commands", part))

    def _of(self, service: str, days: list[date]) -> Iterator[Command]:
        """The commands of these days in the order in which they are recorded; days are closed."""
        for day in days:
            known = self.story.commands[service].get(day, [])
            yield from (command for _, command in sorted(known, key=_recorded))
            if day == days[-1] or day.day % self.close_every == 0:
                yield close(self.story, day)

    def _name(self, command: Command) -> None:
        if "admission_id" in command:
            command["admission_id"] = self.admissions[command["admission_id"]]

    def _named(self, entry: Command) -> Command:
        return entry | {"admission_id": self.admissions[entry["admission_id"]]}

    async def _send(self, service: str, commands: list[Command]) -> list[dict[str, Any]]:
        results = await self.client.commands(service, commands)
        self._count(commands, results)
        return results

    def _count(self, commands: list[Command], results: list[dict[str, Any]]) -> None:
        self.sent += len(commands)
        for command, result in zip(commands, results, strict=True):
            if result["status"] != "applied":
                self.refused[f"{command['do']}: {result['code'] or result['status']}"] += 1


def _recorded(told: tuple[datetime, Command]) -> datetime:
    return told[0]


def _opened(concern: dict[str, Any]) -> tuple[str, str]:
    return concern["opened_on"], concern["admission_id"]


def close(story: Story, day: date) -> Command:
    """The command that closes a day."""
    at = story.at(day, 23, 59).isoformat()
    return {
        "do": "close_day",
        "source": story.site_id,
        "key": f"close/{day}",
        "occurred_at": at,
        "recorded_at": at,
        "site_id": story.site_id,
        "day": day.isoformat(),
    }


def months() -> Iterator[list[date]]:
    """The days of the year, month by month."""
    everyday = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
    for month in range(1, 13):
        yield [day for day in everyday if day.month == month]


async def play_year(client: Client, stories: list[Story], close_every: int = 1) -> list[Player]:
    """All sites side by side."""
    players = [Player(client, story, close_every) for story in stories]
    await asyncio.gather(*(player.play() for player in players))
    return players
