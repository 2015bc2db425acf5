"""What a supervisor and an operator see: load, the worth of alerts, and how the machine does."""

import re

from aiokafka import AIOKafkaProducer
from playwright.async_api import Browser, expect

from handrail.topics import topic_of
from operate.home import HOST
from tests.journeys.browser import PHONE, Screen
from tests.journeys.clinic import Clinic
from tests.journeys.second import second_alerts
from tests.journeys.test_page_person import someone_missing
from tests.journeys.visitor import sign_in
from tests.parts import run_handrail, until

FORBIDDEN, OK = 403, 200


async def test_a_supervisor_reads_what_the_alerts_are_worth(
    clinic: Clinic, chromium: Browser
) -> None:
    played = run_handrail(
        clinic.system.home, "simulate", "--patients", "12", "--days", "45", "--seed", "5"
    )
    assert played.returncode == 0, played.stderr
    base = clinic.url("alerts")
    screen = await Screen.open(chromium, base)
    await screen.sign_in("supervisor", path="/team")
    await screen.go("/team")
    await screen.is_sound("team")
    await screen.page.get_by_role("link", name="Quality board").click()
    await screen.go("/team/quality?site=harbor-5")
    page = screen.page

    board = await clinic.get("alerts", "/v1/quality", site_id="harbor-5")
    rows = [row for row in board["rules"] if row["pushed"]]
    await expect(page.locator(".board tbody tr")).to_have_count(len(rows))
    rate = f"{board['burden']['alerts_per_100_patient_weeks']:.1f}"
    await expect(page.locator("main")).to_contain_text(f"{rate} against a budget of")
    known = [row["precision"] for row in rows if row["precision"] and row["precision"]["count"]]
    assert known
    await expect(page.locator(".board .span")).to_have_count(len(known))
    shown = f"{known[0]['value'] * 100:.0f}% ("
    await expect(page.locator(".board")).to_contain_text(shown)
    assert await page.locator(".trend rect").count() >= 6
    await screen.is_sound("quality")
    await page.set_viewport_size(PHONE)
    await page.emulate_media(color_scheme="dark")
    await screen.is_sound("quality-phone-dark")


async def test_a_board_counts_a_whole_site_and_is_for_who_may_see_all_of_it(
    clinic: Clinic,
) -> None:
    base = clinic.url("alerts")
    await someone_missing(clinic)
    await sign_in(clinic.client, base, "supervisor", programs="another-program")
    page = await clinic.client.get(f"{base}/team/quality", params={"site": clinic.site_id})
    assert page.status_code == OK
    assert "There is no site whose programmes you may all see" in page.text
    assert f"{clinic.site_id}, " not in page.text
    await sign_in(clinic.client, base, "counsellor")
    assert (await clinic.client.get(f"{base}/team/quality")).status_code == FORBIDDEN


async def test_an_operator_sees_all_services_and_dead_letters_without_content(
    clinic: Clinic, chromium: Browser
) -> None:
    person, _ = await someone_missing(clinic)
    screen = await Screen.open(chromium, clinic.url("alerts"), viewport=PHONE)
    await screen.sign_in("operator", path="/operate")
    await screen.go("/operate")
    for name in ("intake", "attendance", "alerts", "aftercare"):
        await expect(screen.page.locator(f"#of-{name}")).to_contain_text("✓ well")
    await expect(screen.page.locator("#silent + p")).to_contain_text("None:")
    await screen.is_sound("operate-phone")

    secret = "a name that must stay here"
    producer = AIOKafkaProducer(bootstrap_servers=f"{HOST}:{clinic.system.home.ports()['kafka']}")
    await producer.start()
    await producer.send_and_wait(topic_of("intake"), secret.encode(), key=str(person).encode())
    await producer.stop()

    async def is_told() -> bool:
        await screen.go("/operate")
        told = screen.page.locator("section", has=screen.page.locator("#letters"))
        return "intake.events" in await told.inner_text()

    await until(is_told, "the dead letter is shown")
    words = await screen.page.content()
    assert secret not in words
    await screen.page.set_viewport_size({"width": 1280, "height": 900})
    await screen.is_sound("operate-letters")


async def test_services_that_are_away_are_told_and_traces_are_linked(clinic: Clinic) -> None:
    person, _ = await someone_missing(clinic)
    url = "http://traces.example/trace/{trace_id}"
    async with second_alerts(clinic.system, HANDRAIL_TRACE_URL=url) as lonely:
        await sign_in(clinic.client, lonely, "operator")
        page = (await clinic.client.get(f"{lonely}/operate")).text
        await sign_in(clinic.client, lonely, "counsellor")
        of_person = (await clinic.client.get(f"{lonely}/people/{person}")).text
    assert page.count("! does not answer") == 3
    assert "Attendance does not answer, so nobody can say." in page
    linked = re.compile(r'href="http://traces\.example/trace/[0-9a-f]{32}"')
    assert linked.search(page)
    assert linked.search(of_person)
    assert str(person)[:8] not in page
