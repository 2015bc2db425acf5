"""Scenes in which a record, a site or a receiver holds something up; what takes days is made older."""

import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer

from handrail.topics import partition_of, topic_of
from operate.drill.alarms.ground import Ground
from operate.drill.alarms.scene import Scene, Steps, expect
from operate.home import unused_ports
from operate.listener import listening

LIST = "./handrail dead-letters list"
REDRIVE = "./handrail dead-letters redrive SERVICE KEY"
GIVE_UP = "./handrail dead-letters redrive SERVICE KEY --drop-unreadable"
RECEIVERS = "GET /v1/receivers"
RETRY = "POST /v1/receivers/{id}/retry"
HEADERS = (
    ("ce_type", b"attendance.session_missed.v1"),
    ("ce_id", b"drill"),
    ("ce_sequence", b"1"),
    ("ce_incarnation", b"1"),
)
_ASKED_EARLIER = """
update sessions set roster_asked_at = roster_asked_at - interval '25 hours' where session_id = $1
"""
_TRIED_FOR_DAYS = """
update notices set created_at = created_at - interval '5 days', send_at = now()
where receiver_id = $1
"""


class RecordBroken(Scene):
    """A record that is cut short, about one person, on Kafka."""

    fires: ClassVar[Steps] = {"HandrailDeadLetters": (LIST, GIVE_UP)}
    site = "drill-letters"
    person = ""

    async def breaks(self, ground: Ground) -> None:
        """Somebody's system writes half an event."""
        self.person = await ground.admitted(self.site)
        producer = AIOKafkaProducer(bootstrap_servers=ground.kafka.address, acks="all")
        await producer.start()
        try:
            await producer.send_and_wait(
                topic_of("attendance"),
                b'{"site_id": "dri',
                self.person.encode(),
                partition_of(UUID(self.person)),
                headers=list(HEADERS),
            )
        finally:
            await producer.stop()

    async def mends(self, ground: Ground) -> None:
        """Each service that holds it is listed; nobody can read it, so it is given up."""
        told = await ground.pages.follow("HandrailDeadLetters", LIST)
        holding = [line.split()[0] for line in told.splitlines() if self.person in line]
        expect(holding, "the admission in the list")
        for service in holding:
            names = {"service": service, "key": self.person}
            done = await ground.pages.follow("HandrailDeadLetters", GIVE_UP, **names)
            expect("left 0" in done, "nothing left behind")


class SiteSilent(Scene):
    """A site was asked for a roster yesterday and has said nothing since."""

    fires: ClassVar[Steps] = {"HandrailFeedSilent": ("GET /v1/silent-feeds",)}
    site = "drill-silent"
    session = person = ""

    async def breaks(self, ground: Ground) -> None:
        """A session five hours ago is asked for; then a day passes."""
        self.person = await ground.admitted(self.site)
        starts_at = datetime.now(UTC) - timedelta(hours=5)
        self.session = await ground.say(
            "attendance",
            "schedule_session",
            site_id=self.site,
            session_key=uuid4().hex,
            session_type="group",
            planned_on=starts_at.date().isoformat(),
            starts_at=starts_at.isoformat(),
            planned_minutes=180,
            roster=[self.person],
        )

        async def is_asked() -> list[Any]:
            path = f"/v1/sites/{self.site}/rosters-overdue"
            found: list[Any] = await ground.ask("attendance", path)
            return found

        await ground.until(is_asked, "the roster is asked for")
        await ground.made_older("attendance", _ASKED_EARLIER, UUID(self.session))

    async def mends(self, ground: Ground) -> None:
        """The page names the site; it is called and takes its roster."""
        told = await ground.pages.follow(
            "HandrailFeedSilent", "GET /v1/silent-feeds", service="attendance"
        )
        expect([one["site_id"] for one in json.loads(told)] == [self.site], "the site's name")
        entries = [{"admission_id": self.person, "status": "attended", "minutes": 170}]
        await ground.say("attendance", "take_roster", session_id=self.session, entries=entries)


class ReceiverAway(Scene):
    """Nobody listens where the on-call clinician's notices go."""

    fires: ClassVar[Steps] = {"HandrailNoticesWaiting": (RECEIVERS, RETRY)}
    site = "drill-waiting"

    def __init__(self) -> None:
        """A receiver under an identifier of its own."""
        self.receiver, self.port, self.heard = str(uuid4()), next(unused_ports()), list[bytes]()
        self.hearing = contextlib.ExitStack()

    async def breaks(self, ground: Ground) -> None:
        """Somebody is in danger, and the notice of it reaches nobody."""
        about = {"site_id": self.site, "role": "on_call", "kind": "webhook"}
        address = f"http://127.0.0.1:{self.port}/hear"
        path = f"/v1/receivers/{self.receiver}"
        await ground.put("alerts", path, about | {"address": address})
        await ground.in_danger(await ground.admitted(self.site))
        await ground.until(lambda: self.is_in_trouble(ground), "a try that failed")

    async def mends(self, ground: Ground) -> None:
        """The page names the receiver and its trouble; it listens again and is tried at once."""
        [alarm] = self.fires
        told = json.loads(await ground.pages.follow(alarm, RECEIVERS, service="alerts"))
        expect([one["trouble"] for one in told if self.is_ours(one)] != [None], "the trouble")
        with listening(self.heard.append, self.port):
            names = {"service": "alerts", "id": self.receiver}
            await ground.pages.follow(alarm, RETRY, **names)
            await ground.until(lambda: self.has_heard(ground), "the notice")

    def is_ours(self, one: dict[str, Any]) -> bool:
        """Whether a line of the list is about this receiver."""
        return bool(one["receiver_id"] == self.receiver)

    async def is_in_trouble(self, ground: Ground) -> bool:
        """Whether it was tried and did not answer."""
        listed = await ground.ask("alerts", RECEIVERS.removeprefix("GET "))
        return any(self.is_ours(one) and one["trouble"] for one in listed)

    async def has_heard(self, ground: Ground) -> bool:
        """Whether everything came, and that is noted."""
        listed = await ground.ask("alerts", RECEIVERS.removeprefix("GET "))
        [ours] = [one for one in listed if self.is_ours(one)]
        return bool(self.heard) and not ours["waiting"] and not ours["given_up"]


class ReceiverGivenUp(ReceiverAway):
    """The same for five days: the notice is given up."""

    fires: ClassVar[Steps] = {"HandrailNoticesGivenUp": (RECEIVERS, RETRY)}
    site = "drill-given-up"

    async def breaks(self, ground: Ground) -> None:
        """It does not answer; five days pass, and the next try is the last."""
        await super().breaks(ground)
        await ground.made_older("alerts", _TRIED_FOR_DAYS, UUID(self.receiver))
