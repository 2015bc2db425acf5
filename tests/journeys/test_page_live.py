"""The stream of news: it ends cleanly; and what the first page weighs."""

import asyncio
from uuid import UUID

import httpx
import psutil

from operate.bench.streams import Stream
from tests.journeys.clinic import Clinic
from tests.journeys.visitor import sign_in
from tests.parts import until

LIMIT = 60_000
STREAMS = 20
NO_LIMITS = httpx.Limits(max_connections=None)


async def test_a_told_to_end_service_ends_its_streams_at_once(clinic: Clinic) -> None:
    base = clinic.url("alerts")
    await sign_in(clinic.client, base, "counsellor")
    pid = clinic.system.home.read("run.json")["services"]["alerts"]["pid"]
    async with clinic.client.stream("GET", f"{base}/live") as stream:
        lines = stream.aiter_lines()
        assert await anext(lines) == "retry: 1000"
        psutil.Process(pid).terminate()
        rest = [line async for line in lines]
    assert rest[-3:-1] == ["event: end", "data: end"]
    await another_than(clinic, pid)


async def another_than(clinic: Clinic, pid: int) -> None:
    """Wait until the supervisor has started alerts afresh."""

    async def is_so() -> bool:
        return bool(clinic.system.home.read("run.json")["services"]["alerts"]["pid"] != pid)

    await until(is_so, "alerts is started again")
    await clinic.get("alerts", "/status")


async def test_the_first_page_is_light(clinic: Clinic) -> None:
    base = clinic.url("alerts")
    for _ in range(3):
        await clinic.missed(await clinic.admitted(), 1)
    await sign_in(clinic.client, base, "counsellor")

    parts = [
        await clinic.client.get(base + path)
        for path in ("/", "/page/page.css", "/page/page.js", "/page/icon.svg")
    ]

    assert all(part.status_code == 200 for part in parts)
    assert sum(len(part.content) for part in parts) < LIMIT


async def test_open_streams_miss_nothing_while_the_service_is_killed(clinic: Clinic) -> None:
    base = clinic.url("alerts")
    people = [await clinic.admitted() for _ in range(3)]
    async with httpx.AsyncClient(timeout=20, trust_env=False, limits=NO_LIMITS) as client:
        await sign_in(client, base, "counsellor")
        streams = [Stream(client, f"{base}/live?site={clinic.site_id}") for _ in range(STREAMS)]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(stream.listen()) for stream in streams]
            for stream in streams:
                await asyncio.wait_for(stream.is_open.wait(), 30)

            async def all_have(person: UUID) -> None:
                async def is_so() -> bool:
                    return all(str(person) in stream.seen for stream in streams)

                await until(is_so, "every stream has the line", seconds=90)

            await clinic.missed(people[0], 1)
            await all_have(people[0])
            clinic.system.kill("alerts")
            await clinic.missed(people[1], 1)
            await all_have(people[1])
            await clinic.missed(people[2], 1)
            await all_have(people[2])
            for task in tasks:
                task.cancel()

    assert all(stream.opened >= 2 for stream in streams)
    assert all(set(stream.seen) == {str(person) for person in people} for stream in streams)


async def test_a_stream_ends_when_its_person_signs_out(clinic: Clinic) -> None:
    base = clinic.url("alerts")
    person = await clinic.admitted()
    await sign_in(clinic.client, base, "counsellor")
    form = (await clinic.client.get(f"{base}/")).text.partition('name="form" value="')[2][:32]
    async with clinic.client.stream("GET", f"{base}/live") as stream:
        lines = stream.aiter_lines()
        assert await anext(lines) == "retry: 1000"
        await clinic.client.post(f"{base}/sign-out", data={"form": form})
        async with asyncio.TaskGroup() as group:
            group.create_task(misses(clinic, person, ended := asyncio.Event()))
            rest = [line async for line in lines]
            ended.set()
    assert rest[-3:-1] == ["event: end", "data: end"]


async def misses(clinic: Clinic, person: UUID, ended: asyncio.Event) -> None:
    """News until the stream has ended: it is at news that a session is asked about."""
    for days in range(1, 30):
        if ended.is_set():
            return
        await clinic.missed(person, days)
