"""The glass is broken in an emergency; the privacy officer sees it, reviews it, and accounts for it."""

import io
import re
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
from pypdf import PdfReader

from handrail.sight import SEES_ALL
from operate import databases
from operate.ground import postgres_of
from tests.journeys.clinic import OK, Clinic
from tests.journeys.test_fhir import token
from tests.journeys.visitor import sign_in


def emergency(person: UUID, **more: object) -> dict[str, Any]:
    return {
        "admission_id": str(person),
        "recipient": "night-doctor",
        "affiliation": "general",
        "discloser_id": str(uuid4()),
        "nature": "overdose",
        "data_classes": ["status", "attendance"],
    } | more


async def declared(clinic: Clinic, person: UUID) -> tuple[str, dict[str, str]]:
    """By a counsellor of another programme; where it is looked at, and as whom."""
    headers = {"authorization": await token(clinic, "counsellor", "", "php-day")}
    url = f"{clinic.url('intake')}/v1/emergencies/{uuid4()}"
    body = emergency(person)
    answer = await clinic.client.put(url, json=body, headers=headers)
    assert answer.status_code == OK, answer.text
    same = await clinic.client.put(url, json=body, headers=headers)
    assert same.json() == answer.json()
    return url, headers


async def test_who_needs_it_now_sees_what_was_declared_and_the_officer_sees_who_looked(
    clinic: Clinic,
) -> None:
    person = await clinic.admitted()
    await clinic.known_to_alerts(person)
    url, headers = await declared(clinic, person)
    usual = await clinic.client.get(
        f"{clinic.url('intake')}/v1/admissions/{person}", headers=headers
    )
    assert usual.status_code == 403

    told = await clinic.client.get(f"{url}/record", headers=headers)

    assert told.status_code == OK
    assert set(told.json()["facts"]) == {"status", "attendance"}
    assert told.json()["notice"].startswith("42 CFR part 2")
    base = clinic.url("alerts")
    async with httpx.AsyncClient(timeout=20, trust_env=False) as officer:
        await sign_in(officer, base, "privacy_officer")
        page = (await officer.get(f"{base}/privacy")).text
        place = f"/privacy/{url.rpartition('/')[2]}"
        assert place in page
        [secret] = set(re.findall(r'name="form" value="([^"]+)"', page))
        form = {"form": secret, "finding": "justified"}
        assert (await officer.post(base + place, data=form)).status_code == 303
        assert place not in (await officer.get(f"{base}/privacy")).text
        accounting = await officer.get(f"{base}/people/{person}/accounting")
        paper = await officer.get(f"{base}/people/{person}/accounting.pdf")
    for words in ("night-doctor", "general", "overdose"):
        assert words in accounting.text
        assert words in PdfReader(io.BytesIO(paper.content)).pages[0].extract_text()
    assert paper.headers["content-type"] == "application/pdf"
    rows = await clinic.get("intake", "/v1/emergencies", reviewed=True)
    [row] = [one for one in rows if one["admission_id"] == str(person)]
    assert (row["finding"], row["reviewed_by"]) == ("justified", "development-privacy_officer")
    assert clinic.system.handrail("audit", "verify").returncode == 0


async def test_it_is_over_by_itself(clinic: Clinic) -> None:
    person = await clinic.admitted()
    url, headers = await declared(clinic, person)
    assert (await clinic.client.get(f"{url}/record", headers=headers)).status_code == OK
    home = clinic.system.home
    url_of_intake = databases.url_of(postgres_of(home, home.ports()).admin_url(), "intake", home)
    conn = await asyncpg.connect(url_of_intake, server_settings=SEES_ALL)
    try:
        # The hours have passed.
        await conn.execute(
            "update emergencies set over_at = now() where emergency_id = $1",
            UUID(url.rpartition("/")[2]),
        )
    finally:
        await conn.close()

    answer = await clinic.client.get(f"{url}/record", headers=headers)

    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (409, "emergency_over")
    again = await clinic.client.put(url, json=emergency(person, minutes=1440), headers=headers)
    assert again.status_code == 409


async def test_nobody_else_looks_and_a_review_is_made_once(clinic: Clinic) -> None:
    person = await clinic.admitted()
    url, _ = await declared(clinic, person)
    for role in ("operator", "privacy_officer", "subscriber", "support"):
        headers = {"authorization": await token(clinic, role, "")}
        assert (await clinic.client.get(f"{url}/record", headers=headers)).status_code == 403
    officer = {"authorization": await token(clinic, "privacy_officer", "")}
    said = {"finding": "not_justified"}
    first = await clinic.client.post(f"{url}/review", json=said, headers=officer)
    second = await clinic.client.post(f"{url}/review", json=said, headers=officer)
    unknown = f"{clinic.url('intake')}/v1/emergencies/{uuid4()}"

    assert (first.status_code, second.status_code) == (OK, 409)
    assert (await clinic.client.get(f"{unknown}/record", headers=officer)).status_code == 403
    missing = await clinic.client.put(unknown, json=emergency(uuid4()))
    assert missing.status_code == 404
