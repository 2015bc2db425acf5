"""Two hours without alerts: the backlog is read in order, and no deadline of that time is lost."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator

import asyncpg
import psutil

from operate.drill import judge
from operate.drill.faults import database_url
from operate.drill.real import failpoints_hit
from operate.drill.scenes.stage import Stage
from operate.home import Home

PEOPLE, FLAGGED = 60, 6
# A seat a second for two hours, recorded as fast as attendance takes them.
BACKLOG, AT_ONCE = 7200, 48
STEP = "escalation.before_commit"
HOURS_GONE = """
update concerns set due_at = due_at - interval '2 hours',
    escalate_at = escalate_at - interval '2 hours'
"""


@contextlib.contextmanager
def setting(home: Home) -> Iterator[None]:
    """The first time that somebody else shall be told, alerts is killed before its commit."""
    os.environ["HANDRAIL_FAILPOINTS"] = f"{STEP}=kill:1:{home.folder / 'killed'}"
    try:
        yield
    finally:
        del os.environ["HANDRAIL_FAILPOINTS"]


async def play(stage: Stage) -> None:
    """Stop alerts, record two hours' worth, let two hours pass for who is waited for; start again."""
    ward = stage.ward
    await ward.admit(PEOPLE)
    flagged = await stage.flagged(FLAGGED)
    await stage.for_a_while(2)
    await stage.rest()
    gone = psutil.Process(stage.home.read("run.json")["services"]["alerts"]["pid"])
    gone.send_signal(signal.SIGSTOP)
    for n in range(BACKLOG // AT_ONCE):
        await ward.say(f"backlog-{n}", ward.dice.choices(ward.admissions, k=AT_ONCE))
    await _pass_hours(stage)
    said = await judge.sequences(stage.home, set(ward.admissions))
    with contextlib.suppress(psutil.NoSuchProcess):
        gone.kill()
    began = time.monotonic()
    await stage.faults.until_back("alerts")
    stage.found["backlog"] = BACKLOG
    stage.found["seconds_until_ready"] = round(time.monotonic() - began, 2)

    async def are_escalated() -> bool:
        return set(await stage.escalations()) >= set(flagged)

    stage.found["seconds_until_escalated"] = await stage.until(are_escalated, "escalations")

    async def has_heard() -> bool:
        return await judge.has_heard(stage.home, said)

    stage.found["seconds_until_caught_up"] = await stage.until(has_heard, "the backlog is read")
    stage.require(failpoints_hit(stage.home) == {STEP: 1}, "no escalation was cut off")
    told = await stage.escalations()
    stage.found["lost_escalations"] = sum(who not in told for who in flagged)
    stage.require(
        all(told.get(who) == 1 for who in flagged), "an escalation was lost or came twice"
    )


async def _pass_hours(stage: Stage) -> None:
    conn = await asyncpg.connect(database_url(stage.home, "alerts"), timeout=10)
    try:
        await conn.execute(HOURS_GONE)
    finally:
        await conn.close(timeout=5)
