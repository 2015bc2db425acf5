"""A drill with real processes, a real broker and a real database, in a home of its own."""

import asyncio
import os
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection
from itertools import chain
from pathlib import Path
from typing import Any

from handrail.failpoints import PREFIX
from operate import background
from operate.drill import judge
from operate.drill.cluster import Cluster
from operate.drill.faults import Faults
from operate.drill.ward import Ward
from operate.drill.wide import WideFaults
from operate.errors import OperateError
from operate.ground import EXTERNAL_DATABASE, EXTERNAL_KAFKA
from operate.home import SERVICES, Home

# Each process of a service ends itself at one of these steps.
FAILPOINTS = (
    "one of command.before_commit=kill:60,command.after_commit=kill:60,"
    "relay.after_send=kill:60,relay.mid_batch=kill:150,"
    "consumer.before_commit=kill:60,consumer.after_commit=kill:60,consumer.assigned=kill:2"
)
# A backlog is sent a thousand at a time: who ended within the first batch would not get further.
FAILPOINTS_UNDER_LOAD = (
    "one of command.before_commit=kill:150,command.after_commit=kill:150,"
    "relay.after_send=kill:150,relay.mid_batch=kill:2000,"
    "consumer.before_commit=kill:150,consumer.after_commit=kill:150,consumer.assigned=kill:2"
)
DRIVERS = 4
REST_SECONDS = 120.0
SLOWEST = 10
# So that nobody has more seats than people have: the day does not end here, and alerts tells all
# that came in it anew each time.
PEOPLE, PEOPLE_A_SECOND, PEOPLE_A_WIDE_SECOND = 40, 0.25, 12.0
WRONG = ("lost", "duplicated", "out_of_order", "false_missed", "alerts_missing", "still_parked")


async def run(
    seconds: float,
    seed: int,
    say: Callable[[str], None],
    *,
    wide: bool = False,
    only: Collection[str] = (),
) -> dict[str, Any]:
    """Break things for so long while commands come in; then judge.

    `wide`: three brokers, a database with a standby, and a network that fails. `only` these kinds
    of fault, and no service kills itself; every kind where none is named.
    """
    known = (WideFaults if wide else Faults).KINDS
    if strangers := {*only} - known.keys():
        message = f"no fault is called {min(strangers)} here; there are {', '.join(sorted(known))}."
        raise OperateError(message)
    home, good = new_home(), False
    cluster = Cluster(home.folder, home.folder / "logs") if wide else None
    failpoints = FAILPOINTS_UNDER_LOAD if wide else FAILPOINTS
    os.environ["HANDRAIL_FAILPOINTS"] = "" if only else failpoints
    try:
        if cluster:
            await _start(home, cluster, say)
        await background.ensure_up(home, say)
        told = await _drill(home, seconds, seed, say, cluster, only)
        good = told["good"]
        return told
    finally:
        del os.environ["HANDRAIL_FAILPOINTS"]
        await asyncio.to_thread(background.down, home, say)
        if cluster:
            await cluster.stop()
            for name in (EXTERNAL_DATABASE, EXTERNAL_KAFKA):
                os.environ.pop(name, None)
        remove(home, say, good=good)


async def _start(home: Home, cluster: Cluster, say: Callable[[str], None]) -> None:
    home.create()
    await cluster.start()
    os.environ[EXTERNAL_DATABASE] = cluster.admin_url
    os.environ[EXTERNAL_KAFKA] = cluster.bootstrap
    say("three brokers and a database with a standby are ready")


def remove(home: Home, say: Callable[[str], None], *, good: bool) -> None:
    """Remove the home, or say where it can be looked into."""
    if good:
        shutil.rmtree(home.folder, ignore_errors=True)
    else:
        say(f"what happened can be read in {home.folder}")


def new_home() -> Home:
    """A data folder of the drill's own."""
    folder = Path(tempfile.mkdtemp(prefix="handrail-drill-"))
    if os.geteuid() == 0:
        # The owner of PostgreSQL's data has to pass through.
        folder.chmod(0o711)
    return Home(folder.resolve())


async def _drill(
    home: Home,
    seconds: float,
    seed: int,
    say: Callable[[str], None],
    cluster: Cluster | None,
    only: Collection[str],
) -> dict[str, Any]:
    dice = random.Random(seed)  # noqa: S311  # a drill must be repeatable
    ward = Ward(
        home.addresses(),
        random.Random(seed + 1),  # noqa: S311
        home.folder / "ledger.jsonl",
        at_once=0.5 if cluster else 0.0,
    )
    each = PEOPLE_A_WIDE_SECOND if cluster else PEOPLE_A_SECOND
    await ward.admit(max(PEOPLE, round(seconds * each)))
    faults = (
        WideFaults(home, dice, ward.admissions, only=only, cluster=cluster, ward=ward)
        if cluster
        else Faults(home, dice, ward.admissions, only=only)
    )
    say(f"{len(ward.admissions)} people are admitted; breaking things for {seconds:.0f} s")
    until = asyncio.get_running_loop().time() + seconds
    async with asyncio.TaskGroup() as group:
        for n in range(DRIVERS):
            group.create_task(ward.record(until, f"d{n}"))
        group.create_task(faults.storm(until))
    await faults.until_well()
    began = time.monotonic()
    rested = await judge.until_rest(home, REST_SECONDS)
    backlog_seconds = time.monotonic() - began
    async with ward.client(REST_SECONDS) as client:
        redriven = await judge.redrive(home, client)
    rested = await judge.until_rest(home, REST_SECONDS) and rested
    found = await judge.judge(home, ward)
    wrong = {name: found.pop(name, 0) for name in WRONG}
    return {
        "seed": seed,
        "seconds": seconds,
        "faults": dict(sorted(faults.count.items())),
        "failpoints_hit": failpoints_hit(home),
        **found,
        "redriven": redriven,
        **wrong,
        # Deadlines of people are longer than this drill.
        "lost_escalations": None,
        "seconds_to_recover": quantiles([took for took, _, _ in faults.recovered]),
        "seconds_to_recover_from": {
            name: quantiles([took for took, one, _ in faults.recovered if one == name])
            for name in sorted({name for _, name, _ in faults.recovered})
        },
        # With when each fault was over, to find it in the logs.
        "slowest_to_recover": sorted(faults.recovered, reverse=True)[:SLOWEST],
        "seconds_to_rest": round(backlog_seconds, 1),
        "not_back_in_time": faults.not_back,
        "good": not (faults.not_back or any(wrong.values()) or found["refused"]) and rested,
    }


def failpoints_hit(home: Home) -> dict[str, int]:
    """How often a service killed itself at each step, as it said last."""
    said = chain.from_iterable(
        home.log(name).read_text(errors="replace").splitlines() for name in SERVICES
    )
    steps = (line.removeprefix(PREFIX) for line in said if line.startswith(PREFIX))
    return dict(sorted(Counter(steps).items()))


def quantiles(values: list[float]) -> dict[str, float]:
    """The middle, the hundredth worst and the worst."""
    if not values:
        return {}
    ordered = sorted(values)
    return {
        "p50": round(ordered[len(ordered) // 2], 2),
        "p99": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 2),
        "most": round(ordered[-1], 2),
    }
