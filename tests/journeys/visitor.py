"""The page without a browser: signed in by plain HTTP."""

import re

import httpx

from tests.journeys.clinic import Clinic


async def sign_in(client: httpx.AsyncClient, base: str, role: str, programs: str = "") -> None:
    """Go the way a browser goes, by the development issuer."""
    begun = await client.get(f"{base}/sign-in/begin")
    asked = await client.get(begun.headers["location"])
    form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', asked.text))
    chosen = await client.post(
        f"{base}/development/authorize", data=form | {"role": role, "programs": programs}
    )
    back = await client.get(chosen.headers["location"])
    assert back.status_code == 200, back.text


async def page_of(clinic: Clinic) -> str:
    """The list of the clinic's site as a counsellor gets it."""
    base = clinic.url("alerts")
    await sign_in(clinic.client, base, "counsellor")
    page = await clinic.client.get(f"{base}/", params={"site": clinic.site_id})
    assert page.status_code == 200
    return page.text
