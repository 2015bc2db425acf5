"""Up from nothing, down, and up again."""

from typing import Any
from uuid import UUID

from operate.home import SERVICES
from tests.containers.composed import Composed
from tests.journeys.clinic import Clinic
from tests.journeys.visitor import sign_in
from tests.parts import until

# What a shell gives a process that ended by SIGTERM, as Java does.
TOLD_TO_END = 143


async def test_the_demos_alert_stands_on_the_page(clinic: Clinic, demo: str) -> None:
    concerns = await clinic.get("alerts", "/v1/concerns", site_id=demo, open="true")
    alerts = [alert for concern in concerns for alert in concern["alerts"]]
    assert alerts

    page = await page_of(clinic, demo)

    for concern in concerns:
        assert concern["admission_id"][:8] in page
        assert concern["reasons"][0].lower() in page.lower()


async def test_down_and_up_again_loses_nothing(
    composed: Composed, clinic: Clinic, demo: str
) -> None:
    before = await kept(clinic, demo)
    assert before["concerns"]
    assert len(before["days"]) == 1

    composed.compose("stop")
    ended = composed.inspect()
    composed.compose("down")
    composed.start()

    codes = {name: one["State"]["ExitCode"] for name, one in ended.items()}
    assert {codes[name] for name in (*SERVICES, "postgres")} == {0}
    assert codes["kafka"] in (0, TOLD_TO_END)
    assert await kept(clinic, demo) == before
    page = await page_of(clinic, demo)
    assert all(one["admission_id"][:8] in page for one in before["concerns"] if is_open(one))


async def page_of(clinic: Clinic, site: str) -> str:
    """The list of a site as a counsellor reads it."""
    base = clinic.url("alerts")
    await sign_in(clinic.client, base, "counsellor")
    page = await clinic.client.get(f"{base}/", params={"site": site})
    assert page.status_code == 200
    return page.text


async def kept(clinic: Clinic, site: str) -> dict[str, Any]:
    """What alerts and attendance keep of a site's people, and what Kafka keeps of the first of them."""
    states = await settled(clinic)
    concerns = await clinic.get("alerts", "/v1/concerns", site_id=site)
    people = sorted({concern["admission_id"] for concern in concerns})
    return {
        "days": {state["sites"][site] for state in states},
        "concerns": concerns,
        "seats": [await clinic.get("attendance", f"/v1/admissions/{p}/attendance") for p in people],
        "told": {owner: await clinic.told(owner, UUID(people[0])) for owner in SERVICES},
    }


async def settled(clinic: Clinic) -> list[dict[str, Any]]:
    """What each service says of itself once nothing is on the way from one to another.

    Intake lets events gather for a second, and tells others what follows from them.
    """
    counts: list[list[int]] = []

    async def is_still() -> list[dict[str, Any]]:
        states = [await clinic.get(name, "/status") for name in SERVICES]
        on_the_way = sum(s["relay"]["backlog"] + s["feed"]["lag"] for s in states)
        counts.append([s["relay"]["sent"] + s["feed"]["applied"] for s in states])
        # Read one after the other: only what nobody has moved on since the last time stood still.
        return states if not on_the_way and counts[-2:-1] == counts[-1:] else []

    return await until(is_still, "nothing is on the way")


def is_open(concern: dict[str, Any]) -> bool:
    return concern["ending"] is None
