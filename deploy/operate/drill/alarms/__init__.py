"""`handrail drill --alarms`: each alarm's cause for real, its page followed, and the alarm over."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from typing import Any

import httpx

from operate import background
from operate.bench.live import Live
from operate.drill.alarms.ground import Ground
from operate.drill.alarms.outages import DatabaseClosed, KafkaStopped, ServiceEnded, secret_file
from operate.drill.alarms.pages import Pages
from operate.drill.alarms.prometheus import FIRING, INACTIVE, Prometheus
from operate.drill.alarms.scene import Scene
from operate.drill.alarms.waits import ReceiverAway, ReceiverGivenUp, RecordBroken, SiteSilent
from operate.drill.real import new_home, remove
from operate.errors import OperateError
from operate.ground import EXTERNAL_KAFKA
from operate.home import Home
from operate.parts import topics
from operate.parts.kafka import Kafka

# An hour is four minutes: fifteen seconds between two looks of Prometheus are one.
FACTOR = 15
# Scenes of one act play at once; what one breaks, another of the act does not need.
ACTS: tuple[tuple[type[Scene], ...], ...] = (
    (KafkaStopped,),
    (ServiceEnded,),
    (RecordBroken, SiteSilent, ReceiverAway, ReceiverGivenUp),
    (DatabaseClosed,),
)
PEOPLE = 250
FIRE_SECONDS, CLEAR_SECONDS, QUIET_SECONDS = 180.0, 300.0, 150.0
Say = Callable[[str], None]


async def run(only: Collection[str], say: Say) -> dict[str, Any]:
    """Play all acts, or only the scenes of some alarms, on a home of its own; give the times."""
    home, good, began = new_home(), False, time.monotonic()
    acts = [[scene() for scene in act if not only or _names(scene) & {*only}] for act in ACTS]
    try:
        async with _ground(home, say) as (ground, prometheus):
            found: dict[str, Any] = {}
            for act in filter(None, acts):
                found |= await _act(act, ground, prometheus, say)
        good = all(_is_good(one) for one in found.values())
        seconds = round(time.monotonic() - began)
        return {"good": good, "factor": FACTOR, "seconds": seconds, "alarms": found}
    finally:
        remove(home, say, good=good)


def _names(scene: type[Scene]) -> set[str]:
    return {*scene.fires, *scene.fires_later}


def known() -> dict[str, type[Scene]]:
    """The scene of each alarm that has one."""
    return {name: scene for act in ACTS for scene in act for name in _names(scene)}


def _is_good(one: dict[str, Any]) -> bool:
    return one["fired_after_s"] is not None and one["cleared_after_s"] is not None


async def _act(
    act: Sequence[Scene], ground: Ground, prometheus: Prometheus, say: Say
) -> dict[str, Any]:
    """The scenes of one act, at once, from silence to silence."""
    names = {name for scene in act for name in _names(type(scene))}
    quiet = await prometheus.until(names, INACTIVE, QUIET_SECONDS)
    if names - quiet.keys():
        message = f"{', '.join(sorted(names - quiet.keys()))}: not quiet before the cause."
        raise OperateError(message)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(play(scene, ground, prometheus, say)) for scene in act]
    return {name: one for task in tasks for name, one in task.result().items()}


async def play(scene: Scene, ground: Ground, prometheus: Prometheus, say: Say) -> dict[str, Any]:
    """One scene: by alarm, after how many seconds it fired, and was over; None where it did not."""
    began = time.monotonic()
    await scene.breaks(ground)
    fired = await prometheus.until(scene.fires, FIRING, FIRE_SECONDS)
    say(f"{type(scene).__name__}: {len(fired)} of {len(scene.fires)} alarms fire; following pages")
    mended = time.monotonic()
    await scene.mends(ground)
    async with asyncio.TaskGroup() as group:
        clearing = group.create_task(prometheus.until(scene.fires, INACTIVE, CLEAR_SECONDS))
        fired |= await prometheus.until(scene.fires_later, FIRING, FIRE_SECONDS)
        await scene.looks(ground)
        later = await prometheus.until(scene.fires_later, INACTIVE, CLEAR_SECONDS)
    cleared = later | clearing.result()
    say(f"{type(scene).__name__}: {len(cleared)} alarms are over")
    return {
        name: {
            "cause": type(scene).__name__,
            "fired_after_s": _after(fired.get(name), began),
            "cleared_after_s": _after(cleared.get(name), mended),
            "followed": [*dict.fromkeys(ground.pages.done.get(name, []))],
        }
        for name in _names(type(scene))
    }


def _after(moment: float | None, since: float) -> float | None:
    return None if moment is None else round(moment - since, 1)


@contextlib.asynccontextmanager
async def _ground(home: Home, say: Say) -> AsyncIterator[tuple[Ground, Prometheus]]:
    """Everything that runs, with people in it and somebody who looks at the page."""
    home.create()
    ports, prometheus = home.free_ports(), Prometheus(home, FACTOR)
    # Not where the supervisor has its broker, which would take it for one left over.
    folder = home.folder / "broker"
    kafka = Kafka(folder, ports["kafka"], ports["kafka_controller"], home.log("broker"))
    settings = {
        # The drill's own, so that nobody starts it again.
        EXTERNAL_KAFKA: kafka.address,
        "HANDRAIL_EGRESS_ALLOW": "127.0.0.0/8",
        "HANDRAIL_KAFKA_PASSWORD_FILE": secret_file(home),
    }
    try:
        kafka.start()
        await kafka.wait_ready()
        await topics.create(kafka.address)
        os.environ.update(settings)
        await background.ensure_up(home, say)
        await prometheus.start()
        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            live = Live(home.addresses(), kafka.address, client)
            ground = Ground(home, kafka, client, live, Pages(home))
            ground.people = await live.admit(PEOPLE)
            ground.day.set()
            tasks = [
                asyncio.create_task(ground.visit()),
                asyncio.create_task(ground.miss_sessions()),
            ]
            try:
                yield ground, prometheus
            finally:
                for task in tasks:
                    task.cancel()
                ended = await asyncio.gather(*tasks, return_exceptions=True)
        [*map(_raise, ended)]
    finally:
        await prometheus.stop()
        await asyncio.to_thread(background.down, home, say)
        await kafka.stop()
        for name in settings:
            os.environ.pop(name, None)


def _raise(ended: object) -> None:
    """A visitor that ended by a mistake would leave the page's alarms without a cause."""
    if isinstance(ended, Exception):
        raise ended
