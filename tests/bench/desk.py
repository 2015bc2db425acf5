"""What a desk says in an hour, and how long each command takes on a short and on a long history.

Run as a program: two database addresses, the service and how many rounds. It prints milliseconds.
"""

import asyncio
import json
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any, TypeAlias
from uuid import uuid4

import asyncpg

from attendance import commands as attendance
from attendance import roster
from handrail.receipts import Result
from handrail.sight import SEES_ALL
from intake import admission
from intake import commands as intake
from operate.bench import filling

NOW = datetime.now(UTC)
WARM_UP = 3
Body: TypeAlias = dict[str, Any]


def of_attendance(people: Sequence[str]) -> list[Body]:
    """An hour at the desk: a group planned, recorded and corrected; someone calls, someone moves."""
    day = NOW.date()
    group = {"site_id": "north", "session_type": "group", "planned_minutes": 180}
    # In the morning: the evenings of some weekdays are the series's.
    ahead = (NOW + timedelta(days=3)).replace(hour=9)
    planned = group | {"planned_on": ahead.date(), "starts_at": ahead, "do": "schedule_session"}
    later = planned | {
        "starts_at": ahead + timedelta(days=1),
        "planned_on": (ahead + timedelta(days=1)).date(),
    }
    entries = [{"admission_id": p, "status": "no_show"} for p in people]
    return [
        group | {"do": "schedule_session", "session_key": "now", "planned_on": day, "roster": people},
        {"do": "take_roster", "session_key": "now", "entries": entries},
        {"do": "correct_attendance", "session_key": "now", "admission_id": people[0], "now": "attended", "minutes": 60},
        planned | {"session_key": "one", "roster": people},
        later | {"session_key": "two"},
        {"do": "cancel_seat", "session_key": "one", "admission_id": people[1]},
        {"do": "record_contact", "admission_id": people[0], "channel": "phone", "reached": True},
        {"do": "note_barrier", "admission_id": people[0], "barrier": "work"},
        {"do": "set_series", "site_id": "north", "series_key": "evening", "session_type": "group", "planned_minutes": 60, "recurrence": "DTSTART:20260302T173000\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE"},
        {"do": "join_series", "site_id": "north", "series_key": "evening", "admission_id": people[2], "from_on": day},
        {"do": "cancel_session", "session_key": "one"},
    ]  # fmt: skip


def of_intake(people: Sequence[str]) -> list[Body]:
    """A referral, and one person's plan, hold, team and end."""
    about = {"admission_id": people[0]}
    plan = {"weekly_minutes": 600, "sessions_per_week": 3, "goals": ["work"]}
    team = {"role": "supervisor", "staff_id": str(uuid4()), "from_on": NOW.date()}
    return [
        {"do": "receive_referral", "site_id": "north", "time_zone": "UTC"},
        about | plan | {"do": "change_plan", "review_on": (NOW + timedelta(days=14)).date()},
        about | team | {"do": "assign_role"},
        about | {"do": "put_on_hold", "reason": "leave"},
        about | {"do": "resume"},
        about | {"do": "discharge", "reason": "completed", "discharged_on": NOW.date()},
    ]


async def take(conn: asyncpg.Connection, service: str, body: Body) -> list[Result]:
    whole = [{"key": uuid4().hex, "occurred_at": NOW} | body]
    if service == "intake":
        return await admission.take(conn, intake.COMMANDS.validate_python(whole), NOW)
    return await roster.take(conn, attendance.COMMANDS.validate_python(whole), NOW)


async def measure(urls: Sequence[str], service: str, rounds: int) -> dict[str, list[float]]:
    """The median milliseconds of each command on each of these databases, in turn.

    Each round is taken back, so that all of them find the same.
    """
    took: dict[str, list[list[float]]] = defaultdict(lambda: [[] for _ in urls])
    sides = [await asyncpg.connect(url, server_settings=SEES_ALL) for url in urls]
    people = [[str(r["admission_id"]) for r in await s.fetch(filling.IN_CARE)][:8] for s in sides]
    for number in range(rounds + WARM_UP):
        for place, side in enumerate(sides):
            said = (of_intake if service == "intake" else of_attendance)(people[place])
            undo = side.transaction()
            await undo.start()
            for body in said:
                began = time.perf_counter()
                [result] = await take(side, service, body)
                spent = time.perf_counter() - began
                assert result.status == "applied", (body["do"], result.code)
                if number >= WARM_UP:
                    took[body["do"]][place].append(spent * 1000)
            await undo.rollback()
    for side in sides:
        await side.close()
    return {do: [median(found) for found in places] for do, places in took.items()}


if __name__ == "__main__":
    few, many, of_service, how_many = sys.argv[1:]
    print(json.dumps(asyncio.run(measure((few, many), of_service, int(how_many)))))
