"""Scenes in which a process or a part is away."""

import json
from typing import ClassVar

import psutil

from operate.drill import outage
from operate.drill.alarms.ground import Ground, day
from operate.drill.alarms.scene import LOGS, READY, STATUS, Scene, Steps, expect
from operate.home import Home

MISSES = 40
# A tenth of a minute each: to be attempted, and after that to be escalated.
SOON_HOURS = 0.1 / 60
LIMITS = "select datname, datconnlimit from pg_database"
LIFT = "alter database SERVICE connection limit -1"


def secret_file(home: Home) -> str:
    """The file that the drill's services read a secret from; what it says is of no use here."""
    path = home.folder / "secret"
    if not path.exists():
        path.write_text("unused")
        path.chmod(0o600)
    return str(path)


class ServiceEnded(Scene):
    """A service is killed and cannot start again: the file of one of its secrets is gone."""

    fires: ClassVar[Steps] = {"HandrailServiceDown": ("./handrail status", LOGS)}
    service = "aftercare"

    async def breaks(self, ground: Ground) -> None:
        """First the file goes, then the process."""
        (ground.home.folder / "secret").unlink()
        pid = ground.home.read("run.json")["services"][self.service]["pid"]
        psutil.Process(pid).kill()

    async def mends(self, ground: Ground) -> None:
        """The status says who, the last line of its log says what; the file is put back."""
        told = await ground.pages.follow("HandrailServiceDown", "./handrail status")
        expect(self.service in told, f"{self.service} in the status")
        log = await ground.pages.follow("HandrailServiceDown", LOGS, service=self.service)
        expect("_FILE" in log.splitlines()[-1], "the setting in the log's last line")
        secret_file(ground.home)


class KafkaStopped(Scene):
    """The broker is ended while contacts are recorded."""

    fires: ClassVar[Steps] = {"HandrailOutboxStuck": (READY,)}

    async def breaks(self, ground: Ground) -> None:
        """Nobody misses a session meanwhile: alerts that come late have their own scene."""
        ground.day.clear()
        await ground.kafka.stop()
        for person in ground.people[:5]:
            about = {"admission_id": person, "channel": "phone", "reached": True}
            await ground.say("attendance", "record_contact", **about)

    async def mends(self, ground: Ground) -> None:
        """Readiness names the relay's error; the broker is started.

        The relay's own patience with the broker (15 s) is not made shorter, so it is asked again.
        """

        async def is_named() -> bool:
            told = await ground.pages.follow("HandrailOutboxStuck", READY, service="attendance")
            return bool(json.loads(told)["relay"] != "ok")

        await ground.until(is_named, "an error of the relay")
        ground.kafka.start()
        await ground.kafka.wait_ready()
        ground.day.set()


class DatabaseClosed(Scene):
    """The connections of alerts' database are used up, and a concern of level 0 runs out of time."""

    fires: ClassVar[Steps] = {
        "HandrailNotReady": (READY, LIMITS, LIFT),
        "HandrailEscalationLate": (READY, STATUS, "GET /v1/concerns?open=true"),
        "HandrailFeedBehind": (READY,),
        "HandrailBadMoments": ("GET /metrics",),
        "HandrailRequestsFailing": (LOGS,),
        "HandrailPageFailingFast": (READY,),
        "HandrailPageFailingSlow": (READY,),
    }
    fires_later: ClassVar[Steps] = {
        "HandrailAlertsLateFast": (STATUS,),
        "HandrailAlertsLateSlow": (STATUS,),
    }
    service, site = "alerts", "drill-escalation"
    person = ""

    async def breaks(self, ground: Ground) -> None:
        """A site whose safety concerns are due at once; then the door is shut."""
        path = f"/v1/sites/{self.site}/policies"
        hours = [SOON_HOURS, 8, 24, 48]
        policy = {"version": "soon", "first_attempt_hours": hours, "escalate_after_hours": hours}
        await ground.put(self.service, path, {"begins_on": day(-30), "policy": policy})
        self.person = await ground.admitted(self.site)
        await ground.in_danger(self.person)
        await outage.close(ground.home, self.service)
        late, ground.people[:MISSES] = ground.people[:MISSES], []
        await ground.live.miss(late)

    async def mends(self, ground: Ground) -> None:
        """Each page leads to the database; its limit is lifted, and nobody was forgotten."""
        follow, service = ground.pages.follow, self.service
        for alarm in ("NotReady", "EscalationLate", "FeedBehind", "PageFailingFast"):
            told = json.loads(await follow(f"Handrail{alarm}", READY, service=service))
            expect(told["database"] == "TooManyConnectionsError", "the database's error")
        await follow("HandrailPageFailingSlow", READY, service=service)
        numbers = await follow("HandrailBadMoments", "GET /metrics", service=service)
        expect('handrail_waits_total{error="TooMany' in numbers, "the error in the counter")
        log = await follow("HandrailRequestsFailing", LOGS, service=service)
        expect("http.bad_moment" in log, "the requests that failed, in the log")
        limits = json.loads(await follow("HandrailNotReady", LIMITS))
        expect({"datname": service, "datconnlimit": 0} in limits, "the limit that is used up")
        await follow("HandrailNotReady", LIFT, service=service)
        await self._escalated(ground)

    async def looks(self, ground: Ground) -> None:
        """What waits has been taken already."""
        for alarm in self.fires_later:
            told = json.loads(await ground.pages.follow(alarm, STATUS, service=self.service))
            expect(told["feed"]["lag"] < MISSES, "a backlog that drains")

    async def _escalated(self, ground: Ground) -> None:
        """The concern that ran out of time is told to the next role after all, once."""
        alarm, service = "HandrailEscalationLate", self.service

        async def is_told() -> bool:
            told = await ground.pages.follow(alarm, "GET /v1/concerns?open=true", service=service)
            return [
                one["escalations"] for one in json.loads(told) if one["site_id"] == self.site
            ] == [1]

        await ground.until(is_told, "the concern is escalated")
        told = json.loads(await ground.pages.follow(alarm, STATUS, service=service))
        expect(told["escalations"]["late_seconds"] == 0, "no escalation that is late")
