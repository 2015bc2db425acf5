"""The list a counsellor works from, in a real browser."""

from playwright.async_api import Browser, expect

from tests.journeys.browser import PHONE, Screen
from tests.journeys.clinic import Clinic


async def test_a_counsellor_signs_in_and_reads_who_to_call_first(
    clinic: Clinic, chromium: Browser
) -> None:
    one, other = await clinic.admitted(), await clinic.admitted()
    await clinic.missed(one, 2)
    await clinic.concern(one, level=3)
    for days in (5, 3, 1):
        await clinic.missed(other, days)
    await clinic.concern(other, level=1)
    screen = await Screen.open(chromium, clinic.url("alerts"))

    await screen.sign_in(path=f"/?site={clinic.site_id}")
    await screen.go(f"/?site={clinic.site_id}")

    lines = screen.page.locator("li.line")
    await expect(lines).to_have_count(2)
    await expect(lines.nth(0)).to_contain_text("Missed 3 sessions in a row")
    await expect(lines.nth(0)).to_contain_text("not taken on yet")
    await expect(lines.nth(0)).to_contain_text("Next: call")
    assert await screen.page.title() == "Today · Handrail"
    await screen.is_sound("today")
    await screen.page.emulate_media(color_scheme="dark")
    await screen.is_sound("today-dark")


async def test_a_miss_stands_on_an_open_page_and_moves_nothing(
    clinic: Clinic, chromium: Browser
) -> None:
    one, other = await clinic.admitted(), await clinic.admitted()
    for days in (5, 3, 1):
        await clinic.missed(one, days)
    await clinic.concern(one, level=1)
    screen = await Screen.open(chromium, clinic.url("alerts"), viewport=PHONE)
    await screen.sign_in()
    await screen.go(f"/?site={clinic.site_id}")
    await expect(screen.page.locator("#live")).to_have_text("Live")
    line = screen.page.locator("li.line")
    before = await line.bounding_box()

    await clinic.missed(other, 1)

    tray = screen.page.locator("#tray")
    await expect(tray).to_contain_text("Missed a session")
    assert await line.bounding_box() == before
    await screen.is_sound("today-phone")
    await tray.get_by_role("link", name="Show in the list").click()
    await expect(screen.page.locator("li.line")).to_have_count(2)


async def test_the_page_works_without_its_script_and_in_spanish(
    clinic: Clinic, chromium: Browser
) -> None:
    person = await clinic.admitted()
    for days in (5, 3, 1):
        await clinic.missed(person, days)
    await clinic.concern(person, level=1)
    screen = await Screen.open(
        chromium, clinic.url("alerts"), java_script_enabled=False, locale="es-MX"
    )

    await screen.sign_in()
    await screen.go(f"/?site={clinic.site_id}&level=1")

    await expect(screen.page.locator("html")).to_have_attribute("lang", "es")
    await expect(screen.page.locator("li.line")).to_contain_text("Faltó a 3 sesiones seguidas")
    await screen.go(f"/?site={clinic.site_id}&level=0")
    await expect(screen.page.locator(".empty")).to_have_text("Nadie espera una llamada.")
    assert screen.troubles == []
