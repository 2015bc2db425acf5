"""Up from nothing, down, and up again."""

from typing import Any
from uuid import UUID

from operate.home import SERVICES
from tests.containers.composed import Composed
from tests.journeys.clinic import Clinic
from tests.journeys.visitor import sign_in

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
    concerns = await clinic.get("alerts", "/v1/concerns", site_id=site)
    people = sorted({concern["admission_id"] for concern in concerns})
    return {
        "concerns": concerns,
        "seats": [await clinic.get("attendance", f"/v1/admissions/{p}/attendance") for p in people],
        "told": {owner: await clinic.told(owner, UUID(people[0])) for owner in SERVICES},
    }


def is_open(concern: dict[str, Any]) -> bool:
    return concern["ending"] is None
