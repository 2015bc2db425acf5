"""The stream of news: it ends cleanly; and what the first page weighs."""

import psutil

from tests.journeys.clinic import Clinic
from tests.journeys.visitor import sign_in
from tests.parts import until

LIMIT = 60_000


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
